"""How graded cells are judged: by their parts, apart, or by their own assertions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from nbformat import NotebookNode

from tinytorch.checks import Report
from tito.course.judged_by import JudgedBy
from tito.scoring import asserts, check_plan
from tito.submission.leaving_out import LeftOut


class Session(Protocol):
    """One submission's run: what graded cells are asked, and what their answers are worth.

    Attributes
    ----------
    where : str
        Where verdicts are found; kept with the mark.
    defines : bool
        Whether graded cells define what later cells may need, so that a new kernel runs them too.
    """

    @property
    def where(self) -> str:
        """See above."""

    @property
    def defines(self) -> bool:
        """See above."""

    def payload(
        self, cell: NotebookNode, parts: Sequence[str] | None = None, flush_each: bool = False
    ) -> str:
        """Return what the student's process runs in the place of a graded cell."""

    def unanswered(self, cell: NotebookNode) -> list[str]:
        """Return the parts of a graded cell that can be asked once more."""

    def verdict(self, cell: NotebookNode) -> tuple[Report, list[str]]:
        """Judge a graded cell that has run; name the parts that are suspicious."""


class Plan(Protocol):
    """How an assignment is judged.

    Attributes
    ----------
    seed : int
        From which fresh inputs are drawn; recorded with the mark.
    answers : str
        What takes long to find and workers are given.
    texts : mapping of str to str
        The modules of the checks.
    """

    @property
    def seed(self) -> int:
        """See above."""

    @property
    def answers(self) -> str:
        """See above."""

    @property
    def texts(self) -> Mapping[str, str]:
        """See above."""

    def differing(self, held: Mapping[str, str]) -> list[str]:
        """Name the graded cells of which the gradebook holds another text than the source."""

    def leave_out(self, nb: NotebookNode, demonstrations: Collection[str]) -> LeftOut:
        """Decide which cells of a rebuilt notebook need not run."""

    def begin(self, nb: NotebookNode) -> Session:
        """Begin the run of a rebuilt notebook."""


def prepare(
    judged_by: JudgedBy,
    source: NotebookNode,
    releases: Sequence[NotebookNode],
    seed: int,
    answers: str | None = None,
) -> Plan:
    """Make the plan of an assignment from the course's own notebook and what was released of it."""
    if judged_by == "asserts":
        return asserts.prepare(source, releases, seed)
    return check_plan.prepare(source, seed, answers)
