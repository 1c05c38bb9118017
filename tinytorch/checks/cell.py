"""A graded cell: its parts, run here and judged at once."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tinytorch.checks.judge import Problem, Tolerance, judge
from tinytorch.checks.observe import SECONDS_A_PART, Observation, observe
from tinytorch.checks.origin import CHECKING, names_used
from tinytorch.checks.report import MIME_TYPE, RUN_ABOVE, PartVerdict, Report

Drive = Callable[..., Mapping[str, Any]]


class ChecksFailed(AssertionError):  # noqa: N818 - an outcome, named as people say it
    """Not every part of a graded cell holds.

    Attributes
    ----------
    report : Report
        The verdicts on all parts.
    """

    def __init__(self, report: Report) -> None:
        super().__init__(f"\n{report}")
        self.report = report


@dataclass(frozen=True)
class Part:
    """One behaviour: how to drive the code, what to expect, what it is worth."""

    drive: Drive
    points: int
    expect: Mapping[str, Any]
    hint: str
    given: Mapping[str, Any] = field(default_factory=dict)
    vary: Sequence[str] = ()
    choose: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    tolerance: Tolerance = Tolerance()

    @property
    def title(self) -> str:
        """First line of the docstring."""
        return (self.drive.__doc__ or self.drive.__name__).strip().splitlines()[0]

    def verdict(self, seen: Observation) -> PartVerdict:
        """Judge what the part saw for its public inputs."""
        return self.with_problem(judge(self.expect, seen, self.tolerance), seen)

    def with_problem(self, problem: Problem | None, seen: Observation) -> PartVerdict:
        """Return the verdict that a problem, or none, leads to."""
        return PartVerdict(
            name=self.drive.__name__,
            title=self.title,
            points=self.points,
            earned=self.points if problem is None else 0,
            problem=problem,
            hint=self.hint,
            unfinished=seen.unfinished,
        )


class Checks:
    """The parts of one graded cell.

    Parameters
    ----------
    grade_id : str
        The cell's grade_id.
    points : int
        What the cell is worth; its parts must add up to it.
    """

    def __init__(self, grade_id: str, points: int) -> None:
        self.grade_id = grade_id
        self.points = points
        self.parts: list[Part] = []
        self.reported: Report | None = None

    def part(
        self,
        points: int,
        expect: Mapping[str, Any],
        hint: str,
        given: Mapping[str, Any] | None = None,
        vary: Sequence[str] = (),
        choose: Mapping[str, Sequence[Any]] | None = None,
        rtol: float = Tolerance.rtol,
        atol: float = Tolerance.atol,
    ) -> Callable[[Drive], Drive]:
        """Declare a function to be one part of the cell.

        Parameters
        ----------
        points : int
            What the part is worth; 0 for advice that does not count.
        expect : mapping of str to plain data or matcher
            What the function must return, by label.
        hint : str
            A sentence that makes a student think, shown when the part does not hold.
        given : mapping, optional
            Keyword arguments of the function: plain data.
        vary : sequence of str, optional
            Those whose floating-point numbers are drawn anew when the part is graded; see
            :func:`tinytorch.checks.inputs.draw`. The expected values then come from the
            reference; matchers in `expect` must hold for the new numbers as well.
        choose : mapping of str to sequence, optional
            Those that become one of several values when the part is graded.
        rtol, atol : float
            Tolerance of all numbers, relative to the expected value and absolute.

        Returns
        -------
        callable
            A decorator that gives the function back unchanged.
        """

        def declare(drive: Drive) -> Drive:
            known = given or {}
            unknown = {*vary, *(choose or {})} - set(known)
            if unknown:
                raise ValueError(f"vary and choose must name inputs of `given`, got {unknown}")
            tolerance = Tolerance(rtol, atol)
            part = Part(drive, points, expect, hint, known, vary, choose or {}, tolerance)
            self.parts.append(part)
            CHECKING.add(drive.__code__.co_filename)
            return drive

        return declare

    def report(self) -> Report:
        """Drive the student's code through every part and judge what was seen.

        Raises
        ------
        ValueError
            If the points of the parts do not add up to those of the cell.
        """
        total = sum(part.points for part in self.parts)
        if total != self.points:
            raise ValueError(
                f"the parts of {self.grade_id} must add up to {self.points} points, got {total}"
            )
        self.reported = Report(self.grade_id, self.points, tuple(self._verdicts()))
        return self.reported

    def _verdicts(self) -> Iterator[PartVerdict]:
        stopped = False
        for part in self.parts:
            if stopped:
                seen = Observation({}, "not run: the cell was interrupted")
            else:
                seen = observe(part.drive, part.given, SECONDS_A_PART)
            stopped = stopped or seen.interrupted
            verdict = part.verdict(seen)
            yield replace(verdict, earlier=self._earlier(part)) if verdict.problem else verdict

    def _earlier(self, part: Part) -> str:
        """Name the earlier graded cells that do not hold and are about what a part uses."""
        used = names_used(part.drive)
        told: list[str] = []
        for checks in _before(self, part.drive):
            own = used & set().union(*(names_used(other.drive) for other in checks.parts))
            if own and checks.reported is not None and not checks.reported.passed:
                points = f"{checks.reported.earned} of {checks.points} points"
                told.append(f"{checks.grade_id} ({points}), which is about {_list(own)}")
            used -= own
        return "; ".join(told)

    def run(self) -> None:
        """Run all parts, for a test runner.

        Raises
        ------
        ChecksFailed
            If a part that counts does not hold; the message is the report.
        """
        report = self.report()
        if not report.passed:
            raise ChecksFailed(report)

    def show(self) -> None:
        """Run all parts and show the report, for a notebook.

        The points become the cell's result, which nbgrader reads as partial credit.
        """
        report = self.report()
        if "IPython" not in sys.modules:
            print(report.text(RUN_ABOVE))
            return
        from IPython.display import display

        text, html = report.text(RUN_ABOVE), report.html(RUN_ABOVE)
        display({"text/plain": text, "text/html": html, MIME_TYPE: report.data()}, raw=True)
        sys.displayhook(_Points(report.earned, report.points))


def _before(checks: Checks, drive: Drive) -> list[Checks]:
    """Return the graded cells that the notebook has declared before one."""
    found = [value for value in list(drive.__globals__.values()) if type(value) is Checks]
    return found[: found.index(checks)] if checks in found else []


def _list(names: set[str]) -> str:
    return " and ".join(sorted(names))


class _Points(float):
    """Points of a cell as its result: text that nbgrader can read as a number."""

    def __new__(cls, earned: int, points: int) -> _Points:
        return super().__new__(cls, earned)

    def __init__(self, earned: int, points: int) -> None:
        self.text = f"{earned} of {points} points, for nbgrader"

    def __repr__(self) -> str:
        return json.dumps(float(self))

    def _repr_html_(self) -> str:
        return f"<small>{self.text}</small>"
