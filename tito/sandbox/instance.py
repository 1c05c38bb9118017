"""A sandbox of bubblewrap, and who runs in it: a process that it starts, or one that enters it.

What isolates is made by bubblewrap, by the same command in either case. Its first process only
waits: for the end of what it has started, or until it is killed, or until the process that started
it is gone, which closes the pipe that it reads.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from time import monotonic

from tito.errors import NotStartedError
from tito.sandbox.bubblewrap import BwrapCommand, Launch, places
from tito.sandbox.settings import Settings
from tito.sandbox.watchdog import Watchdog, children, first_processes

_READY = b"ready\n"
_START_SECONDS, _END_SECONDS = 20.0, 5.0
_LAST_SECONDS = 0.2
_SAID = 2000
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
    """One sandbox, for one process and what that starts; close it to kill whatever is in it.

    Parameters
    ----------
    settings : Settings
        The limits.
    package : Path, optional
        What is shown as the course's package.
    files : mapping of Path to bytes, optional
        Further files to show.
    program : sequence of str, optional
        What to run; without it the sandbox waits for a process to enter.
    env : mapping of str to str, optional
        The program's environment.
    inherited : int, optional
        A file that the program inherits, under its number.

    Attributes
    ----------
    first : int
        A file that names the first process; -1 when closed.
    guest_pid : int
        The process that it is for.
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
        program: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        inherited: int | None = None,
    ) -> None:
        self.settings, self._is_program = settings, program is not None
        command = BwrapCommand(settings).command(
            None if program is None else list(program), env or {}, package, files
        )
        with closing(command) as launch:
            if inherited is not None:
                launch.pass_fds.append(inherited)
            # Not a pipe, which would block when it is full; the limit on files holds for it.
            self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close
            try:
                self._start(launch)
            except NotStartedError as error:
                raise NotStartedError(f"{error}: {self._give_up()}") from None
            except BaseException:
                self.close()
                raise

    process: subprocess.Popen[bytes] | None = None

    def _start(self, launch: Launch) -> None:
        is_program = self._is_program
        stdin = subprocess.DEVNULL if is_program else subprocess.PIPE
        stdout = self._said if is_program else subprocess.PIPE
        self.process = launch.start(stdin=stdin, stdout=stdout, stderr=self._said)
        if not is_program:
            self._wait_until_ready()
        first = first_processes(self.process, launch.take_infos(), alone=not is_program)
        self._hold(*first)
        if is_program:
            try:
                self.guest_pid = children(first[1])[0]
                self.guest = os.pidfd_open(self.guest_pid)
            except (IndexError, ProcessLookupError):
                raise NotStartedError("the program in the sandbox has ended at once") from None

    def _hold(self, outer: int, inner: int) -> None:
        """Take the first processes of the outer and the inner namespace in hand."""
        folders = tuple(places(self.settings))
        assert self.process is not None
        self._watchdog = Watchdog(self.process, self.settings, (outer, inner), folders)
        self.first = os.pidfd_open(inner)
        self.namespaces = sum(
            bit
            for name, bit in _NAMESPACES.items()
            if os.readlink(f"/proc/{inner}/ns/{name}") != os.readlink(f"/proc/self/ns/{name}")
        )

    def _wait_until_ready(self) -> None:
        """Wait for the first process, which bubblewrap starts last, to repeat what it is told."""
        assert self.process is not None
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
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        said = self.said()
        self.close()
        return said

    def said(self) -> str:
        """Return the beginning of what bubblewrap, or the program before it was ready, has said."""
        self._said.seek(0)
        return self._said.read(_SAID).decode(errors="replace").strip() or "no message"

    @property
    def watchdog(self) -> Watchdog:
        """The watchdog."""
        assert self._watchdog is not None, "there is one as soon as the sandbox is made"
        return self._watchdog

    def entered(self, pid: int, handle: int) -> None:
        """Note who entered: its number, and a file that stays this process's."""
        self.guest, self.guest_pid = handle, pid
        self.watchdog.add(pid, handle)

    @property
    def limit_hit(self) -> str | None:
        """The limit for which the watchdog has killed it, if it did."""
        return self.watchdog.reason

    @property
    def processor_seconds(self) -> float:
        """Processor time of all its processes."""
        return self.watchdog.processor_seconds

    @property
    def is_occupied(self) -> bool:
        """Whether the process that it is for still runs."""
        return self.guest >= 0 and not select.select([self.guest], [], [], 0)[0]

    @property
    def was_killed(self) -> bool:
        """Whether somebody outside has killed it.

        Nothing in it can signal its first process. Should that come to an end by itself, what
        runs in it is to blame.
        """
        # What it has started takes it along; and whoever is in it ends a moment before it does.
        seconds = _END_SECONDS if self._is_program else _LAST_SECONDS
        if self.process is None or not select.select([self.first], [], [], seconds)[0]:
            return False
        with suppress(subprocess.TimeoutExpired):
            return self.process.wait(_END_SECONDS) not in range(_SIGNALLED)
        return True

    def interrupt(self) -> None:
        """Interrupt the process that it is for, and what that waits for."""
        if self.is_occupied:
            with suppress(ProcessLookupError):
                os.killpg(self.guest_pid, signal.SIGINT)  # it leads a session, so a group too

    def close(self) -> None:
        """Kill everything in it."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._watchdog is not None:
            self._watchdog.close()
        elif self.process is not None:  # it never came to be
            self.process.kill()
        if self.process is not None:
            for stream in (self.process.stdin, self.process.stdout):
                if stream is not None:
                    stream.close()
            self.process.wait()
        self._said.close()
        for handle in (self.first, self.guest):
            if handle >= 0:
                os.close(handle)
        self.first = self.guest = -1
