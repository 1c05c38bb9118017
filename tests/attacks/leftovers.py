"""What attacks leave behind: processes, files, segments. Found by their mark, then removed."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import site
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from tests.attacks.attack import Ground

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
    found = {path for place in _places() for path in _children(place) if ground.mark in path.name}
    found -= {ground.root.parent}
    for top in (ground.root, ground.home):
        found |= {path for path in top.rglob(f"*{ground.mark}*")}
    found |= set(_children(tmp))
    for path in ground.root.glob("build/fonts/fontlist-*.json"):
        if path.stat().st_size < 100:
            found.add(path)
    for path in found:
        _remove(path)
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    for name in _HOME_PLACES:  # an attack may have made the folder too
        for folder in (home / name, *(home / name).parents):
            if home in folder.parents:
                with suppress(OSError):
                    folder.rmdir()
    return sorted(str(path) for path in found)


def _places() -> Iterator[Path]:
    """Return the folders in which attacks may have left something, beside the course."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    yield from map(Path, _PUBLIC)
    yield home
    yield from (home / name for name in _HOME_PLACES)
    for name in {*sys.path, *site.getsitepackages(), *os.environ["PATH"].split(":")}:
        yield Path(name)
    yield Path(sys.executable).parent


def _children(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_symlink() or not path.is_dir():
            path.unlink()
            return
    remove_tree(path)


def remove_tree(folder: Path) -> None:
    """Delete a folder whatever the permissions in it; links are not followed."""
    for top, folders, _ in os.walk(folder):
        for name in folders:
            path = Path(top, name)
            if not path.is_symlink():
                with suppress(OSError):
                    path.chmod(stat.S_IRWXU)
    with suppress(OSError):
        folder.chmod(stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)


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
