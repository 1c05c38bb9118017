"""No mark depends on demonstrations that are left out, whatever students do with them."""

import os
import shutil

from tests.submissions.notebook import Work
from tests.submissions.varied import varied
from tito.authoring.source import read_notebook
from tito.autograde import grade_class, sample
from tito.course import Course
from tito.gradebook import records
from tito.scoring import check_plan

#: The full form is TITO_VARIED=105.
STUDENTS = int(os.environ.get("TITO_VARIED", "8"))


def test_marks_are_the_same_with_and_without(real_course, tmp_path, monkeypatch):
    course = Course(shutil.copytree(real_course.root, tmp_path / "course"))
    module = course.module("08_optimizers")
    for number in range(STUDENTS):
        work = varied(Work(course, module), number)
        folder = course.submitted / f"student-{number:03}" / module.name
        folder.mkdir(parents=True)
        (folder / work.file).write_text(work.text())
    monkeypatch.setattr(sample, "AT_LEAST", STUDENTS)
    run = grade_class.grade(course, module, seed=1)
    found = {student: records.load(course, module, student) for student in course.students(module)}
    assert len(run.graded) == len(found) == STUDENTS
    assert {s: r.audit for s, r in found.items() if r.audit not in ("", "equal")} == {}
    assert {
        student for student, record in found.items() if not (record.audit or record.whole)
    } == set()
    shortened = [record for record in found.values() if record.audit == "equal"]
    assert len(shortened) >= STUDENTS / 4


def test_who_changes_a_demonstration_does_not_run_them_all(real_course):
    module = real_course.module("08_optimizers")
    plan = check_plan.prepare(
        read_notebook(real_course.source_notebook(module)), seed=1, answers="{}"
    )
    work = Work(real_course, module).solve()
    given = [cell.source.strip() for cell in work.demonstrations()]
    for cell in work.demonstrations():
        before, cell.source = cell.source, f"{cell.source}\n# of mine"
        found = plan.leave_out(work.notebook, frozenset(given))
        assert len(found.cells) > len(given) / 2, (before, found.reason)
        cell.source = before
