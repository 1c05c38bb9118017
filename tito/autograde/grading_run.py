"""What became of a class: one run, and each of its submissions."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tito.sandbox import Isolation


@dataclass(frozen=True)
class Outcome:
    """What became of one submission in a run."""

    student: str
    status: Literal["graded", "skipped", "failed"]
    reason: str = ""
    flags: tuple[str, ...] = ()
    seconds: float = 0.0
    left_out: int = 0
    audit: str = ""


@dataclass
class GradingRun:
    """What became of a class.

    Attributes
    ----------
    log : Path
        The log of the run.
    isolation : Isolation
        What kept students' code apart from the machine.
    total : int
        How many submissions there are.
    outcomes : list of Outcome
        One for each submission that was looked at, by student.
    notices : list of str
        What somebody who waits for the run should know: workers that are waited for, or not used.
    interrupted : bool
        Whether somebody ended the run before all was done.
    seconds : float
        How long it took.
    seed : int
        From which fresh inputs are drawn.
    """

    log: Path
    isolation: Isolation
    total: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    interrupted: bool = False
    seconds: float = 0.0
    seed: int = 0

    def with_status(self, status: str) -> list[Outcome]:
        """Return the outcomes of a kind."""
        return [outcome for outcome in self.outcomes if outcome.status == status]

    @property
    def graded(self) -> list[Outcome]:
        """Submissions that were graded."""
        return self.with_status("graded")

    @property
    def skipped(self) -> list[Outcome]:
        """Submissions that have not changed since they were graded."""
        return self.with_status("skipped")

    @property
    def failed(self) -> list[Outcome]:
        """Submissions that could not be graded."""
        return self.with_status("failed")
