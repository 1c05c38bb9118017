"""Penalties for lateness follow times, marks, due dates and extensions."""

import csv
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from nbgrader.api import Gradebook

from tito.autograde import grade_class
from tito.course.roster import Person, Roster
from tito.gradebook import penalties, platforms, scores

DUE = datetime(2026, 11, 20, 22, 0)


def gradebook(course):
    return Gradebook(course.nbgrader_config().CourseDirectory.db_url)


def set_due(course, module, due):
    with gradebook(course) as book:
        book.update_or_create_assignment(module.name, duedate=due)


def totals(course, module):
    rows = scores.table(course, module)
    return {row.student: (row.penalty, row.total) for row in rows}


def test_penalties_follow_marks_due_date_and_extension(course, module, hand_in):
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


def test_unknown_assignment_is_left_alone(course, module):
    with gradebook(course) as book:
        book.remove_assignment(module.name)
    penalties.refresh(course, module)


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


def test_nbgrader_autograde_sets_the_same_penalties(course, module, hand_in):
    with (course.root / "nbgrader_config.py").open("a") as file:
        file.write('c.Exchange.timezone = "Europe/Berlin"\n')
    set_due(course, module, datetime(2026, 10, 24, 21, 59))  # 23:59 in Berlin; then winter time
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


def test_removing_the_timestamp_removes_the_penalty(course, module, hand_in):
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


def test_timestamp_file_overrides_the_gradebook(course, module, hand_in):
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


def test_regrades_what_left_the_gradebook(course, module, hand_in):
    hand_in("ada")
    grade_class.grade(course, module)
    with gradebook(course) as book:
        book.remove_submission(module.name, "ada")
    assert [outcome.status for outcome in grade_class.grade(course, module).outcomes] == ["graded"]
    assert scores.table(course, module)[0].total == 10.0


def test_nbgrader_export_refreshes_penalties(course, module, hand_in):
    folder = hand_in("late").parent
    (folder / "timestamp.txt").write_text(f"{DUE + timedelta(hours=30)} UTC\n")
    grade_class.grade(course, module)
    set_due(course, module, DUE)
    tool(course, "export", "--to", "marks.csv")
    with (course.root / "marks.csv").open() as file:
        (line,) = csv.DictReader(file)
    assert (line["late_submission_penalty"], line["score"]) == ("2.0", "8.0")


def test_new_due_date_counts_for_unchanged_work(course, module, hand_in):
    folder = hand_in("late").parent
    (folder / "timestamp.txt").write_text(f"{DUE + timedelta(hours=30)} UTC\n")
    grade_class.grade(course, module)
    set_due(course, module, DUE)
    assert [outcome.status for outcome in grade_class.grade(course, module).outcomes] == ["skipped"]
    assert stored_penalty(course, module, "late")[1] == 2.0


def test_uncertain_time_is_flagged_and_not_final(course, module, hand_in):
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


def test_uncertain_time_after_grading_is_flagged(course, module, hand_in):
    folder = hand_in("ada").parent
    grade_class.grade(course, module)
    (folder / "timestamp.txt").write_text("23:59")
    (ada,) = scores.table(course, module)
    assert ada.status == "graded" and "'23:59'" in ada.flags[0]
