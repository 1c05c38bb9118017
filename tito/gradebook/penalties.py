"""Penalties for lateness in the gradebook, which follow marks, due dates and extensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbgrader.api import (
    Assignment,
    Grade,
    Gradebook,
    MissingEntry,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.plugins import CsvExportPlugin
from sqlalchemy import func, select, update

from tito.course import Course, Module
from tito.course.gradebook import open_gradebook
from tito.course.lateness import CoursePolicy, lateness


def refresh(course: Course, module: Module) -> None:
    """Make the penalties in the gradebook those of the marks as they are now.

    nbgrader sets a penalty when it autogrades, before anybody marks the written answers, and
    before a due date or an extension is changed afterwards. Whoever reads or changes marks calls
    this.
    """
    config = course.nbgrader_config()
    with open_gradebook(course, config) as book:
        try:
            assignment = book.find_assignment(module.name).id
        except MissingEntry:
            return
        set_penalties(book.db, assignment, CoursePolicy.of(config))
        book.db.commit()


def set_penalties(
    db: Any, assignment: str, policy: CoursePolicy, notebooks: Sequence[str] | None = None
) -> None:
    """Write the penalties of an assignment's submitted notebooks, or of some; do not commit."""
    # One query for the class, and only the changes back: nbgrader's own objects take several
    # queries a student, and its expression for a score a search through all grades.
    statement = (
        select(
            SubmittedNotebook.id,
            func.sum(Grade.score),
            SubmittedNotebook.late_submission_penalty,
            SubmittedAssignment.student_id,
            SubmittedAssignment.timestamp,
            Assignment.duedate,
            SubmittedAssignment.extension,
        )
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .where(Assignment.id == assignment)
        .group_by(SubmittedNotebook.id, SubmittedAssignment.id, Assignment.id)
    )
    if notebooks is not None:
        statement = statement.where(SubmittedNotebook.id.in_(notebooks))
    changed = []
    for notebook, score, before, student, when, due, extension in db.execute(statement):
        penalty = lateness(when, due, extension, policy).penalty(student, score)
        if penalty != before:
            changed.append({"id": notebook, "late_submission_penalty": penalty})
    if changed:
        db.execute(update(SubmittedNotebook), changed)


class CurrentCsvExport(CsvExportPlugin):
    """``nbgrader export`` with the penalties of the marks, due dates and extensions of now."""

    def export(self, gradebook: Gradebook) -> None:
        """Refresh all penalties, then write."""
        policy = CoursePolicy.of(self.config)
        for assignment in gradebook.assignments:
            set_penalties(gradebook.db, assignment.id, policy)
        gradebook.db.commit()
        super().export(gradebook)
