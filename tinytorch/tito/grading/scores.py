"""The marks of a class: what the gradebook holds, and what a person should know beside it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from nbgrader import utils
from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    Gradebook,
    MissingEntry,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)

from tinytorch.tito.course import Course, Module
from tinytorch.tito.errors import TitoError
from tinytorch.tito.flags import classmates
from tinytorch.tito.grading import converters, records
from tinytorch.tito.grading.cells import grade_id
from tinytorch.tito.grading.exporter import read_release
from tinytorch.tito.grading.intake import problem_with_id
from tinytorch.tito.grading.pipeline import submitted

Status = Literal["graded", "failed", "not graded", "missing"]


@dataclass(frozen=True)
class Row:
    """The marks of one student.

    Attributes
    ----------
    student : str
        Whose.
    status : {"graded", "failed", "not graded", "missing"}
        Whether there is a mark for what was handed in; "missing" where nothing was.
    points : dict of str to float or None
        By graded cell, in the order of the notebook; None where no one has marked it yet.
    maxima : dict of str to float
        What the cells are worth.
    needs_manual : tuple of str
        Cells that wait for a person.
    penalty : float
        Points taken for lateness.
    flags : tuple of str
        What a person should know.
    reason : str
        Why there is no mark, or the mark is not of the latest submission.
    """

    student: str
    status: Status
    points: dict[str, float | None]
    maxima: dict[str, float]
    needs_manual: tuple[str, ...] = ()
    penalty: float = 0.0
    flags: tuple[str, ...] = ()
    reason: str = ""

    @property
    def total(self) -> float:
        """Points of all cells together, less the penalty."""
        return max(0.0, sum(points or 0.0 for points in self.points.values()) - self.penalty)

    @property
    def max(self) -> float:
        """What all cells together are worth."""
        return sum(self.maxima.values())


@dataclass
class _Marks:
    """What the gradebook holds of one submission."""

    points: dict[str, float | None] = field(default_factory=dict)
    needs_manual: set[str] = field(default_factory=set)
    penalty: float = 0.0


def table(course: Course, module: Module) -> list[Row]:
    """Return the marks of every student who handed in or stands in the gradebook, by name.

    Raises
    ------
    TitoError
        If the module was not released.
    """
    release = read_release(course.release / module.name / f"{module.notebook}.ipynb")
    maxima = {
        name: float(cell.metadata.nbgrader.points)
        for cell in release.cells
        if (utils.is_grade(cell) or utils.is_task(cell)) and (name := grade_id(cell))
    }
    where = converters.course_directory(course, module, "*", course.nbgrader_config())
    with Gradebook(where.db_url, where.course_id) as book:
        marks = _marks(book, module)
        roster = {student.id for student in book.students}
    handed_in = set(submitted(course, module))
    alike = classmates.flags(classmates.load(course, module))
    return [
        _row(
            course,
            module,
            student,
            maxima,
            marks.get(student),
            student in handed_in,
            alike.get(student, ()),
        )
        for student in sorted(roster | handed_in)
    ]


def _marks(book: Gradebook, module: Module) -> dict[str, _Marks]:
    """Read the grades of all submissions in one query."""
    try:
        book.find_assignment(module.name)
    except MissingEntry as error:
        raise TitoError(
            f"the gradebook does not know {module.name}; make it with 'tito release {module.name}'."
        ) from error
    rows = (
        book.db.query(
            SubmittedAssignment.student_id,
            BaseCell.name,
            Grade.score,
            Grade.auto_score,
            Grade.manual_score,
            Grade.needs_manual_grade,
            SubmittedNotebook.late_submission_penalty,
        )
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, BaseCell.id == Grade.cell_id)
        .filter(Assignment.name == module.name, Notebook.name == module.notebook)
    )
    found: dict[str, _Marks] = {}
    for student, cell, score, auto, manual, waits, penalty in rows:
        marks = found.setdefault(student, _Marks())
        marks.points[cell] = None if auto is None and manual is None else score
        marks.penalty = penalty or 0.0
        if waits:
            marks.needs_manual.add(cell)
    return found


def _row(
    course: Course,
    module: Module,
    student: str,
    maxima: dict[str, float],
    marks: _Marks | None,
    handed_in: bool,
    alike: Sequence[str],
) -> Row:
    problem = problem_with_id(student)
    record = None if problem else records.load(course, module, student)
    status: Status = "graded" if marks else "not graded" if handed_in else "missing"
    reason, flags = "", (*(record.flags if record else ()), *alike)
    if problem:
        status, reason = "failed", f"the folder's name cannot be an id: {problem}"
    elif record and record.status == "failed":
        status, reason = "failed", record.reason
        if record.stale:
            flags = (*flags, "the mark is of an earlier submission")
    elif status == "not graded":
        reason = f"run 'tito grade {module.name}'"
    marks = marks or _Marks()
    return Row(
        student,
        status,
        {name: marks.points.get(name, None if handed_in else 0.0) for name in maxima},
        maxima,
        tuple(name for name in maxima if name in marks.needs_manual),
        marks.penalty,
        flags,
        reason,
    )


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Write marks as a table for a spreadsheet: a line for each student.

    Parameters
    ----------
    rows : sequence of Row
        What :func:`table` returns.
    path : Path
        The file to write.
    """
    cells = list(rows[0].points) if rows else []
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["student", "status", *cells, "penalty", "total", "max", "by hand", "flags", "reason"]
        )
        for row in rows:
            points = ["" if row.points[name] is None else row.points[name] for name in cells]
            notes = ["; ".join(row.needs_manual), "; ".join(row.flags), row.reason]
            writer.writerow(
                [row.student, row.status, *points, row.penalty, row.total, row.max, *notes]
            )
