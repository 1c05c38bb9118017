"""From a graded cell's observations to points in the gradebook.

The points of a cell come from the verdict of :mod:`tito.scoring.exam` alone. Whatever
else a cell showed (a result, a report of its own, an error, nothing) decides nothing, and neither
does nbgrader's own rule, by which no output means full marks.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades

from tinytorch.checks import MIME_TYPE, Report
from tinytorch.checks.observe import OBSERVATION_TYPE
from tito.course.cells import add_flag, is_answered_beside, is_autograded
from tito.scoring.exam import Sitting


@dataclass(frozen=True)
class Verdict:
    """What a graded cell earned.

    Attributes
    ----------
    report : Report
        The verdict on every part.
    suspicious : tuple of str
        Parts that are right for the public inputs and wrong for fresh ones.
    """

    report: Report
    suspicious: tuple[str, ...] = ()

    def outputs(self) -> list[NotebookNode]:
        """Return the outputs that tell the verdict, the first of them to nbgrader itself.

        nbgrader takes the first result as partial credit, before it looks at what else a cell
        printed or raised.
        """
        report = self.report
        data = {"text/plain": str(report), "text/html": report.html(), MIME_TYPE: report.data()}
        result = {"text/plain": str(float(report.earned))}
        shown = {"output_type": "display_data", "metadata": {}, "data": data}
        told = {"output_type": "execute_result", "metadata": {}, "data": result}
        return [nbformat.from_dict(shown), nbformat.from_dict({**told, "execution_count": None})]


def judge(cell: NotebookNode, sitting: Sitting) -> Verdict:
    """Judge an autograded cell by what was observed when it ran."""
    report, suspicious = sitting.verdict(cell)
    return Verdict(report, tuple(suspicious))


class SaveVerdicts(SaveAutoGrades):
    """nbgrader's SaveAutoGrades on verdicts, and all of a notebook's grades or none of them."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Judge the cells, show the verdicts in their outputs, save the grades."""
        tell(nb, resources["sitting"])
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
        grade.auto_score = automatic_score(cell, self.log)
        grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None

    def _add_comment(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        comment = self.gradebook.find_comment(*self._place_of(cell))
        comment.auto_comment = automatic_comment(cell)

    def _place_of(self, cell: NotebookNode) -> tuple[str, str, str, str]:
        name = cell.metadata.nbgrader.grade_id
        return name, self.notebook_id, self.assignment_id, self.student_id


def automatic_comment(cell: NotebookNode) -> str | None:
    """Return what is said of a cell that a student should have written, if anything."""
    untouched = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
    silent = untouched and not utils.is_task(cell) and not is_answered_beside(cell)
    return "No response." if silent else None


def automatic_score(cell: NotebookNode, log: logging.Logger) -> float | None:
    """Return the points of a judged cell, by nbgrader's rule; None where a person marks."""
    # The outputs are the verdict's by now, so that nbgrader's own rule comes to its points.
    return None if is_answered_beside(cell) else utils.determine_grade(cell, log)[0]


def tell(nb: NotebookNode, sitting: Sitting) -> None:
    """Judge every autograded cell of a notebook and put the verdict in its outputs."""
    verdicts = {}
    for cell in nb.cells:
        if is_autograded(cell):
            verdict = judge(cell, sitting)
            rest = [output for output in cell.outputs if not _is_evidence(output)]
            for output in rest:
                if output.output_type == "error":  # a traceback quotes the course's own lines
                    output.traceback = [f"{output.ename}: {output.evalue}"]
            cell.outputs = verdict.outputs() + rest
            fresh = {"wrong_on_fresh": list(verdict.suspicious)}
            verdicts[verdict.report.grade_id] = {**verdict.report.data(), **fresh}
            for part in verdict.suspicious:
                name = verdict.report.grade_id
                add_flag(nb, f"right on the public inputs, wrong on fresh ones: {name}, {part}")
    ours = nb.metadata.setdefault("tinytorch", NotebookNode())
    ours.verdicts = nbformat.from_dict(verdicts)
    ours.seed = sitting.exam.seed


def _is_evidence(output: NotebookNode) -> bool:
    """Whether an output is of the kinds that only the verdict may speak in."""
    types = output.get("data", {})
    return OBSERVATION_TYPE in types or MIME_TYPE in types or output.output_type == "execute_result"
