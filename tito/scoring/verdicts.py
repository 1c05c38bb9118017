"""From a graded cell's observations to its points, and to what a notebook shows of them.

The points of a cell come from the verdict of its :mod:`tito.scoring.judging` alone. Whatever else a
cell showed (a result, a report of its own, an error, nothing) decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode

from tinytorch.checks import MIME_TYPE, Report
from tinytorch.checks.publish import OBSERVATION_TYPE
from tito.course.cells import (
    add_flag,
    checksum_of,
    grade_id,
    is_answered_beside,
    is_autograded,
    is_grade,
    is_solution,
    is_task,
)
from tito.scoring.judging import Session


@dataclass(frozen=True)
class Verdict:
    """What a graded cell earned."""

    #: The verdict on every part.
    report: Report
    #: Parts that are right for the public inputs and wrong for fresh ones.
    suspicious: tuple[str, ...] = ()
    #: Where it was found.
    where: str = ""

    def output(self) -> NotebookNode:
        """Return the output that shows the verdict."""
        report = self.report
        data = {"text/plain": str(report), "text/html": report.html(), MIME_TYPE: report.data()}
        return nbformat.from_dict({"output_type": "display_data", "metadata": {}, "data": data})


Verdicts = Mapping[str, Verdict]


def judge(nb: NotebookNode, session: Session) -> dict[str, Verdict]:
    """Return the verdict on every autograded cell of a notebook, by what was observed."""
    judged = (session.verdict(cell) for cell in nb.cells if is_autograded(cell))
    return {
        report.grade_id: Verdict(report, tuple(fresh), session.where) for report, fresh in judged
    }


def write_verdicts(nb: NotebookNode, verdicts: Verdicts) -> None:
    """Put verdicts into the outputs of their cells, and flags into the notebook."""
    for cell in nb.cells:
        if is_autograded(cell):
            verdict = verdicts[grade_id(cell) or ""]
            rest = [output for output in cell.outputs if not _is_evidence(output)]
            for output in rest:
                if output.output_type == "error":  # a traceback quotes the course's own lines
                    output.traceback = [f"{output.ename}: {output.evalue}"]
            cell.outputs = [verdict.output(), *rest]
            for part in verdict.suspicious:
                name = verdict.report.grade_id
                add_flag(nb, f"right on the public inputs, wrong on fresh ones: {name}, {part}")


def _is_evidence(output: NotebookNode) -> bool:
    """Whether an output is of the kinds that only the verdict may speak in."""
    types = output.get("data", {})
    return OBSERVATION_TYPE in types or MIME_TYPE in types or output.output_type == "execute_result"


def scores(nb: NotebookNode, verdicts: Verdicts) -> dict[str, float | None]:
    """Return the automatic score of each graded cell; None where a person marks.

    A written answer that was left as it was released earns 0 unseen, as with nbgrader.
    """
    scores: dict[str, float | None] = {}
    for cell in filter(is_grade, nb.cells):
        name = cell.metadata.nbgrader.grade_id
        if name in verdicts:
            scores[name] = float(verdicts[name].report.earned)
        else:
            is_empty = is_solution(cell) and _is_untouched(cell)
            scores[name] = 0.0 if is_empty and not is_answered_beside(cell) else None
    return scores


def comments(nb: NotebookNode) -> dict[str, str | None]:
    """Return the automatic comment on each cell that a student should have written."""
    return {
        cell.metadata.nbgrader.grade_id: (
            "No response."
            if _is_untouched(cell) and not is_task(cell) and not is_answered_beside(cell)
            else None
        )
        for cell in nb.cells
        if is_solution(cell) or is_task(cell)
    }


def _is_untouched(cell: NotebookNode) -> bool:
    return bool(cell.metadata.nbgrader.get("checksum") == checksum_of(cell))
