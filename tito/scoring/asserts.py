"""Graded cells that judge themselves, as nbgrader's do: an error earns nothing.

They run in the student's process, so that a student's code can change what comes of them: which
the record of a mark says. A verdict is by nbgrader's rule, and closed where that is open.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from tinytorch.checks import Report
from tinytorch.checks.problem import Problem
from tinytorch.checks.report import PartVerdict
from tito.course.cells import grade_id, is_autograded, is_fixed, is_solution
from tito.submission.leaving_out import LeftOut
from tito.text import without_colors

#: What a directive of nbgrader's becomes tests by.
_AUTOTEST = "### AUTOTEST", "### HASHED AUTOTEST"
#: How NumPy 2 shows a number.
_NUMPY = re.compile(r"np\.(?:float|int|uint)\d+\((.*)\)")
#: IPython's mark of the line at which a cell stopped.
_ARROW = re.compile(r"^-+> (\d+) ", re.MULTILINE)
_ROUNDING = 1e-9
_LONGEST = 500
_RUNS = "the cell runs to its end, in the student's process"
_WORTH = "the value of the cell's last line, in the student's process"
_HINT = "Run the notebook from top to bottom, and look at what this cell shows."
_NOT_BEGUN = Problem(
    "your code", "something of your own", "the notebook as it was released", source=_HINT
)


@dataclass(frozen=True)
class AssertPlan:
    """An assignment whose graded cells judge themselves."""

    seed: int
    #: By graded cell: its text in the source, where nbgrader has not made it of a directive.
    sources: Mapping[str, str]
    #: The texts that students were given.
    released: frozenset[str]
    #: There is nothing that workers need to be told.
    answers = ""

    @property
    def texts(self) -> Mapping[str, str]:
        """No modules of checks."""
        return {}

    def differing(self, held: Mapping[str, str]) -> list[str]:
        """Name the graded cells of which the gradebook holds another text than the source."""
        ours = {name: text.strip() for name, text in self.sources.items()}
        made = {name for name, text in ours.items() if any(word in text for word in _AUTOTEST)}
        names = (ours.keys() | held.keys()) - made
        return [name for name in sorted(names) if ours.get(name) != held.get(name)]

    def leave_out(self, nb: NotebookNode, demonstrations: Collection[str]) -> LeftOut:
        """Leave nothing out: an assertion may look at whatever a cell before it has done."""
        return LeftOut(reason="graded cells are assertions, which may depend on any cell")

    def begin(self, nb: NotebookNode) -> AssertSession:
        """Begin the run of a rebuilt notebook."""
        return AssertSession(self, self._is_untouched(nb))

    def _is_untouched(self, nb: NotebookNode) -> bool:
        """Whether a student was to write code, and has written none."""
        code = [cell for cell in nb.cells if cell.cell_type == "code" and not is_fixed(cell)]
        given = self.released | {""}
        return any(map(is_solution, code)) and all(cell.source.strip() in given for cell in code)


def prepare(source: NotebookNode, releases: Sequence[NotebookNode], seed: int) -> AssertPlan:
    """Make the plan of an assignment from the course's own notebook and its releases."""
    graded = {grade_id(cell) or "": cell.source for cell in source.cells if is_autograded(cell)}
    given = frozenset(cell.source.strip() for nb in releases for cell in nb.cells)
    return AssertPlan(seed, graded, given)


@dataclass(frozen=True)
class AssertSession:
    """One submission's run of such an assignment."""

    plan: AssertPlan
    #: Whether there is no code of the student's in it, so that no cell can have earned anything.
    untouched: bool
    where = "in the student's process"
    defines = True

    def payload(
        self, cell: NotebookNode, parts: Sequence[str] | None = None, flush_each: bool = False
    ) -> str:
        """Return the cell's own text, with the hidden tests."""
        return cell.source

    def unanswered(self, cell: NotebookNode) -> list[str]:
        """Return nothing: a cell runs once, and what it showed is its answer."""
        return []

    def verdict(self, cell: NotebookNode) -> tuple[Report, list[str]]:
        """Judge a graded cell by its outputs; none is suspicious."""
        name, worth = cell.metadata.nbgrader.grade_id, float(cell.metadata.nbgrader.points)
        earned, title, problem = worth, _RUNS, self._error(cell)
        if self.untouched:
            earned, problem = 0.0, _NOT_BEGUN
        elif problem is not None:
            earned = 0.0
        elif (text := _result(cell)) is not None:
            earned, title, problem = _partial(text, worth)
        points, earned = _plain(worth), _plain(earned)
        part = PartVerdict("cell", title, points, earned, problem, _HINT, self.untouched)
        return Report(name, points, (part,)), []

    def _error(self, cell: NotebookNode) -> Problem | None:
        """Return the error that a cell ended with; a line is told where students were given it."""
        error = next((one for one in cell.outputs if one.output_type == "error"), None)
        if error is None:
            return None
        line = _line_of(error, cell)
        if line and not any(line in text for text in self.plan.released):
            line = "a hidden test"
        got = without_colors(f"{error.ename}: {error.evalue}")[:_LONGEST]
        return Problem(line or "the cell", "no error", got, raised=True)


def _line_of(error: NotebookNode, cell: NotebookNode) -> str:
    """Return the line of a cell at which it stopped, as far as the traceback says."""
    found = _ARROW.search(without_colors("\n".join(error.traceback)))
    lines = cell.source.split("\n")
    number = int(found[1]) if found and len(found[1]) < 6 else 0
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def _result(cell: NotebookNode) -> str | None:
    """Return the value of a cell's last line, as text."""
    shown = (one for one in cell.outputs if one.output_type == "execute_result")
    text = next((one.get("data", {}).get("text/plain") for one in shown), None)
    return None if text is None else str(text)


def _partial(text: str, worth: float) -> tuple[float, str, Problem | None]:
    """Return what a value earns: itself if it is a number, all if it is none, as with nbgrader.

    No number that cannot be points earns any.
    """
    match = _NUMPY.fullmatch(text.strip())
    try:
        value = float(match[1] if match else text)
    except ValueError:
        return worth, _RUNS, None
    wanted = f"a number from 0 to {worth:g}"
    if math.isnan(value) or not 0.0 <= value <= worth * (1 + _ROUNDING):
        return 0.0, _WORTH, Problem("the value", wanted, text.strip()[:_LONGEST])
    value = min(value, worth)
    problem = Problem("the value", f"{worth:g}", f"{value:g}") if value < worth else None
    return value, _WORTH, problem


def _plain(value: float) -> float:
    """Return a whole number as one, so that it is shown as one."""
    return int(value) if value.is_integer() else value
