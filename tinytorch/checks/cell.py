"""A graded cell: its parts, run here and judged at once."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tinytorch.checks.judge import Tolerance, judge
from tinytorch.checks.observe import SECONDS_A_PART, Observation, observe
from tinytorch.checks.origin import names_used
from tinytorch.checks.problem import Problem
from tinytorch.checks.report import MIME_TYPE, RUN_ABOVE, PartVerdict, Report
from tinytorch.checks.student import Student

#: Puts a student's code to work on some inputs, and returns what came of it by label.
Exercise = Callable[..., Mapping[str, Any]]


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
    """One behaviour: how to exercise the code, what to expect, what it is worth."""

    exercise: Exercise
    points: int
    expect: Mapping[str, Any]
    hint: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    randomize: Sequence[str] = ()
    choices: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    tolerance: Tolerance = Tolerance()
    about: str = ""

    @property
    def name(self) -> str:
        """The name of the exercise."""
        return self.exercise.__name__

    @property
    def title(self) -> str:
        """First line of the exercise's docstring."""
        return (self.exercise.__doc__ or self.name).strip().splitlines()[0]

    def verdict(self, seen: Observation) -> PartVerdict:
        """Judge what the part saw for its public inputs."""
        return self.with_problem(judge(self.expect, seen, self.tolerance), seen)

    def with_problem(self, problem: Problem | None, seen: Observation) -> PartVerdict:
        """Return the verdict that a problem, or none, leads to."""
        return PartVerdict(
            name=self.name,
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
    names : sequence of str
        What the cell hands over of the student's work, in this order.
    """

    def __init__(self, grade_id: str, points: int, names: Sequence[str]) -> None:
        self.grade_id = grade_id
        self.points = points
        self.names = tuple(names)
        self.parts: list[Part] = []
        self.reported: Report | None = None

    def part(
        self,
        exercise: Exercise,
        points: int,
        expect: Mapping[str, Any],
        hint: str,
        inputs: Mapping[str, Any] | None = None,
        randomize: Sequence[str] = (),
        choices: Mapping[str, Sequence[Any]] | None = None,
        rtol: float = Tolerance.rtol,
        atol: float = Tolerance.atol,
        about: str = "",
    ) -> None:
        """Declare a part of the cell.

        Parameters
        ----------
        exercise : callable
            Takes a :class:`~tinytorch.checks.student.Student` and the inputs, and returns values
            by label. It goes where the student's code runs, so it holds no expected value.
        points : int
            What the part is worth; 0 for advice that does not count.
        expect : mapping of str to plain data or matcher
            What the exercise must return, by label.
        hint : str
            A sentence that makes a student think, shown when the part does not hold.
        inputs : mapping, optional
            Keyword arguments of the exercise: plain data.
        randomize : sequence of str, optional
            Those whose floating-point numbers are drawn anew when the part is graded; see
            :func:`tinytorch.checks.inputs.draw`. The expected values then come from the
            reference; matchers in `expect` must hold for the new numbers as well.
        choices : mapping of str to sequence, optional
            Those that become one of several values when the part is graded.
        rtol, atol : float
            Tolerance of all numbers, relative to the expected value and absolute.
        about : str, optional
            The method that the part is about, where a student may ask for its parts alone.
        """
        known = inputs or {}
        unknown = {*randomize, *(choices or {})} - set(known)
        if unknown:
            raise ValueError(f"randomize and choices must name inputs, got {sorted(unknown)}")
        tolerance = Tolerance(rtol, atol)
        self.parts.append(
            Part(exercise, points, expect, hint, known, randomize, choices or {}, tolerance, about)
        )

    def report(self, student: Student) -> Report:
        """Put a student's code through every part and judge what was seen.

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
        verdicts = tuple(self._verdicts(self.parts, student))
        self.reported = Report(self.grade_id, self.points, verdicts)
        return self.reported

    def report_on(self, about: str, student: Student) -> Report:
        """Put a student's code through the parts that are about one method.

        Raises
        ------
        ValueError
            If there are none.
        """
        parts = [part for part in self.parts if part.about == about]
        if not parts:
            known = sorted({part.about for part in self.parts} - {""})
            raise ValueError(f"about must be one of {', '.join(known)}, got {about!r}")
        points = sum(part.points for part in parts)
        return Report(f"{about}, not graded yet", points, tuple(self._verdicts(parts, student)))

    def _verdicts(self, parts: Sequence[Part], student: Student) -> Iterator[PartVerdict]:
        stopped = False
        for part in parts:
            if stopped:
                seen = Observation({}, "not run: the cell was interrupted")
            else:
                seen = observe(part.exercise, student, part.inputs, SECONDS_A_PART)
            stopped = stopped or seen.interrupted
            verdict = part.verdict(seen)
            if verdict.problem:
                verdict = replace(verdict, earlier=self._earlier(part, student.namespace))
            yield verdict

    def _earlier(self, part: Part, namespace: dict[str, Any]) -> str:
        """Name the earlier graded cells that do not hold and are about what a part uses."""
        used = names_used(part.exercise, namespace)
        told: list[str] = []
        for checks in _before(self, namespace):
            own = used & set().union(*(names_used(p.exercise, namespace) for p in checks.parts))
            if own and checks.reported is not None and not checks.reported.passed:
                points = f"{checks.reported.earned} of {checks.points} points"
                told.append(f"{checks.grade_id} ({points}), which is about {_list(own)}")
            used -= own
        return "; ".join(told)

    def run(self, *work: Any) -> None:
        """Run all parts, for a test runner.

        Parameters
        ----------
        *work
            What the student wrote, in the order of `names`.

        Raises
        ------
        ChecksFailed
            If a part that counts does not hold; the message is the report.
        """
        report = self.report(self._student(work, sys._getframe(1).f_globals))
        if not report.passed:
            raise ChecksFailed(report)

    def show(self, *work: Any, about: str = "") -> None:
        """Run the parts and show the report, for a notebook.

        The points become the cell's result, which nbgrader reads as partial credit.

        Parameters
        ----------
        *work
            What the student wrote, in the order of `names`.
        about : str, optional
            The method whose parts to show, early and without points for nbgrader; by default all.
        """
        student = self._student(work, sys._getframe(1).f_globals)
        report = self.report_on(about, student) if about else self.report(student)
        if "IPython" not in sys.modules:
            print(report.text(RUN_ABOVE))
            return
        from IPython.display import display

        text, html = report.text(RUN_ABOVE), report.html(RUN_ABOVE)
        data = {} if about else {MIME_TYPE: report.data()}
        display({"text/plain": text, "text/html": html, **data}, raw=True)
        if not about:
            sys.displayhook(_Points(report.earned, report.points))

    def _student(self, work: Sequence[Any], namespace: dict[str, Any]) -> Student:
        """Return the student whose notebook calls, with the work that it hands over."""
        return Student(namespace, dict(zip(self.names, work, strict=True)))


def _before(checks: Checks, namespace: dict[str, Any]) -> list[Checks]:
    """Return the graded cells that the notebook has declared before one."""
    found = [value for value in list(namespace.values()) if type(value) is Checks]
    return found[: found.index(checks)] if checks in found else []


def _list(names: set[str]) -> str:
    return " and ".join(sorted(names))


class _Points(float):
    """Points of a cell as its result: text that nbgrader can read as a number."""

    def __new__(cls, earned: float, points: float) -> _Points:
        return super().__new__(cls, earned)

    def __init__(self, earned: float, points: float) -> None:
        self.text = f"{earned} of {points} points, for nbgrader"

    def __repr__(self) -> str:
        return json.dumps(float(self))

    def _repr_html_(self) -> str:
        return f"<small>{self.text}</small>"
