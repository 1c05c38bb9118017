"""Lateness: what it costs, through nbgrader's own gradebook and preprocessor."""

from datetime import datetime, timedelta

import pytest
from nbgrader.api import Gradebook

from tinytorch.tito.grading import late, pipeline, scores
from tinytorch.tito.grading.late import LatePolicy

DUE = datetime(2026, 11, 20, 22, 0)
DAY = 24 * 60 * 60


@pytest.mark.parametrize(
    ("seconds", "percent"),
    [(0, 0), (900, 0), (901, 10), (DAY, 10), (DAY + 1, 20), (4 * DAY, 35), (7 * DAY + 1, 100)],
)
def test_each_day_begun_costs_its_percentage(seconds, percent):
    policy = LatePolicy(percent_per_day=10, grace_minutes=15, max_percent=35, last_day=7)
    assert policy.percent(seconds) == percent
    assert policy.late_submission_penalty("ada", 80.0, seconds) == 0.8 * percent


def test_a_policy_that_nobody_set_takes_nothing():
    assert LatePolicy().late_submission_penalty("ada", 80.0, 3 * DAY) == 0


@pytest.mark.parametrize("name", ["percent_per_day", "grace_minutes", "max_percent", "last_day"])
def test_a_negative_setting_is_refused(name):
    with pytest.raises(Exception, match=name):
        LatePolicy(**{name: -1})


def gradebook(course):
    return Gradebook(course.nbgrader_config().CourseDirectory.db_url)


def set_due(course, module, due):
    with gradebook(course) as book:
        book.update_or_create_assignment(module.name, duedate=due)


def totals(course, module):
    rows = scores.table(course, module)
    return {row.student: (row.penalty, row.total) for row in rows}


def test_penalties_follow_time_marks_due_date_and_extension(course, module, hand_in):
    """One submission, graded once: 10 of 15 points by the tests, an answer to mark by hand."""
    set_due(course, module, DUE)
    folder = hand_in("late").parent
    (folder / "timestamp.txt").write_text(f"{DUE + timedelta(hours=30)} UTC\n")
    pipeline.grade(course, module)

    # nbgrader's preprocessor has used the policy of nbgrader_config.py: 10 % for each day begun.
    with gradebook(course) as book:
        stored = book.find_submission_notebook(module.notebook, module.name, "late")
        assert stored.late_submission_penalty == 2.0
    assert totals(course, module)["late"] == (2.0, 8.0)

    # A person marks the answer: the penalty is of all points earned, also in the gradebook.
    with gradebook(course) as book:
        grade = book.find_grade("question-1", module.notebook, module.name, "late")
        grade.manual_score, grade.needs_manual_grade = 5.0, False
        book.db.commit()
    assert totals(course, module)["late"] == (3.0, 12.0)
    with gradebook(course) as book:
        stored = book.find_submission_notebook(module.notebook, module.name, "late")
        assert stored.late_submission_penalty == 3.0
        book.update_or_create_submission(module.name, "late", extension=timedelta(hours=29))
    assert totals(course, module)["late"] == (1.5, 13.5)

    set_due(course, module, None)
    assert {penalty for penalty, _ in totals(course, module).values()} == {0.0}


def test_an_assignment_that_is_not_in_the_gradebook_is_left_alone(course, module):
    with gradebook(course) as book:
        book.remove_assignment(module.name)
    late.refresh(course, module)
