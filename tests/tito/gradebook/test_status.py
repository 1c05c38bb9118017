"""Where a class stands, from files and the gradebook."""

import os

import pytest

from tests.tito.small_course import gradebook
from tito.gradebook import records, status
from tito.gradebook.records import Record


@pytest.fixture(autouse=True)
def no_export(monkeypatch):
    """Exporting is another test's business, and slow."""
    monkeypatch.setattr(status, "exported", lambda course, module: "yes")


def at(path, time):
    os.utime(path, (time, time))


def test_each_student_is_counted_where_the_work_stands(course, module, hand_in):
    for number, student in enumerate(["new", "graded", "changed", "sent", "old page", "failed"]):
        at(hand_in(student), 100)
        if student != "new":
            kind = "failed" if student == "failed" else "graded"
            records.save(course, module, Record(student, kind))
            at(records.path_of(course, module, student), 200 + number)
    (course.submitted / ".grading-x" / module.name).mkdir(parents=True)
    hand_in("changed", "{}")
    for student, time in (("sent", 300), ("old page", 150)):
        page = course.feedback / student / module.name / f"{module.notebook}.html"
        page.parent.mkdir(parents=True)
        page.touch()
        at(page, time)
    (found,) = status.modules(course)
    assert found == status.ModuleStatus(
        found.module, exported="yes", released="yes", submitted=6, graded=4, failed=1, changed=1,
        to_grade_by_hand=0, feedback=2, old_feedback=1,
    )  # fmt: skip


def test_waiting_students_are_counted_once(course, module, hand_in, grade):
    for student in ("ada", "ben", "cyd"):
        hand_in(student)
    grade()
    assert status.modules(course)[0].to_grade_by_hand == 0
    waiting = [("ada", "question-1"), ("ada", "test-double"), ("ben", "question-1")]
    with gradebook(course) as book:
        for student, name in waiting:
            found = book.find_grade(name, module.notebook, module.name, student)
            found.needs_manual_grade = True
        book.db.commit()
    assert status.modules(course)[0].to_grade_by_hand == 2
