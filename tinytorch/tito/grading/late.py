"""What a late submission costs: a policy for nbgrader, and penalties that follow the marks."""

from __future__ import annotations

import logging
import math
from datetime import datetime, timedelta

from nbgrader.api import (
    Assignment,
    Grade,
    MissingEntry,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import func, update
from traitlets import Float
from traitlets.config import Config

from tinytorch.tito.course import Course, Module
from tinytorch.tito.grading.gradebook import open_gradebook

_DAY = 24 * 60 * 60


class LatePolicy(LateSubmissionPlugin):
    """A percentage of the points earned for each day begun after the due date.

    Set it in ``nbgrader_config.py``; a policy of another kind is a subclass that returns the
    penalty in points from :meth:`late_submission_penalty`::

        c.AssignLatePenalties.plugin_class = "tinytorch.tito.grading.late.LatePolicy"
        c.LatePolicy.percent_per_day = 10
        c.LatePolicy.grace_minutes = 15
        c.LatePolicy.max_percent = 50
        c.LatePolicy.last_day = 7

    Lateness counts from the assignment's due date in the gradebook (set it in formgrader, or with
    ``nbgrader db assignment add 08_optimizers --duedate="2026-12-01 23:59 UTC"``) plus the
    student's extension, to the time in the submission's ``timestamp.txt``, which ``tito collect``
    writes. Without one of them nothing is late.
    """

    percent_per_day = Float(
        0.0, min=0.0, max=100.0, help="Percent of the points earned lost for each day begun."
    ).tag(config=True)
    grace_minutes = Float(
        0.0, min=0.0, help="Minutes after the due date that cost nothing; later, they count."
    ).tag(config=True)
    max_percent = Float(
        100.0, min=0.0, max=100.0, help="The most that the days up to the last day can cost."
    ).tag(config=True)
    last_day = Float(math.inf, min=0.0, help="Days after which a submission earns nothing.").tag(
        config=True
    )

    def percent(self, seconds: float) -> float:
        """Return the percentage of the points earned that so many seconds cost."""
        if seconds <= self.grace_minutes * 60:
            return 0.0
        if seconds > self.last_day * _DAY:
            return 100.0
        return min(self.max_percent, self.percent_per_day * math.ceil(seconds / _DAY))

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float:
        """Return the points that a submission loses; nbgrader calls this for each notebook."""
        return round(score * self.percent(total_seconds_late) / 100, 2)


def refresh(course: Course, module: Module) -> None:
    """Make the penalties in the gradebook those of the marks as they are now.

    nbgrader sets a penalty when it autogrades, before anybody marks the written answers, and
    before a due date or an extension is changed afterwards. Whoever reads marks calls this first.

    Parameters
    ----------
    course, module
        Whose policy, and which assignment.
    """
    config = course.nbgrader_config()
    policy = policy_of(config)
    with open_gradebook(course, config) as book:
        try:
            due = book.find_assignment(module.name).duedate
        except MissingEntry:
            return
        # One query for the class, and only the changes back: nbgrader's own objects take several
        # queries a student, and its expression for a score a search through all grades.
        rows = (
            book.db.query(
                SubmittedNotebook.id,
                func.sum(Grade.score),
                SubmittedNotebook.late_submission_penalty,
                SubmittedAssignment.student_id,
                SubmittedAssignment.timestamp,
                SubmittedAssignment.extension,
            )
            .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
            .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
            .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
            .filter(Assignment.name == module.name)
            .group_by(SubmittedNotebook.id, SubmittedAssignment.id)
        )
        changed = []
        for notebook, score, before, student, when, extension in rows:
            late = seconds_late(when, due, extension)
            penalty = _penalty(policy, student, score, late)
            if penalty != before:
                changed.append({"id": notebook, "late_submission_penalty": penalty})
        if changed:
            book.db.execute(update(SubmittedNotebook), changed)
            book.db.commit()


def seconds_late(when: datetime | None, due: datetime | None, extension: timedelta | None) -> float:
    """Return by how many seconds a submission is late; 0 without a time or a due date."""
    if when is None or due is None:
        return 0.0
    return max(0.0, (when - due - (extension or timedelta())).total_seconds())


def _penalty(policy: LateSubmissionPlugin, student: str, score: float, late: float) -> float | None:
    """Return what a notebook loses, as :class:`AssignLatePenalties` would note it."""
    penalty = policy.late_submission_penalty(student, score, late) if late else None
    return None if penalty is None else min(max(0.0, penalty), score)


def policy_of(config: Config) -> LateSubmissionPlugin:
    """Return the policy that the course's configuration names."""
    assigner = AssignLatePenalties(config=config)
    assigner.init_plugin()
    # nbgrader's own plugin tells every call.
    assigner.plugin_inst.log = logging.Logger("tito.late", logging.ERROR)
    return assigner.plugin_inst
