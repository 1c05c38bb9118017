"""Penalties for lateness follow times, marks, due dates and extensions."""

import csv
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.tito.small_course import configure, gradebook, mark_by_hand, nbgrader, statuses
from tito.course.roster import Person, Roster
from tito.gradebook import penalties, platforms

DUE = datetime(2026, 11, 20, 22, 0)
LATE = DUE + timedelta(hours=30)


@pytest.fixture
def stored(course, module):
    """Read the time and the penalty that the gradebook holds of a student."""

    def read(student):
        with gradebook(course) as book:
            submission = book.find_submission(module.name, student)
            return submission.timestamp, submission.notebooks[0].late_submission_penalty

    return read


def test_penalties_follow_marks_due_date_and_extension(
    course, module, hand_in, grade, rows, set_due, stored
):
    def late():
        return rows()["late"].penalty, rows()["late"].total

    set_due(DUE)
    hand_in("late", when=LATE)
    grade()  # 10 of 15 points, of which 10 % are taken for each day begun
    assert stored("late")[1] == 2.0 and late() == (2.0, 8.0)
    mark_by_hand(course, "late", "question-1", 5.0)
    assert late() == (3.0, 12.0)
    assert stored("late")[1] == 3.0, "as the table has it"
    with gradebook(course) as book:
        book.update_or_create_submission(module.name, "late", extension=timedelta(hours=29))
    assert late() == (1.5, 13.5)
    set_due(None)
    assert late() == (0.0, 15.0)


def test_unknown_assignment_is_left_alone(course, module):
    with gradebook(course) as book:
        book.remove_assignment(module.name)
    penalties.refresh(course, module)


def test_nbgrader_autograde_sets_the_same_penalties(
    course, module, hand_in, grade, set_due, stored
):
    configure(course, 'c.Exchange.timezone = "Europe/Berlin"')
    set_due(datetime(2026, 10, 24, 21, 59))  # 23:59 in Berlin; then winter time
    late = datetime(2026, 10, 25, 22, 58), 1.0
    expected = {
        "2026-10-25 23:58 CET": late,
        "2026-10-25 17:58:00 -0500": late,
        "2026-10-26 23:58 PST": (None, None),
    }
    stamps = [hand_in(student).with_name("timestamp.txt") for student in "abc"]
    for stamp, text in zip(stamps, expected, strict=True):
        stamp.write_text(text)
    grade()
    assert [stored(student) for student in "abc"] == [*expected.values()]
    assert nbgrader(course, "autograde", module.name, "--force").returncode == 0
    assert [stored(student) for student in "abc"] == [*expected.values()]
    stamps[0].unlink()
    assert nbgrader(course, "autograde", module.name, "--force", "--student=a").returncode == 0
    assert stored("a") == (None, None)


def test_timestamp_file_overrides_the_gradebook(
    course, module, hand_in, grade, rows, set_due, stored
):
    set_due(DUE)
    hand_in("ada")
    grade()
    with gradebook(course) as book:
        book.find_submission(module.name, "ada").timestamp = LATE
        book.db.commit()
    assert rows()["ada"].status == "not graded"
    assert statuses(grade()) == {"ada": "graded"}
    assert stored("ada") == (None, None)


def test_regrades_what_left_the_gradebook(course, module, hand_in, grade, rows):
    hand_in("ada")
    grade()
    with gradebook(course) as book:
        book.remove_submission(module.name, "ada")
    assert statuses(grade()) == {"ada": "graded"}
    assert rows()["ada"].total == 10.0


def test_nbgrader_export_refreshes_penalties(course, hand_in, grade, set_due):
    hand_in("late", when=LATE)
    grade()
    set_due(DUE)
    assert nbgrader(course, "export", "--to", "marks.csv").returncode == 0
    with (course.root / "marks.csv").open() as file:
        (line,) = csv.DictReader(file)
    assert (line["late_submission_penalty"], line["score"]) == ("2.0", "8.0")


def test_new_due_date_counts_for_unchanged_work(hand_in, grade, set_due, stored):
    hand_in("late", when=LATE)
    grade()
    set_due(DUE)
    assert statuses(grade()) == {"late": "skipped"}
    assert stored("late")[1] == 2.0


def test_uncertain_time_is_flagged_and_not_final(course, module, hand_in, grade, rows, set_due):
    set_due(DUE)
    (hand_in("ada").parent / "timestamp.txt").write_text("03.12.2026 10:00")
    grade()
    ada = rows()["ada"]
    assert (ada.status, ada.penalty, ada.uncertain_time) == ("graded", 0.0, True)
    assert ada.flags[0].startswith("timestamp.txt ignored, its time is not certain: '03.12.2026 1")
    people = Roster((Person("ada"),))
    sheet = platforms.Sheet(course, module, [ada], people, "Optimizers")
    assert "not certain" in sheet.left_out()["ada"]
    assert list(replace(sheet, provisional=True).left_out()) == []
    set_due(None)
    assert rows()["ada"].uncertain_time is False


def test_uncertain_time_after_grading_is_flagged(hand_in, grade, rows):
    folder = hand_in("ada").parent
    grade()
    (folder / "timestamp.txt").write_text("23:59")
    ada = rows()["ada"]
    assert ada.status == "graded" and "'23:59'" in ada.flags[0]
