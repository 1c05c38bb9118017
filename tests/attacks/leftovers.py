"""What attacks leave behind: processes, files, segments. Found by their mark, then removed."""

from __future__ import annotations

import ctypes
import os
import pwd
import site
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from tests.attacks.attack import Ground
from tito.course import folders

_HOME_PLACES = (
    ".ipython/profile_default/startup",
    ".jupyter",
    ".config/jupyter",
    ".config/matplotlib",
    ".local/lib/python3.11/site-packages",
)
_PUBLIC = ("/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/")


def end_processes(mark: str) -> list[str]:
    """Return the processes that bear a mark and do not end within two seconds; kill them."""
    deadline = time.monotonic() + 2
    while (found := list(_marked(mark))) and time.monotonic() < deadline:
        time.sleep(0.1)
    told = []
    for process in found:
        with suppress(psutil.Error):
            told.append(f"{process.pid} {process.name()} {' '.join(process.cmdline())[:200]}")
            process.kill()
    return told


def _marked(mark: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with suppress(psutil.Error):
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            texts = [process.name(), *process.cmdline()]
            with suppress(psutil.AccessDenied):
                texts += [*process.environ().values(), process.cwd()]
            if any(mark in text for text in texts):
                yield process


def remove_files(ground: Ground, tmp: Path) -> list[str]:
    """Return the files that bear a mark, or stand where nothing should; remove them."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    near = {path for place in _places(home) for path in _children(place)}
    found = {path for path in near if ground.mark in path.name} - {ground.root.parent}
    for top in (ground.root, ground.home):
        found |= {*top.rglob(f"*{ground.mark}*")}
    fonts = ground.root.glob("build/fonts/fontlist-*.json")
    found |= {*_children(tmp), *(path for path in fonts if path.stat().st_size < 100)}
    for path in found:
        remove_tree(path)
    for name in _HOME_PLACES:  # an attack may have made the folder too
        for folder in (home / name, *(home / name).parents):
            if home in folder.parents:
                with suppress(OSError):
                    folder.rmdir()
    return sorted(str(path) for path in found)


def _places(home: Path) -> set[Path]:
    """Return the folders in which attacks may have left something, beside the course."""
    code = {*sys.path, *site.getsitepackages(), *os.environ["PATH"].split(":")}
    homes = {home / name for name in _HOME_PLACES}
    return {*map(Path, _PUBLIC), *map(Path, code), home, *homes, Path(sys.executable).parent}


def _children(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def remove_tree(path: Path) -> None:
    """Delete a file, or a folder whatever the permissions in it; links are not followed."""
    if path.is_symlink() or not path.is_dir():
        with suppress(OSError):
            path.unlink()
    else:
        folders.remove_tree(path)


def segment_key(mark: str) -> int:
    """Return the key of the System V objects of an attack."""
    return int(mark.encode().hex()[-7:], 16)


def remove_segments(mark: str) -> list[str]:
    """Return the System V segments and queues with the key of a mark; remove them."""
    found = []
    libc = ctypes.CDLL(None)
    for kind, remove in (("shm", libc.shmctl), ("msg", libc.msgctl)):
        with open(f"/proc/sysvipc/{kind}") as file:
            lines = file.read().splitlines()[1:]
        for key, number, *_ in map(str.split, lines):
            if int(key) == segment_key(mark):
                remove(int(number), 0, None)  # 0 is IPC_RMID
                found.append(f"{kind} {number}")
    return found
