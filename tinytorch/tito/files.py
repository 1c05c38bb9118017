"""Files and folders that are replaced as a whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinytorch.tito.sandbox.scratch import remove_tree


def replace_text(path: Path, text: str) -> None:
    """Write a file; a reader sees the old text or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(fresh, path)
    except BaseException:
        os.unlink(fresh)
        raise


@contextmanager
def staging_folder(parent: Path) -> Iterator[Path]:
    """Make a hidden folder for results that are not yet whole; delete it in the end."""
    folder = Path(tempfile.mkdtemp(dir=parent, prefix=".grading-"))
    try:
        yield folder
    finally:
        remove_tree(folder)


def put_in_place(made: Path, place: Path, staging: Path) -> None:
    """Move a folder into its place; the one that was there goes with the staging folder."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        os.rename(place, staging / "earlier")
    try:
        os.rename(made, place)
    except OSError:
        if (staging / "earlier").exists():
            os.rename(staging / "earlier", place)
        raise
