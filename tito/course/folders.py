"""Folders that end with the process that made them, and how a process is known by others.

Where it was killed, the next process that makes one of the kind there deletes what it left.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

_PREFIX = "tito-"


def make_folder(prefix: str = _PREFIX, place: Path | None = None) -> Path:
    """Make a folder that is private to this process, which is to delete it.

    Its name begins with the prefix; it lies in `place`, or else among the temporary files.
    """
    _remove_abandoned_once(prefix, place)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}{this_process()}-", dir=place))


@contextmanager
def own_folder(prefix: str = _PREFIX, place: Path | None = None) -> Iterator[Path]:
    """Make a folder as :func:`make_folder` does, and delete it in the end."""
    folder = make_folder(prefix, place)
    try:
        yield folder
    finally:
        remove_tree(folder)


def remove_abandoned(prefix: str = _PREFIX, place: Path | None = None) -> None:
    """Delete the folders of processes of this user and machine that were killed."""
    for folder in (place or Path(tempfile.gettempdir())).glob(f"{prefix}{_numbering()}-*-*"):
        with suppress(OSError):
            is_own = folder.lstat().st_uid == os.getuid()
            if is_own and has_ended(folder.name.removeprefix(prefix)):
                remove_tree(folder)


@cache
def _remove_abandoned_once(prefix: str, place: Path | None) -> None:
    """Look once in a process: a place may hold thousands of students' folders."""
    remove_abandoned(prefix, place)


def this_process() -> str:
    """Name this process for :func:`has_ended`, in text without blanks."""
    return f"{_numbering()}-{os.getpid()}"


def has_ended(process: str) -> bool:
    """Whether a process has ended, by its name and whatever stands behind a further hyphen.

    One whose end nobody has noticed has ended; of one that is numbered elsewhere nothing is known.
    """
    numbering, _, number = process.partition("-")
    if numbering != _numbering():
        return False
    pid = number.partition("-")[0]
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return Path("/proc/self/stat").exists()  # where nothing tells, nothing is deleted


def _numbering() -> str:
    """Name what gives processes their numbers: a machine, or a container of it."""
    # Several may share a place, and a number of one says nothing of the others' processes.
    with suppress(OSError):
        numbering = os.readlink("/proc/self/ns/pid")
        return hashlib.sha256(f"{socket.gethostname()} {numbering}".encode()).hexdigest()[:8]
    return "here"


def remove_tree(folder: Path) -> None:
    """Delete a folder, also where its owner was forbidden to; one that is gone is no error."""

    def unlock(function: Callable[[str], Any], path: str, _: Any) -> None:
        with suppress(OSError):
            if Path(path) != folder:  # what it lies in is not ours
                os.chmod(os.path.dirname(path), stat.S_IRWXU)
            if not os.path.islink(path):
                os.chmod(path, stat.S_IRWXU)
            if function in (os.unlink, os.rmdir):  # not os.open or os.scandir, which only look
                function(path)

    shutil.rmtree(folder, onerror=unlock)
    if folder.exists():  # now that its folders are unlocked
        shutil.rmtree(folder, ignore_errors=True)
