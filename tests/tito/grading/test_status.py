"""Where a class stands, from files and the gradebook."""

import os
from dataclasses import replace

import pytest

from tinytorch.tito import status
from tinytorch.tito.grading import records
from tinytorch.tito.grading.records import Record


@pytest.fixture(autouse=True)
def no_export(monkeypatch):
    """Exporting is another test's business, and slow."""
    monkeypatch.setattr(status, "_exported", lambda course, module: "yes")


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
    assert replace(found, module="") == status.ModuleStatus(
        module="",
        exported="yes",
        released="yes",
        submitted=6,
        graded=4,
        failed=1,
        changed=1,
        to_grade_by_hand=0,
        feedback=2,
        old_feedback=1,
    )
