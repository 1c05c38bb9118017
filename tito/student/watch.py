"""Notice when a notebook is saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from watchfiles import watch

#: A save that happens while nobody watches yet is seen when the file is next looked at.
_LOOK_MILLISECONDS = 1000


def saves(notebook: Path) -> Iterator[None]:
    """Yield at once, and then at every save since; several within moments are one.

    The folder is watched and not the file: Jupyter replaces the file when it saves, so that it
    may be gone for a while.
    """
    target = notebook.resolve()
    seen = _stamp(target)
    yield
    for _ in watch(
        target.parent,
        watch_filter=lambda change, path: Path(path) == target,
        recursive=False,
        debounce=400,
        step=20,
        rust_timeout=_LOOK_MILLISECONDS,
        yield_on_timeout=True,
    ):
        stamp = _stamp(target)
        if stamp not in (None, seen):
            seen = stamp
            yield


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
