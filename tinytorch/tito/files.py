"""Files and folders that are replaced as a whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinytorch.tito.errors import TitoError
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


@contextmanager
def written(what: str) -> Iterator[None]:
    """Turn what the system says of a file that is written into a message of what to do.

    Raises
    ------
    TitoError
        Where the system refuses: the disk is full, or a folder is read-only.
    """
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise TitoError(
            f"{what} cannot be written: {reason}{where}. Make room, or make the folder "
            "writable, and grade again: it goes on from here, and no mark is lost."
        ) from error
