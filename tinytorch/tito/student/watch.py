"""Notice when a notebook is saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from watchfiles import watch


def saves(notebook: Path) -> Iterator[None]:
    """Yield at every save of a notebook, for ever.

    The folder is watched and not the file: Jupyter replaces the file when it saves.
    """
    target = notebook.resolve()
    for _ in watch(
        target.parent,
        watch_filter=lambda change, path: Path(path) == target,
        recursive=False,
        debounce=400,
        step=50,
    ):
        if target.exists():
            yield
