"""From a graded cell's outputs to points: fail-closed.

The points of a cell come from exactly one well-formed report for that cell. Everything else a cell
may hold (nothing, two reports, NaN, points above the maximum, whatever it printed) is worth 0,
with the reason. nbgrader's own rule, by which no output means full marks, decides nothing.

The report is made beside the student's code today. When judging moves out of that process, it
moves to :func:`judge`: from the observations in the outputs to a :class:`Verdict`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades

from tinytorch.checks import MIME_TYPE, Report
from tinytorch.tito.grading.cells import add_flag, is_autograded

_MAX_TEXT = 2_000


@dataclass(frozen=True)
class Verdict:
    """What a graded cell earned, and why it is not more.

    Attributes
    ----------
    grade_id : str
        The cell.
    points, earned : float
        What it is worth, and what it earned.
    report : Report or None
        The parts, where there is a report that can be believed.
    problem : str or None
        Why there is none.
    """

    grade_id: str
    points: float
    earned: float
    report: Report | None = None
    problem: str | None = None

    def data(self) -> dict[str, Any]:
        """Return the verdict as JSON-ready data."""
        parts = self.report.data()["parts"] if self.report else []
        return {
            "points": self.points,
            "earned": self.earned,
            "problem": self.problem,
            "parts": parts,
        }

    def outputs(self) -> list[NotebookNode]:
        """Return the outputs that tell the verdict, the first of them to nbgrader itself.

        nbgrader takes the first result as partial credit, before it looks at what else a cell
        printed or raised.
        """
        if self.report:
            text, html = str(self.report), self.report.html()
        else:
            text = f"{self.grade_id}: 0 of {self.points:g} points: {self.problem}"
            html = f"<p><b>{escape(text)}</b></p>"
        data: dict[str, Any] = {"text/plain": text, "text/html": html}
        if self.report:
            data[MIME_TYPE] = self.report.data()
        result = {"text/plain": str(float(self.earned))}
        return [
            new_output("display_data", data),
            new_output("execute_result", result, execution_count=None),
        ]


def judge(cell: NotebookNode) -> Verdict:
    """Judge an autograded cell that was run."""
    ours = cell.metadata.nbgrader
    name, points = ours.grade_id, float(ours.points)
    found = [output.data[MIME_TYPE] for output in cell.outputs if _has_report(output)]
    try:
        report = read_report(found, name, points)
    except ValueError as error:
        return Verdict(name, points, 0.0, problem=str(error))
    return Verdict(name, points, float(report.earned), report)


def _has_report(output: NotebookNode) -> bool:
    return MIME_TYPE in output.get("data", {})


def read_report(found: list[Any], grade_id: str, points: float) -> Report:
    """Read the one report of a cell.

    Raises
    ------
    ValueError
        If there is not exactly one, or it is not well-formed; the message says what is wrong.
    """
    if len(found) != 1:
        count = "no report" if not found else f"{len(found)} reports"
        raise ValueError(f"the cell must make one report of its checks, it made {count}")
    data = found[0]
    if not isinstance(data, dict) or data.get("version") != 1:
        raise ValueError("the report of the checks has an unknown form")
    if data.get("grade_id") != grade_id:
        raise ValueError(f"the report is for another cell: {str(data.get('grade_id'))[:80]!r}")
    parts = data.get("parts")
    if not isinstance(parts, list) or not parts:
        raise ValueError("the report has no parts")
    for part in [data, *parts]:
        _check_points(part)
    if data["points"] != points or not _adds_up(data, parts):
        raise ValueError("the points of the report do not add up")
    return _as_report(data)


def _check_points(item: Any) -> None:
    """Refuse what is not a mapping with points and earned points between 0 and these."""
    if not isinstance(item, dict):
        raise ValueError("the report has a part of an unknown form")
    for key in ("points", "earned"):
        value: Any = item.get(key)
        if type(value) not in (int, float) or not math.isfinite(value):
            raise ValueError(f"the report's {key} must be a number, got {str(value)[:40]!r}")
    if not 0 <= item["earned"] <= item["points"]:
        raise ValueError(f"the report claims {item['earned']} of {item['points']} points")


def _adds_up(data: dict[str, Any], parts: list[dict[str, Any]]) -> bool:
    return all(
        math.isclose(math.fsum(part[key] for part in parts), data[key], abs_tol=1e-9)
        for key in ("points", "earned")
    )


def _as_report(data: dict[str, Any]) -> Report:
    """Make a report of its data, with texts and nothing but texts where texts belong."""
    parts = []
    for part in data["parts"]:
        problem = part.get("problem")
        texts = {key: _text(part.get(key)) for key in ("name", "title", "hint")}
        if isinstance(problem, dict):
            problem = {key: _text(problem.get(key)) for key in ("label", "expected", "got")}
        elif problem is not None:
            raise ValueError("the report has a problem of an unknown form")
        points = {key: part[key] for key in ("points", "earned")}
        unfinished = part.get("unfinished") is True
        parts.append({**texts, **points, "problem": problem, "unfinished": unfinished})
    return Report.from_data({**data, "parts": parts})


def _text(value: Any) -> str:
    return value[:_MAX_TEXT] if isinstance(value, str) else ""


class SaveVerdicts(SaveAutoGrades):
    """nbgrader's SaveAutoGrades on verdicts, and all of a notebook's grades or none of them."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Judge the cells, show the verdicts in their outputs, save the grades."""
        tell(nb)
        ids = resources["nbgrader"]
        self.notebook_id, self.assignment_id = ids["notebook"], ids["assignment"]
        self.student_id = ids["student"]
        with Gradebook(ids["db_url"]) as self.gradebook:
            nb, resources = NbGraderPreprocessor.preprocess(self, nb, resources)
            self.gradebook.db.commit()
        return nb, resources

    def _add_score(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        """Set a cell's automatic score; a mark entered by hand stays, and is to be reviewed."""
        grade = self.gradebook.find_grade(*self._place_of(cell))
        # The outputs are the verdict's by now, so that nbgrader's own rule comes to its points.
        grade.auto_score, _ = utils.determine_grade(cell, self.log)
        grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None

    def _add_comment(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        comment = self.gradebook.find_comment(*self._place_of(cell))
        untouched = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
        comment.auto_comment = "No response." if untouched and not utils.is_task(cell) else None

    def _place_of(self, cell: NotebookNode) -> tuple[str, str, str, str]:
        name = cell.metadata.nbgrader.grade_id
        return name, self.notebook_id, self.assignment_id, self.student_id


def tell(nb: NotebookNode) -> None:
    """Judge every autograded cell of a notebook and put the verdict in place of its report."""
    verdicts = {}
    for cell in nb.cells:
        if is_autograded(cell):
            verdict = judge(cell)
            rest = [output for output in cell.outputs if not _is_told(output)]
            cell.outputs = verdict.outputs() + rest
            verdicts[verdict.grade_id] = verdict.data()
            if verdict.problem:
                add_flag(nb, f"no points, {verdict.problem}: {verdict.grade_id}")
    ours = nb.metadata.setdefault("tinytorch", NotebookNode())
    ours.verdicts = nbformat.from_dict(verdicts)


def _is_told(output: NotebookNode) -> bool:
    """Whether an output is a report or a result, which the verdict's own outputs replace."""
    return _has_report(output) or output.output_type == "execute_result"
