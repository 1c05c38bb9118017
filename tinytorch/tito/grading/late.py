"""What a late submission costs: a policy for nbgrader, and penalties that follow the marks."""

from __future__ import annotations

import logging
import math

from nbgrader.api import Gradebook, MissingEntry, SubmittedAssignment, SubmittedNotebook
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties
from traitlets import Float
from traitlets.config import Config

from tinytorch.tito.course import Course, Module
from tinytorch.tito.grading import converters

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


def seconds_late(submission: SubmittedAssignment) -> float:
    """Return by how many seconds a submission is late; 0 where no due date is set."""
    # nbgrader adds an extension to the due date before it looks whether there is one.
    return 0.0 if submission.assignment.duedate is None else submission.total_seconds_late


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
    where = converters.course_directory(course, module, "*", config)
    with Gradebook(where.db_url, where.course_id) as book:
        try:
            submissions = book.find_assignment(module.name).submissions
        except MissingEntry:
            return
        for submission in submissions:
            late = seconds_late(submission)
            for notebook in submission.notebooks:
                _set_penalty(policy, submission.student_id, notebook, late)
        book.db.commit()


def policy_of(config: Config) -> LateSubmissionPlugin:
    """Return the policy that the course's configuration names."""
    assigner = AssignLatePenalties(config=config)
    assigner.init_plugin()
    # nbgrader's own plugin tells every call.
    assigner.plugin_inst.log = logging.Logger("tito.late", logging.ERROR)
    return assigner.plugin_inst


def _set_penalty(
    policy: LateSubmissionPlugin, student: str, notebook: SubmittedNotebook, late: float
) -> None:
    """Set one notebook's penalty as :class:`AssignLatePenalties` would."""
    penalty = policy.late_submission_penalty(student, notebook.score, late) if late else None
    if penalty is not None:
        penalty = min(max(0.0, penalty), notebook.score)
    notebook.late_submission_penalty = penalty
