"""Lateness: what it costs, through nbgrader's own gradebook and preprocessor."""

import csv
import math
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from dateutil.tz import gettz
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.api import Gradebook

from tito.autograde import grade_class
from tito.course import late
from tito.course.late import LatePolicy
from tito.course.roster import Person, Roster
from tito.gradebook import platforms, scores

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
    grade_class.grade(course, module)

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


BERLIN = gettz("Europe/Berlin")
#: 23:59 in Berlin, in summer time and in winter time; a day later the clock has been changed.
BEFORE_WINTER, BEFORE_SUMMER = datetime(2026, 10, 24, 21, 59), datetime(2026, 3, 28, 22, 59)


@pytest.mark.parametrize(
    ("due", "when", "days"),
    [
        (BEFORE_WINTER, datetime(2026, 10, 25, 22, 58), 1),  # 23:58 the next day, 24 h 59 min
        (BEFORE_WINTER, datetime(2026, 10, 25, 23, 0), 2),
        (BEFORE_SUMMER, datetime(2026, 3, 29, 21, 59), 1),  # 23:59 the next day, 23 h
        (BEFORE_SUMMER, datetime(2026, 3, 29, 22, 0), 2),
        (BEFORE_WINTER, datetime(2026, 10, 31, 22, 59), 7),  # 23:59 a week later
        (BEFORE_WINTER, datetime(2026, 10, 31, 23, 0), 8),
    ],
)
def test_a_day_late_ends_when_the_clock_shows_the_due_time_again(due, when, days):
    assert math.ceil(late.seconds_late(when, due, None, BERLIN) / DAY) == days


def test_less_than_a_day_is_the_time_that_passed_whatever_the_clock_shows():
    due = datetime(2026, 10, 25, 0, 30)  # 02:30, for the first time
    assert late.seconds_late(due + timedelta(minutes=40), due, None, BERLIN) == 40 * 60
    assert late.seconds_late(due, due, None, BERLIN) == 0
    assert late.seconds_late(None, due, None, BERLIN) == 0
    assert late.seconds_late(due, None, None, BERLIN) == 0


def test_days_of_an_extension_end_at_the_same_clock_time():
    extension = timedelta(days=1, hours=2)
    assert late.due_with(BEFORE_WINTER, extension, BERLIN) == datetime(2026, 10, 26, 0, 59)
    when = datetime(2026, 10, 26, 0, 59)
    assert late.seconds_late(when, BEFORE_WINTER, extension, BERLIN) == 0


@given(
    st.integers(0, 400 * 24 * 60),
    st.integers(0, 20 * 24 * 60),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
)
def test_days_by_the_clock_are_days_by_the_hour_but_for_an_hour(due, minutes, zone):
    due = datetime(2026, 1, 1) + timedelta(minutes=due)
    seconds = late.seconds_late(due + timedelta(minutes=minutes), due, None, gettz(zone))
    assert abs(seconds - minutes * 60) <= 3600
    assert zone != "UTC" or seconds == minutes * 60


def tool(course, *arguments):
    """Run nbgrader's own command in the course, which has no isolation and needs none here."""
    program = Path(sys.executable).with_name("nbgrader")
    ran = subprocess.run(
        [program, *arguments], cwd=course.root, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran


def stored_penalty(course, module, student):
    with gradebook(course) as book:
        submission = book.find_submission(module.name, student)
        return submission.timestamp, submission.notebooks[0].late_submission_penalty


def test_nbgrader_s_own_command_counts_the_same_times_and_the_same_days(course, module, hand_in):
    with (course.root / "nbgrader_config.py").open("a") as file:
        file.write('c.Exchange.timezone = "Europe/Berlin"\n')
    set_due(course, module, BEFORE_WINTER)
    written = {
        "day": ("2026-10-25 23:58 CET", datetime(2026, 10, 25, 22, 58)),
        "offset": ("2026-10-25 17:58:00 -0500", datetime(2026, 10, 25, 22, 58)),
        "unclear": ("2026-10-26 23:58 PST", None),
    }
    for student, (text, _) in written.items():
        (hand_in(student).parent / "timestamp.txt").write_text(text)
    expected = {s: (when, 1.0 if when else None) for s, (_, when) in written.items()}
    tool(course, "autograde", module.name)
    assert {s: stored_penalty(course, module, s) for s in written} == expected
    grade_class.grade(course, module)
    assert {s: stored_penalty(course, module, s) for s in written} == expected


def test_a_time_that_was_taken_away_takes_its_penalty_along_in_both_ways(course, module, hand_in):
    set_due(course, module, DUE)
    stamp = hand_in("late").parent / "timestamp.txt"
    stamp.write_text(f"{DUE + timedelta(hours=30)} UTC\n")
    grade_class.grade(course, module)
    stamp.unlink()
    tool(course, "autograde", module.name, "--force")
    assert stored_penalty(course, module, "late") == (None, None)
    stamp.write_text(f"{DUE + timedelta(hours=30)} UTC\n")
    tool(course, "autograde", module.name, "--force")
    assert stored_penalty(course, module, "late")[1] == 2.0


def test_the_gradebook_s_time_says_what_was_graded(course, module, hand_in):
    """Whoever entered another time there: the file beside the work holds."""
    set_due(course, module, DUE)
    hand_in("ada")
    grade_class.grade(course, module)
    with gradebook(course) as book:
        book.find_submission(module.name, "ada").timestamp = DUE + timedelta(hours=30)
        book.db.commit()
    assert scores.table(course, module)[0].status == "not graded"
    assert [outcome.status for outcome in grade_class.grade(course, module).outcomes] == ["graded"]
    assert stored_penalty(course, module, "ada") == (None, None)


def test_a_mark_that_left_the_gradebook_is_made_again(course, module, hand_in):
    hand_in("ada")
    grade_class.grade(course, module)
    with gradebook(course) as book:
        book.remove_submission(module.name, "ada")
    assert [outcome.status for outcome in grade_class.grade(course, module).outcomes] == ["graded"]
    assert scores.table(course, module)[0].total == 10.0


def test_nbgrader_s_export_has_the_penalties_of_now(course, module, hand_in):
    folder = hand_in("late").parent
    (folder / "timestamp.txt").write_text(f"{DUE + timedelta(hours=30)} UTC\n")
    grade_class.grade(course, module)
    set_due(course, module, DUE)
    tool(course, "export", "--to", "marks.csv")
    with (course.root / "marks.csv").open() as file:
        (line,) = csv.DictReader(file)
    assert (line["late_submission_penalty"], line["score"]) == ("2.0", "8.0")


def test_grading_again_lets_a_new_due_date_count_for_what_is_unchanged(course, module, hand_in):
    folder = hand_in("late").parent
    (folder / "timestamp.txt").write_text(f"{DUE + timedelta(hours=30)} UTC\n")
    grade_class.grade(course, module)
    set_due(course, module, DUE)
    assert [outcome.status for outcome in grade_class.grade(course, module).outcomes] == ["skipped"]
    assert stored_penalty(course, module, "late")[1] == 2.0


def test_a_time_that_is_not_certain_is_flagged_and_no_final_mark(course, module, hand_in):
    set_due(course, module, DUE)
    (hand_in("ada").parent / "timestamp.txt").write_text("03.12.2026 10:00")
    grade_class.grade(course, module)
    (ada,) = scores.table(course, module)
    assert (ada.status, ada.penalty, ada.uncertain_time) == ("graded", 0.0, True)
    assert ada.flags[0].startswith("timestamp.txt ignored, its time is not certain: '03.12.2026 1")
    people = Roster((Person("ada"),))
    sheet = platforms.Sheet(course, module, [ada], people, "Optimizers")
    assert "not certain" in sheet.left_out()["ada"]
    assert list(replace(sheet, provisional=True).left_out()) == []
    set_due(course, module, None)
    assert scores.table(course, module)[0].uncertain_time is False


def test_a_doubt_that_came_after_the_grading_is_flagged_too(course, module, hand_in):
    folder = hand_in("ada").parent
    grade_class.grade(course, module)
    (folder / "timestamp.txt").write_text("23:59")
    (ada,) = scores.table(course, module)
    assert ada.status == "graded" and "'23:59'" in ada.flags[0]
