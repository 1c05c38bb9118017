"""`nbgrader autograde` gives what `tito grade` gives, and each goes on where the other ended."""

import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from tests.tito.kernels.cells import CELLS, comparable
from tests.tito.small_course import (
    RIGHT,
    cell,
    copy_of,
    gradebook,
    limits,
    nbgrader,
    position,
    release_of,
    solve,
    submit,
)
from tito.autograde import grade_class
from tito.course import Course
from tito.gradebook import records, scores


def with_cells(nb, sources):
    for number, source in enumerate(sources):
        made = new_code_cell(source, id=f"extra-{number}")
        nb.cells.insert(position(nb, "double-function"), made)
    return nb


def old_schema(nb):
    for one in nb.cells:
        if "nbgrader" in one.metadata:
            one.metadata.nbgrader.schema_version = 1
    return nb


def copied(nb):
    nb.cells.append(nbformat.from_dict({**cell(nb, "test-double"), "id": "copy"}))
    return nb


@pytest.fixture(scope="module")
def graded_both_ways(template, tmp_path_factory):
    """Hand in a varied class; return it graded by `tito grade`, by nbgrader, and the module."""
    ours = copy_of(template, tmp_path_factory.mktemp("oracle") / "ours")

    def made(solutions, *sources):
        return with_cells(solve(release_of(ours), solutions), sources)

    answered = made(RIGHT)
    cell(answered, "question-1").source = "Since it is associative."
    submit(ours, "answers", answered)
    submit(ours, "broken", "{")
    submit(ours, "prints", made(RIGHT, *CELLS["prints"]), name="my homework.ipynb")
    partly = {**RIGHT, "double-function": "def double(x): return 4"}
    submit(ours, "errors", old_schema(made(partly, *CELLS["errors"])))
    submit(ours, "displays", copied(made(RIGHT, *CELLS["displays"])))
    ends = {**RIGHT, "triple-function": "import os; os._exit(1)"}
    submit(ours, "others", made(ends, *CELLS["others"]))
    limits(ours, seed=7)
    module = ours.module("08_optimizers")
    theirs = Course(shutil.copytree(ours.root, ours.root.parent / "theirs"))
    done = nbgrader(theirs, "autograde", module.name)
    assert done.returncode == 1, "one of them cannot be graded"
    assert "broken: optimizers_dev.ipynb is not valid JSON" in done.stderr
    run = grade_class.grade(ours, module, seed=7)
    assert [outcome.student for outcome in run.failed] == ["broken"]
    return ours, theirs, module


def entered(course) -> dict[str, list]:
    """Return every mark and every comment of the gradebook."""
    with gradebook(course) as book:
        return {
            s.student_id: [
                *sorted((g.name, g.auto_score, g.needs_manual_grade) for g in notebook.grades),
                *sorted((c.name, c.auto_comment) for c in notebook.comments),
            ]
            for s in book.assignment_submissions("08_optimizers")
            for notebook in s.notebooks
        }


def outputs(course, student) -> list:
    """Return source and outputs of each cell, and the flags, without what differs by design."""
    path = course.autograded / student / "08_optimizers" / "optimizers_dev.ipynb"
    nb = nbformat.read(path, as_version=4)
    assert nb.metadata.tinytorch.isolation.level == "full"
    return [*comparable(nb, "source"), ["flags", nb.metadata.tinytorch.get("flags")]]


def test_marks_are_the_right_ones(graded_both_ways):
    *courses, module = graded_both_ways
    expected = dict(answers=10.0, broken=0.0, displays=10.0, errors=8.0, others=4.0, prints=10.0)
    for course in courses:
        totals = {row.student: row.total for row in scores.table(course, module)}
        assert totals == expected, "and a person's mark of the answers"


def test_marks_comments_outputs_and_records_are_equal(graded_both_ways):
    ours, theirs, module = graded_both_ways
    # nbgrader makes an empty row for what cannot be read; the record says what is wrong.
    assert {value for _, value, *_ in entered(theirs).pop("broken")} == {None}
    assert entered(ours) == {s: rows for s, rows in entered(theirs).items() if s != "broken"}
    for student in sorted(path.name for path in ours.autograded.iterdir()):
        one, other = outputs(ours, student), outputs(theirs, student)
        assert one == other, student
        assert sum(bool(shown) for _, shown in one) >= 2
        record = vars(records.load(ours, module, student))
        same = vars(records.load(theirs, module, student))
        assert {name for name in record if record[name] != same[name]} <= {"seconds", "graded_at"}


def test_either_goes_on_with_what_the_other_did(graded_both_ways):
    ours, theirs, module = graded_both_ways
    assert {outcome.status for outcome in grade_class.grade(theirs, module).skipped} == {"skipped"}
    done = nbgrader(theirs, "generate_feedback", module.name, "--student=prints")
    assert done.returncode == 0, done.stderr
    page = theirs.feedback / "prints" / module.name / f"{module.notebook}.html"
    assert ">of 15 points" in page.read_text() and "triple(7)" not in page.read_text()
    done = nbgrader(ours, "export", "--to=marks.csv")
    assert done.returncode == 0, done.stderr
    assert "errors,,,,8.0,0.0,8.0,15.0" in (ours.root / "marks.csv").read_text()
