"""By how much a submission is late, and what that costs: one pure function, :func:`lateness`."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from dateutil.tz import enfold, resolve_imaginary
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties
from traitlets import Float
from traitlets.config import Config

from tito.course.times import zone_of

_DAY = 24 * 60 * 60


class LatePolicy(LateSubmissionPlugin):
    """A percentage of the points earned for each day begun after the due date.

    Set it in ``nbgrader_config.py``; a policy of another kind is a subclass that returns the
    penalty in points from :meth:`late_submission_penalty`::

        c.AssignLatePenalties.plugin_class = "tito.course.lateness.LatePolicy"
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

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float:
        """Return the points that a submission loses; nbgrader calls this for each notebook."""
        if total_seconds_late <= self.grace_minutes * 60:
            return 0.0
        if total_seconds_late > self.last_day * _DAY:
            return round(score, 2)
        percent = self.percent_per_day * math.ceil(total_seconds_late / _DAY)
        return round(score * min(self.max_percent, percent) / 100, 2)


@dataclass(frozen=True)
class CoursePolicy:
    """The plugin that the course's configuration names, and the clock by which days are counted."""

    plugin: LateSubmissionPlugin
    zone: tzinfo

    @classmethod
    def of(cls, config: Config) -> CoursePolicy:
        """Return the policy of a course's configuration."""
        assigner = AssignLatePenalties(config=config)
        assigner.init_plugin()
        # nbgrader's own plugin logs every call.
        assigner.plugin_inst.log = logging.Logger("tito.lateness", logging.ERROR)
        return cls(assigner.plugin_inst, zone_of(config))


@dataclass(frozen=True)
class Lateness:
    """By how many seconds a submission is late: 0 if it is in time, or nobody can say."""

    seconds: float
    policy: CoursePolicy

    def penalty(self, student: str, score: float) -> float | None:
        """Return what it costs of a score, as nbgrader notes it: None where nothing is late."""
        if not self.seconds:
            return None
        cost = self.policy.plugin.late_submission_penalty(student, score, self.seconds)
        return None if cost is None else min(max(0.0, cost), score)


def lateness(
    when: datetime | None, due: datetime | None, extension: timedelta | None, policy: CoursePolicy
) -> Lateness:
    """Return how late a submission is; not at all without a time or a due date.

    A day late ends when the course's clock shows the time of the due date again, and counts as 24
    hours: one on which daylight saving begins or ends is no shorter and no longer. Less than a day
    is the time that passed. Times are in UTC without a zone, as in the gradebook.
    """
    if when is None or due is None:
        return Lateness(0.0, policy)
    end = extended(due, extension, policy.zone)
    if when <= end:
        return Lateness(0.0, policy)
    days = (when - end).days + 1
    while _days_after(end, days, policy.zone) > when:
        days -= 1
    rest = (when - _days_after(end, days, policy.zone)).total_seconds()
    return Lateness(days * _DAY + min(rest, _DAY), policy)


def extended(due: datetime, extension: timedelta | None, zone: tzinfo) -> datetime:
    """Return when work is due: whole days of an extension end at the same clock time."""
    more = extension or timedelta()
    return _days_after(due, more.days, zone) + (more - timedelta(more.days))


def _days_after(moment: datetime, days: int, zone: tzinfo) -> datetime:
    """Return when the clock shows the same time, so many days later; the later of two times."""
    if days == 0:
        return moment
    local = moment.replace(tzinfo=UTC).astimezone(zone) + timedelta(days)
    return resolve_imaginary(enfold(local, 1)).astimezone(UTC).replace(tzinfo=None)
