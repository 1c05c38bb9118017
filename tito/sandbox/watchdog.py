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
from contextlib import ExitStack, suppress
from io import FileIO
from pathlib import Path
from time import monotonic, sleep

from tito.errors import NotStartedError
from tito.sandbox import other_user
from tito.sandbox.settings import MB, Settings

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 20.0
#: Bubblewrap's own, at most.
_OWN_PROCESSES = 8
_NOT_STARTED = "bubblewrap did not start a sandbox"


def first_processes(
    process: subprocess.Popen[bytes], infos: list[int], alone: bool = False
) -> tuple[int, int]:
    """Wait for the sandbox to run its command, and find its first processes.

    Parameters
    ----------
    process : Popen
        The bubblewrap that was started.
    infos : list of int
        What each bubblewrap writes to, the outer one first; closed here.
    alone : bool
        Whether the command, which is known to run, is itself the first process.

    Returns
    -------
    tuple of int
        The first process of the outer namespace, with which everything ends, and of the inner
        one, which sees what the sandbox holds. They are the same if there is only one.

    Raises
    ------
    NotStartedError
        If there is no sandbox in time.
    """
    deadline = monotonic() + _START_SECONDS
    with ExitStack() as pipes:
        opened = [pipes.enter_context(open(info, "rb", buffering=0)) for info in infos]
        outer, *inner = (_said_process(pipe, deadline) for pipe in opened)
    # The inner bubblewrap counts in the outer namespace.
    numbers = [*inner, 1]
    while process.poll() is None and monotonic() < deadline:
        for first in tree(outer):
            # It starts the command last, when all folders are where they belong.
            if _numbers(first)[-len(numbers) :] == numbers and (alone or children(first)):
                return outer, first
        sleep(0.001)
    raise NotStartedError(_NOT_STARTED)


def _said_process(pipe: FileIO, deadline: float) -> int:
    text = b""
    while b"}" not in text:
        ready, _, _ = select.select([pipe], [], [], max(0, deadline - monotonic()))
        more = pipe.read(4096) if ready else b""
        if not more:
            raise NotStartedError(_NOT_STARTED)
        text += more
    return int(json.loads(text)["child-pid"])


def _numbers(pid: int) -> list[int]:
    """Return the numbers of a process, from the machine's namespace to its own."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("NSpid:"):
                return [int(number) for number in line.split()[1:]]
    return []


class Watchdog:
    """Watches the memory of a process and its descendants, and kills them all.

    Parameters
    ----------
    process : Popen
        What was started.
    settings : Settings
        The limits to watch.
    first : tuple of int, optional
        What :func:`first_processes` returned; without namespaces it is `process` and its group.
    folders : tuple of Path
        Folders of the sandbox whose number of files is watched.
    user : int, optional
        Who runs nothing but this: all processes of this user are meant.

    Attributes
    ----------
    reason : str or None
        Why the watchdog killed, if it did.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        settings: Settings,
        first: tuple[int, int] | None = None,
        folders: tuple[Path, ...] = (),
        user: int | None = None,
    ) -> None:
        self.process = process
        self.user = user
        self.settings = settings
        self.reason: str | None = None
        self._has_namespace = first is not None
        self.first, self.inner = first or (process.pid, process.pid)
        self._entered: list[tuple[int, int]] = []
        self._folders = [Path(f"/proc/{self.inner}/root{folder}") for folder in folders]
        # Unlike a number it stays this process, whatever else gets the number later.
        self._handle = -1
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="sandbox-watchdog")
        with suppress(ProcessLookupError):  # it may be over already
            self._handle = os.pidfd_open(self.first)
        try:
            self._thread.start()
        except RuntimeError:  # this process may have no more threads
            if self._handle >= 0:
                os.close(self._handle)
            raise

    def add(self, pid: int, handle: int) -> None:
        """Watch a process that entered the sandbox from outside, which is no descendant.

        `handle` is a file that names it, open as long as the watchdog.
        """
        self._entered.append((pid, handle))

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
        if self.user is not None:
            other_user.end_all(self.user)

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
        while self._handle >= 0 and not self._over.wait(self.settings.interval):
            if select.select([self._handle], [], [], 0)[0]:
                return
            self.reason = self._excess()
            if self.reason is not None:
                self.kill()

    @property
    def processor_seconds(self) -> float:
        """Processor time of all its processes, those that ended in the care of another included."""
        return sum(map(processor_seconds, self._processes()))

    def _processes(self) -> list[int]:
        if self.user is not None:
            return other_user.processes_of(self.user)
        processes = tree(self.first)
        for pid, handle in self._entered:
            if not select.select([handle], [], [], 0)[0]:
                processes += tree(pid)
        return processes

    def _excess(self) -> str | None:
        """Say what is beyond its limit."""
        processes = self._processes()
        used = sum(map(_resident, processes))
        if used > self.settings.memory:
            # Pages that processes share were counted for each of them; this is slower and exact.
            used = sum(_proportional(pid) for pid in processes)
        if used > self.settings.memory:
            return (
                f"its processes used {used / MB:.0f} MB of memory; "
                f"the limit is {self.settings.memory / MB:.0f} MB"
            )
        if self._has_namespace and len(processes) > self.settings.processes + _OWN_PROCESSES:
            return f"it ran more than {self.settings.processes} processes"
        if self._has_namespace and _sockets(self.inner) > self.settings.sockets:
            return f"it opened more than {self.settings.sockets} sockets"
        if self._has_namespace and _holds_locks(self.inner, self.settings.locks):
            return f"it locked more than {self.settings.locks} ranges of files"
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
        todo += children(current)
    return found


def _read(path: str) -> bytes:
    """Read a file of /proc, to its end; many times a second, so without text and buffers."""
    with open(path, "rb", buffering=0) as file:
        return file.read()


def children(pid: int) -> list[int]:
    """List the children of a process, of all its threads."""
    found: list[int] = []
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError):
                found += map(int, _read(f"/proc/{pid}/task/{thread}/children").split())
    return found


def processor_seconds(pid: int) -> float:
    """Processor time of a process, and of those of its children that it has waited for."""
    with suppress(OSError):
        # Behind its name, which may hold anything, from the third field on.
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
        return sum(map(int, fields[11:15])) / _TICKS
    return 0.0


def _sockets(pid: int) -> int:
    """Count the sockets in the network namespace of a process."""
    with suppress(OSError, ValueError):
        first = _read(f"/proc/{pid}/net/sockstat").partition(b"\n")[0]
        return int(first.removeprefix(b"sockets: used "))
    return 0


def _holds_locks(pid: int, limit: int) -> bool:
    """Whether more file locks are held in the process namespace of a process."""
    count = 0
    with suppress(OSError), open(f"/proc/{pid}/root/proc/locks", "rb", buffering=0) as file:
        while count <= limit and (lines := file.read(2**16)):
            count += lines.count(b"\n")
    return count > limit


def _resident(pid: int) -> int:
    """Resident memory of a process, shared pages and files from disk too."""
    with suppress(OSError):
        _, resident, *_ = _read(f"/proc/{pid}/statm").split()
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
