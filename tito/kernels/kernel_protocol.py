"""What a kernel is to whoever grades: a place where one cell after the other runs, or is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from nbformat import NotebookNode

#: Who ended a kernel: the submission's own code, something outside that may pass, or nobody knows.
Blame = Literal["submission", "machine", "unknown"]


@dataclass(frozen=True)
class Limits:
    """What a cell may use.

    Attributes
    ----------
    processor : float
        Seconds of processor time, of all its processes.
    wall : float
        Seconds by the clock.
    keeps : callable
        Asked with each output as it arrives; returns what to keep of it: itself, another output
        in its place, or None.
    """

    processor: float
    wall: float
    keeps: Callable[[NotebookNode], NotebookNode | None]


@dataclass(frozen=True)
class Ran:
    """A cell that came to its end, by itself or interrupted; its kernel can run another one.

    Attributes
    ----------
    outputs : list of NotebookNode
        As a notebook holds them.
    execution_count : int or None
        IPython's number of the cell.
    processor, wall : float
        Seconds that it took.
    stopped : str
        The limit of time at which it was interrupted, such as "30 s of processor time", or "".
    """

    outputs: list[NotebookNode] = field(default_factory=list)
    execution_count: int | None = None
    processor: float = 0.0
    wall: float = 0.0
    stopped: str = ""


@dataclass(frozen=True)
class Lost:
    """A kernel that is gone.

    Attributes
    ----------
    ename, reason : str
        Name and text of the error by which students and graders are told: "KernelDied",
        "KernelEnded", "KernelHung" or "LimitHit".
    blame : {"submission", "machine", "unknown"}
        Whose doing it was.
    has_begun : bool
        Whether the cell had begun; if not, the one before it may be to blame.
    outputs, processor, wall, execution_count
        As in :class:`Ran`, until then.
    """

    ename: str
    reason: str
    blame: Blame
    has_begun: bool = True
    outputs: list[NotebookNode] = field(default_factory=list)
    processor: float = 0.0
    wall: float = 0.0
    execution_count: int | None = None


class Kernel(Protocol):
    """Runs cells; one process in a sandbox of its own, until it is lost or restarted.

    Raises :class:`~tito.errors.NotStartedError` where none can be had.
    """

    def run(self, source: str, limits: Limits) -> Ran | Lost:
        """Run a cell."""

    def restart(self) -> None:
        """Begin anew, in a new process and a new sandbox."""

    def close(self) -> None:
        """Kill whatever is left of it."""
