"""What a late submission costs: a policy for nbgrader, and penalties that follow the marks.

Lateness is one function of times, extension and the course's clock, :func:`seconds_late`, and its
price another, :func:`penalty`; whoever grades, collects or shows marks calls these.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from dateutil.tz import enfold, resolve_imaginary
from nbgrader.api import (
    Assignment,
    Grade,
    Gradebook,
    MissingEntry,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.plugins import CsvExportPlugin, LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import func, select, update
from traitlets import Float
from traitlets.config import Config

from tito.course import Course, Module
from tito.course.gradebook import open_gradebook
from tito.course.times import zone_of

_DAY = 24 * 60 * 60


class LatePolicy(LateSubmissionPlugin):
    """A percentage of the points earned for each day begun after the due date.

    Set it in ``nbgrader_config.py``; a policy of another kind is a subclass that returns the
    penalty in points from :meth:`late_submission_penalty`::

        c.AssignLatePenalties.plugin_class = "tito.course.late.LatePolicy"
        c.LatePolicy.percent_per_day = 10
        c.LatePolicy.grace_minutes = 15
        c.LatePolicy.max_percent = 50
        c.LatePolicy.last_day = 7

    Lateness counts from the assignment's due date in the gradebook (set it in formgrader, or with
    ``nbgrader db assignment add 08_optimizers --duedate="2026-12-01 23:59 UTC"``) plus the
    student's extension, to the time in the submission's ``timestamp.txt``, which ``tito collect``
    writes. Without one of them nothing is late. Days are those of ``c.Exchange.timezone``.
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


@dataclass(frozen=True)
class Policy:
    """What lateness costs in a course.

    Attributes
    ----------
    plugin : LateSubmissionPlugin
        Which the configuration names.
    zone : tzinfo
        By whose clock days are counted.
    """

    plugin: LateSubmissionPlugin
    zone: tzinfo


def policy_of(config: Config) -> Policy:
    """Return the policy of a course's configuration."""
    assigner = AssignLatePenalties(config=config)
    assigner.init_plugin()
    # nbgrader's own plugin tells every call.
    assigner.plugin_inst.log = logging.Logger("tito.late", logging.ERROR)
    return Policy(assigner.plugin_inst, zone_of(config))


def due_with(due: datetime, extension: timedelta | None, zone: tzinfo) -> datetime:
    """Return when a student's work is due: whole days of an extension end at the same clock time.

    All times are in UTC without a zone, as in the gradebook.
    """
    more = extension or timedelta()
    return _days_after(due, more.days, zone) + (more - timedelta(more.days))


def seconds_late(
    when: datetime | None, due: datetime | None, extension: timedelta | None, zone: tzinfo
) -> float:
    """Return by how many seconds a submission is late; 0 without a time or a due date.

    A day late ends when the zone's clock shows the time of the due date again, and counts as 24
    hours: one on which daylight saving begins or ends is no shorter and no longer. Less than a day
    is the time that passed.
    """
    if when is None or due is None:
        return 0.0
    end = due_with(due, extension, zone)
    if when <= end:
        return 0.0
    days = (when - end).days + 1
    while _days_after(end, days, zone) > when:
        days -= 1
    rest = (when - _days_after(end, days, zone)).total_seconds()
    return days * _DAY + min(rest, _DAY)


def _days_after(moment: datetime, days: int, zone: tzinfo) -> datetime:
    """Return when the clock shows the same time, so many days later; the later of two times."""
    if days == 0:
        return moment
    local = moment.replace(tzinfo=UTC).astimezone(zone) + timedelta(days)
    return resolve_imaginary(enfold(local, 1)).astimezone(UTC).replace(tzinfo=None)


def penalty(policy: Policy, student: str, score: float, late: float) -> float | None:
    """Return what so many seconds cost of a score, as nbgrader would note it."""
    cost = policy.plugin.late_submission_penalty(student, score, late) if late else None
    return None if cost is None else min(max(0.0, cost), score)


def refresh(course: Course, module: Module) -> None:
    """Make the penalties in the gradebook those of the marks as they are now.

    nbgrader sets a penalty when it autogrades, before anybody marks the written answers, and
    before a due date or an extension is changed afterwards. Whoever reads or changes marks calls
    this.

    Parameters
    ----------
    course, module
        Whose policy, and which assignment.
    """
    config = course.nbgrader_config()
    policy = policy_of(config)
    with open_gradebook(course, config) as book:
        try:
            assignment = book.find_assignment(module.name).id
        except MissingEntry:
            return
        set_penalties(book.db, assignment, policy)
        book.db.commit()


def set_penalties(
    db: Any, assignment: str, policy: Policy, notebooks: Sequence[str] | None = None
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
    for notebook, score, before, student, *times in db.execute(statement):
        when, due, extension = times
        cost = penalty(policy, student, score, seconds_late(when, due, extension, policy.zone))
        if cost != before:
            changed.append({"id": notebook, "late_submission_penalty": cost})
    if changed:
        db.execute(update(SubmittedNotebook), changed)


class CurrentCsvExport(CsvExportPlugin):
    """``nbgrader export`` with the penalties of the marks, due dates and extensions of now."""

    def export(self, gradebook: Gradebook) -> None:
        """Refresh all penalties, then write."""
        policy = policy_of(self.config)
        for assignment in gradebook.assignments:
            set_penalties(gradebook.db, assignment.id, policy)
        gradebook.db.commit()
        super().export(gradebook)
