"""Files and folders that are replaced as a whole."""

from __future__ import annotations

import ctypes
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import time
from typing import IO

from tito.errors import TitoError

#: How the name begins of a file that is not yet whole; no student's id begins with a dot.
_NEW = ".new-"


def replace_text(path: Path, text: str, synced: bool = False) -> None:
    """Write a file; a reader sees the old text or the new one, never half of one.

    Who else may read it is what the umask says, as for any other file: instructors may share a
    folder. If it is `synced`, the text is on the disk when this returns.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{_NEW}{secrets.token_hex(8)}")
    try:
        with open(fresh, "x", encoding="utf-8") as file:
            file.write(text)
            if synced:
                file.flush()
                os.fsync(file.fileno())
        os.replace(fresh, path)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()
        raise


def remove_unfinished(folder: Path, seconds: float = 0.0) -> None:
    """Delete what :func:`replace_text` left in a folder when it was killed.

    Where others may be writing, only what is some `seconds` old.
    """
    for path in folder.glob(f"{_NEW}*"):
        with suppress(OSError):
            if path.stat().st_mtime <= time() - seconds:
                path.unlink()


def flush(folder: Path) -> None:
    """Return when all that was written to the file system of a folder is on its disk.

    That takes 20 ms for 64 graded notebooks, their records and the names of them all, and a sync
    of each file 2.5 ms.
    """
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:  # Linux alone has it
        os.sync()
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        if syncfs(handle) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(folder))
    finally:
        os.close(handle)


def open_lock(path: Path) -> IO[str]:
    """Open a file to be locked, so that whoever may write to its folder can do so too."""
    writers = path.parent.stat().st_mode & 0o222
    file = open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")  # noqa: SIM115 - returned
    with suppress(PermissionError):  # then its owner has done it
        os.fchmod(file.fileno(), 0o600 | writers | writers << 1)
    return file


def put_in_place(folder: Path, place: Path, staging: Path) -> None:
    """Move a folder into its place; the one that was there goes with the staging folder."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        os.rename(place, staging / "earlier")
    try:
        os.rename(folder, place)
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
            "writable, and grade again: it resumes from here, and no mark is lost."
        ) from error
