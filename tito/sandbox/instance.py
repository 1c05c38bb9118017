"""A sandbox of bubblewrap without a program of its own: a forked kernel enters it.

What isolates is made by bubblewrap, by the same command as for any other sandbox. Its first
process only waits: until it is killed, or until the process that started it is gone, which
closes the pipe that it reads.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from time import monotonic

from tito.errors import NotStartedError
from tito.sandbox.bubblewrap import BwrapCommand, places
from tito.sandbox.watchdog import Watchdog, first_processes
from tito.sandbox.settings import Settings

_READY = b"ready\n"
_START_SECONDS, _END_SECONDS = 20.0, 5.0
#: Bubblewrap ends with the number of the signal that killed its child, and this.
_SIGNALLED = 128

#: Kinds of namespaces by the names that /proc has for them, with the bits of setns.
_NAMESPACES = {
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
    "mnt": 0x00020000,
}


class SandboxInstance:
    """One sandbox, for one kernel; close it to kill whatever is in it.

    Attributes
    ----------
    settings : Settings
        The limits.
    first : int
        A file that names the first process; -1 when closed.
    process : Popen
        The bubblewrap that was started.
    namespaces : int
        What of this process's namespaces the sandbox does not share, as bits for setns.
    """

    first = guest = guest_pid = -1
    _watchdog: Watchdog | None = None
    _is_closed = False

    def __init__(
        self,
        settings: Settings,
        package: Path | None,
        files: Mapping[Path, bytes] | None = None,
    ) -> None:
        self.settings = settings
        pipe = subprocess.PIPE
        with closing(BwrapCommand(settings).command(None, {}, package, files)) as launch:
            self.process = launch.start(stdin=pipe, stdout=pipe, stderr=pipe)
            try:
                self._wait_until_ready()
                self._hold(*first_processes(self.process, launch.take_infos(), alone=True))
            except NotStartedError as error:
                raise NotStartedError(f"{error}: {self._give_up()}") from None
            except BaseException:
                self.close()
                raise

    def _hold(self, outer: int, inner: int) -> None:
        """Take the first processes of the outer and the inner namespace in hand."""
        folders = tuple(places(self.settings))
        self._watchdog = Watchdog(self.process, self.settings, (outer, inner), folders)
        self.first = os.pidfd_open(inner)
        self.namespaces = sum(
            bit
            for name, bit in _NAMESPACES.items()
            if os.readlink(f"/proc/{inner}/ns/{name}") != os.readlink(f"/proc/self/ns/{name}")
        )

    def _wait_until_ready(self) -> None:
        """Wait for the first process, which bubblewrap starts last, to repeat what it is told."""
        assert self.process.stdin is not None and self.process.stdout is not None
        with suppress(BrokenPipeError):  # what became of it is seen below
            os.write(self.process.stdin.fileno(), _READY)
        said, deadline = b"", monotonic() + _START_SECONDS
        while said != _READY:
            left = max(0.0, deadline - monotonic())
            ready, _, _ = select.select([self.process.stdout], [], [], left)
            more = os.read(self.process.stdout.fileno(), 64) if ready else b""
            if not more:
                raise NotStartedError("bubblewrap did not start a sandbox")
            said += more

    def _give_up(self) -> str:
        """Close it, and return what bubblewrap said."""
        self.process.kill()
        _, error = self.process.communicate()
        self.close()
        return error.decode(errors="replace").strip() or "no message"

    @property
    def watchdog(self) -> Watchdog:
        """The watchdog."""
        assert self._watchdog is not None, "there is one as soon as the room is made"
        return self._watchdog

    def entered(self, pid: int, handle: int) -> None:
        """Note who entered: its number, and a file that stays this process's."""
        self.guest, self.guest_pid = handle, pid
        self.watchdog.add(pid, handle)

    @property
    def is_occupied(self) -> bool:
        """Whether who entered still runs."""
        return self.guest >= 0 and not select.select([self.guest], [], [], 0)[0]

    @property
    def was_killed(self) -> bool:
        """Whether somebody outside has killed it.

        Nothing in it can signal its first process. Should that come to an end by itself, what
        runs in it is to blame.
        """
        if not select.select([self.first], [], [], 0)[0]:
            return False
        with suppress(subprocess.TimeoutExpired):
            return self.process.wait(_END_SECONDS) not in range(_SIGNALLED)
        return True

    def interrupt(self) -> None:
        """Interrupt who entered, and what it waits for."""
        if self.is_occupied:
            with suppress(ProcessLookupError):
                os.killpg(self.guest_pid, signal.SIGINT)  # it leads a session, so a group too

    def close(self) -> None:
        """Kill everything in it."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._watchdog is None:  # it never came to be
            self.process.kill()
        else:
            self._watchdog.close()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        self.process.wait()
        for handle in (self.first, self.guest):
            if handle >= 0:
                os.close(handle)
        self.first = self.guest = -1
