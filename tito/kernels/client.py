"""Kernels as the grader has them: forked into a sandbox, started in one, or started without."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Protocol

from tito.errors import NotStartedError
from tito.kernels import capture
from tito.kernels.connection import Connection
from tito.kernels.fonts import font_lists, prepare_fonts
from tito.kernels.frames import Frame, FrameReader
from tito.kernels.isolation import IsolationReport
from tito.kernels.kernel_protocol import Blame, Kernel, Limits, Lost, Ran
from tito.kernels.recorder import Recorder
from tito.kernels.zygote_client import ZygoteLostError, zygote_for
from tito.sandbox.bubblewrap import FILES, FONTS
from tito.sandbox.instance import SandboxInstance
from tito.sandbox.scratch import environment_inside
from tito.sandbox.settings import Settings
from tito.sandbox.unsandboxed import UnsandboxedInstance

#: How often to look whether a cell's time is up, and whether its kernel lives.
POLL_INTERVAL = 0.1
#: How long a kernel may take to be there.
_READY_SECONDS = 60.0
_SHELL = Path(__file__).with_name("shell.py")
_FILES = (_SHELL, Path(capture.__file__))


class Instance(Protocol):
    """Where a kernel's process runs."""

    @property
    def limit_hit(self) -> str | None:
        """The limit for which it was killed, if it was."""

    @property
    def processor_seconds(self) -> float:
        """Processor time of all its processes."""

    @property
    def is_occupied(self) -> bool:
        """Whether the kernel's process runs."""

    @property
    def was_killed(self) -> bool:
        """Whether somebody outside has killed it."""

    def said(self) -> str:
        """Return what it has said before the kernel was ready."""

    def interrupt(self) -> None:
        """Interrupt the kernel."""

    def close(self) -> None:
        """Kill everything in it."""


#: Begins a kernel: where it runs, and the grader's end of the socket to it.
Begin = Callable[[], tuple[Instance, socket.socket]]


def make_kernel(
    report: IsolationReport,
    package: Path | None = None,
    fonts: Path | None = None,
    *,
    settings: Settings | None = None,
    grace: float = 2.0,
) -> Kernel:
    """Begin a kernel in the isolation that was found.

    Parameters
    ----------
    report : IsolationReport
        How it is isolated, and whether it may be forked.
    package : Path, optional
        The folder that goes first on the import path: the package before the module under test.
    fonts : Path, optional
        A folder for matplotlib's list of fonts, which takes a second to make.
    settings : Settings, optional
        The limits of its sandbox.
    grace : float
        Seconds that it has to answer after it was interrupted.

    Raises
    ------
    NotStartedError
        If it does not start.
    """
    limits = settings or Settings()
    level = report.isolation.level
    if level in ("full", "partial"):
        begin = _fork if report.forks else _start
        return RemoteKernel(lambda: begin(package, fonts, limits), grace)
    given, other = limits if level != "none" else None, level == "user"
    return RemoteKernel(lambda: _start_outside(package, fonts, given, other), grace)


def _fork(
    package: Path | None, fonts: Path | None, settings: Settings
) -> tuple[Instance, socket.socket]:
    zygote = zygote_for(package, fonts, settings)
    sandbox = SandboxInstance(settings, package)
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            zygote.fork_kernel(sandbox, theirs)
    except BaseException as error:
        ours.close()
        sandbox.close()
        if isinstance(error, ZygoteLostError):
            zygote.close()  # the next kernel has another one
        raise
    return sandbox, ours


def _start(
    package: Path | None, fonts: Path | None, settings: Settings
) -> tuple[Instance, socket.socket]:
    files = {FILES / path.name: path.read_bytes() for path in _FILES}
    lists = font_lists(prepare_fonts(fonts)) if fonts else {}
    files.update({FONTS / name: text for name, text in lists.items()})
    env = {**environment_inside(package), "NBGRADER_EXECUTION": "autograde"}

    def run(theirs: int) -> Instance:
        program = [sys.executable, "-s", "-B", str(FILES / _SHELL.name), str(theirs)]
        return SandboxInstance(settings, package, files, program, env, theirs)

    return _connected(run)


def _start_outside(
    package: Path | None, fonts: Path | None, settings: Settings | None, other: bool
) -> tuple[Instance, socket.socket]:
    lists = font_lists(prepare_fonts(fonts)) if fonts else {}

    def run(theirs: int) -> Instance:
        return UnsandboxedInstance(settings, package, lists, _FILES, theirs, other)

    return _connected(run)


def _connected(run: Callable[[int], Instance]) -> tuple[Instance, socket.socket]:
    """Run a kernel at the other end of a new socket."""
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            return run(theirs.fileno()), ours
    except BaseException:
        ours.close()
        raise


class RemoteKernel:
    """A kernel at the other end of a socket."""

    def __init__(self, begin: Begin, grace: float = 2.0) -> None:
        self._begin, self._grace = begin, grace
        self._reader = FrameReader()
        self._cell = 0
        self._start()

    def _start(self) -> None:
        self._is_lost = False
        self.instance, ours = self._begin()
        self._connection = Connection(ours, self._reader)
        try:
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    def _wait_until_ready(self) -> None:
        deadline = monotonic() + _READY_SECONDS
        while monotonic() < deadline:
            try:
                frame = self._connection.receive(POLL_INTERVAL)
            except EOFError:
                said = self.instance.said()
                raise NotStartedError(f"the kernel died before it answered: {said}") from None
            if frame is not None and frame["kind"] == "failed":
                raise NotStartedError(f"the kernel was not started: {frame['reason']}")
            if frame is not None and frame["kind"] == "ready":
                return
        raise NotStartedError(f"the kernel did not answer in {_READY_SECONDS:g} s")

    def run(self, source: str, limits: Limits) -> Ran | Lost:
        """Run a cell."""
        self._cell += 1
        if self._is_lost:
            return Lost("KernelDied", "the kernel had died before this cell", "unknown", False)
        self._connection.send({"cell": self._cell, "source": source})
        return _Run(self, self._connection, self._cell, limits, self._grace).until_end()

    def restart(self) -> None:
        """Begin anew, in a new process and a new sandbox."""
        self.close()
        self._start()

    def close(self) -> None:
        """Kill whatever is left of it."""
        self._is_lost = True
        self.instance.close()
        self._connection.close()


class _Run:
    """One run of a cell."""

    def __init__(
        self, kernel: RemoteKernel, connection: Connection, cell: int, limits: Limits, grace: float
    ) -> None:
        self._kernel, self._instance, self._connection = kernel, kernel.instance, connection
        self._cell, self._limits, self._grace = cell, limits, grace
        self._recorder = Recorder(limits.keeps)
        self._has_begun = False
        self._stopped, self._deadline = "", 0.0
        self._began, self._before = monotonic(), self._instance.processor_seconds
        self._used = 0.0

    def until_end(self) -> Ran | Lost:
        """Receive what the cell shows, and stop it where its time is up."""
        look = monotonic() + POLL_INTERVAL
        while True:
            try:
                frame = self._connection.receive(max(0.0, look - monotonic()))
            except EOFError:
                return self._died()
            if frame is not None and frame.get("cell") == self._cell:
                self._has_begun = True
                if frame["kind"] == "done":
                    return self._ended(frame)
                if frame["kind"] != "begin":
                    self._recorder.take(frame)
            if monotonic() >= look:
                look = monotonic() + POLL_INTERVAL
                if frame is None and not self._instance.is_occupied:
                    return self._died()  # a child that it has forked holds the socket
                if self._is_overdue():
                    what = f"this cell took {self._stopped} and could not be stopped"
                    return self._lost("KernelHung", what, "submission")

    def _is_overdue(self) -> bool:
        """Interrupt the cell when its time is up; whether it has not obeyed in time."""
        if self._stopped:
            return monotonic() > self._deadline
        limits = self._limits
        if self._processor() >= limits.processor:
            self._stopped = f"{limits.processor:.3g} s of processor time"
        elif self._wall() >= limits.wall:
            self._stopped = f"{limits.wall:.3g} s"
        else:
            return False
        self._deadline = monotonic() + self._grace
        self._instance.interrupt()
        return False

    def _wall(self) -> float:
        return monotonic() - self._began

    def _processor(self) -> float:
        # Of a kernel that has died it cannot be had any more; that of the last look counts.
        self._used = max(self._used, self._instance.processor_seconds - self._before)
        return self._used

    def _ended(self, frame: Frame) -> Ran | Lost:
        if not self._stopped:
            self._recorder.end(frame)
        count = frame.get("execution_count")
        if frame["ends"]:
            what = "this cell ended the kernel"
            return self._lost("KernelEnded", what, "submission", count)
        outputs, processor = self._recorder.outputs, self._processor()
        return Ran(outputs, count, processor, self._wall(), self._stopped)

    def _died(self) -> Lost:
        blame: Blame = "machine" if self._instance.was_killed else "unknown"
        return self._lost("KernelDied", "the kernel died while it ran this cell", blame)

    def _lost(self, ename: str, reason: str, blame: Blame, count: int | None = None) -> Lost:
        processor, hit = self._processor(), self._instance.limit_hit
        if hit is not None and ename != "KernelEnded":
            ename, reason, blame = "LimitHit", f"limit hit: {hit}", "submission"
        self._kernel.close()
        return Lost(
            ename,
            reason,
            blame,
            self._has_begun,
            self._recorder.outputs,
            processor,
            self._wall(),
            count,
        )
