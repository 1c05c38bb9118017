"""What the grader holds of a started sandbox: its first process, its memory, its end.

The first process of a process namespace takes all others with it, so killing is one signal. The
watchdog is a thread, since memory must be looked at also while the grader waits for nothing.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from time import monotonic

from tinytorch.tito.errors import TitoError
from tinytorch.tito.sandbox.settings import MB, Settings

_PAGE = os.sysconf("SC_PAGE_SIZE")
_START_SECONDS = 10.0


def first_process(info: int) -> int:
    """Read from bubblewrap the number of the first process in the sandbox; closes `info`.

    Raises
    ------
    TitoError
        If bubblewrap ended, or said nothing for ten seconds.
    """
    text, deadline = b"", monotonic() + _START_SECONDS
    with open(info, "rb", buffering=0) as pipe:
        while b"}" not in text:
            ready, _, _ = select.select([pipe], [], [], max(0, deadline - monotonic()))
            more = pipe.read(4096) if ready else b""
            if not more:
                raise TitoError("bubblewrap did not start a sandbox")
            text += more
    return int(json.loads(text)["child-pid"])


class Leash:
    """Watches the memory of a process and its descendants, and kills them all.

    Parameters
    ----------
    process : Popen
        What was started.
    settings : Settings
        The limits to watch.
    first : int, optional
        First process of a process namespace; `process` itself, and its group, if there is none.
    folders : tuple of Path
        Folders of the sandbox whose number of files is watched.

    Attributes
    ----------
    reason : str or None
        Why the watchdog killed, if it did.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        settings: Settings,
        first: int | None = None,
        folders: tuple[Path, ...] = (),
    ) -> None:
        self.process = process
        self.settings = settings
        self.reason: str | None = None
        self.peak = 0
        self._has_namespace = first is not None
        self.first = process.pid if first is None else first
        self._folders = [Path(f"/proc/{self.first}/root{folder}") for folder in folders]
        # Unlike a number it stays this process, whatever else gets the number later.
        self._handle = os.pidfd_open(self.first)
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="sandbox-watchdog")
        self._thread.start()

    def interrupt(self) -> None:
        """Send the interrupt that does not pass through bubblewrap to what runs in it."""
        targets = _children(self.first) if self._has_namespace else [self.first]
        for pid in targets:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)

    def kill(self) -> None:
        """Kill everything; returns when nothing is left of it."""
        self._over.set()
        members = [] if self._has_namespace else tree(self.first)
        with self._lock:
            if self._handle >= 0:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._handle, signal.SIGKILL)
                # It is gone when all others of its namespace are.
                select.select([self._handle], [], [], 5)
        for pid in members:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill what is left, and stop watching."""
        self.kill()
        if threading.current_thread() is not self._thread:
            self._thread.join(5)
        with self._lock:
            if self._handle >= 0:
                os.close(self._handle)
                self._handle = -1

    def _watch(self) -> None:
        while not self._over.wait(self.settings.interval):
            if select.select([self._handle], [], [], 0)[0]:
                return
            self.reason = self._excess()
            if self.reason is not None:
                self.kill()

    def _excess(self) -> str | None:
        """Say what is beyond its limit."""
        processes = tree(self.first)
        used = sum(map(_resident, processes))
        if used > self.settings.memory:
            # Pages that processes share were counted for each of them; this is slower and exact.
            used = sum(_proportional(pid) for pid in processes)
        self.peak = max(self.peak, used)
        if used > self.settings.memory:
            return (
                f"its processes used {used / MB:.0f} MB of memory; "
                f"the limit is {self.settings.memory / MB:.0f} MB"
            )
        for folder in self._folders:
            with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                held = os.statvfs(folder)
                if held.f_files - held.f_ffree > self.settings.entries:
                    return f"it made more than {self.settings.entries} files in a folder"
        return None


def tree(pid: int) -> list[int]:
    """List a process and its descendants."""
    found, todo = [], [pid]
    while todo:
        current = todo.pop()
        found.append(current)
        todo += _children(current)
    return found


def _children(pid: int) -> list[int]:
    children: list[int] = []
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError):
                text = Path(f"/proc/{pid}/task/{thread}/children").read_text()
                children += map(int, text.split())
    return children


def _resident(pid: int) -> int:
    """Resident memory of a process, shared pages and files from disk too."""
    with suppress(OSError):
        _, resident, *_ = Path(f"/proc/{pid}/statm").read_text().split()
        return int(resident) * _PAGE
    return 0


def _proportional(pid: int) -> int:
    """Memory of a process, of shared pages its share; of files from disk nothing."""
    total = 0
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in ("Pss_Anon", "Pss_Shmem"):
                total += int(rest.split()[0]) * 1024
    except ProcessLookupError:
        return 0
    except (OSError, ValueError):
        # A process may hide this, not the larger number.
        return _resident(pid)
    return total
