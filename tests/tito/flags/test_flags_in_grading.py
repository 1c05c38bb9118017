"""Flags on their way from a submission to the table of marks and the page of evidence."""

import json
import re
import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from tests.tito.small_course import RIGHT, solve
from tito.autograde import grade_class
from tito.course import Course
from tito.flags import classmates
from tito.gradebook import records, scores
from tito.pages import evidence

TABLE = """
def table_of(x):
    lowest, highest = min(x, 0), max(x, 10)
    found = {}
    for step in range(5):
        middle = (lowest + highest) / 2
        if middle * middle > x:
            highest = middle
        else:
            lowest = middle
        found[step] = [lowest, highest, middle - lowest]
    widths = [high - low for low, high, _ in found.values()]
    return sum(widths) / len(widths), sorted(found, key=found.get)
"""


def with_table(**names):
    text = TABLE
    for name, other in names.items():
        text = re.sub(rf"\b{name}\b", other, text)
    return {**RIGHT, "double-function": RIGHT["double-function"] + "\n" + text}


@pytest.fixture(scope="module")
def graded(template, tmp_path_factory):
    """A class: ann, her friend bob, one who knows the public inputs, one who snoops."""
    root = tmp_path_factory.mktemp("flags") / "course"
    shutil.copytree(template, root)
    course = Course(root)
    module = course.module("08")
    release = nbformat.read(course.release / module.name / "optimizers_dev.ipynb", as_version=4)

    def put(student, solutions, *own):
        nb = solve(nbformat.from_dict(release), solutions)
        nb.cells[2:2] = [new_code_cell(source) for source in own]
        folder = course.submitted / student / module.name
        folder.mkdir(parents=True)
        nbformat.write(nb, folder / "optimizers_dev.ipynb")

    knows = {**RIGHT, "triple-function": "def triple(x):\n    return {1.0: 3.0, 7.0: 21.0}.get(x)"}
    put("ann", with_table())
    put("bob", with_table(lowest="small", highest="big", found="seen", middle="centre"))
    put("knows", knows)
    put("snoops", RIGHT, "#| default_exp other\nimport sys\nsys.settrace(None)  # <b>")
    put("honest", RIGHT)
    grade_class.grade(course, module)
    evidence.write(course, module)
    return course, module


def test_the_table_of_marks_says_what_to_look_at(graded):
    course, module = graded
    flags = {row.student: row.flags for row in scores.table(course, module)}
    assert flags == {
        "ann": ("nearly the same as bob: double-function",),
        "bob": ("nearly the same as ann: double-function",),
        "honest": (),
        "knows": ("right on the public inputs, wrong on fresh ones: test-triple, value",),
        "snoops": (
            "watches code while it runs (a cell after setup, line 3): sys.settrace(None) # <b>",
        ),
    }
    totals = {row.student: row.total for row in scores.table(course, module)}
    assert totals == {"ann": 10, "bob": 10, "honest": 10, "knows": 7, "snoops": 10}


def test_the_page_lists_the_evidence(graded):
    course, module = graded
    page = evidence.page_of(course, module).read_text()
    assert "4 of 5 submissions carry flags" in page
    assert re.findall(r"<h2[^>]*>(\w+)</h2>", page) == ["knows", "snoops", "ann", "bob"]
    seed = records.load(course, module, "knows").seed
    assert f"--force --student knows --seed {seed}" in page
    row = page.split("test-triple, value</td>")[1].split("</tr>")[0]
    given = float(re.search(r"with other inputs: x=(\S+)<", row)[1])
    assert float(re.search(r"<code>([-\d.]+)</code>", row)[1]) == pytest.approx(3 * given, rel=1e-3)
    assert page.count("double-function: 100 % the same") == 2


def test_nothing_of_a_student_is_markup(graded):
    course, module = graded
    page = evidence.page_of(course, module).read_text()
    assert "<b>" not in page and "&lt;b&gt;" in page


def test_compares_only_after_new_marks(graded, monkeypatch):
    course, module = graded
    before = classmates.load(course, module)
    monkeypatch.setattr(classmates, "similar", lambda *_: pytest.fail("compared"))
    assert grade_class.grade(course, module).graded == []
    assert classmates.load(course, module) == before != classmates.Comparison()


def test_a_damaged_graded_notebook_is_left_out(graded, tmp_path):
    course, module = Course(tmp_path / "copy"), graded[1]
    shutil.copytree(graded[0].root, course.root)
    graded = course.autograded / "bob" / module.name / f"{module.notebook}.ipynb"
    graded.write_text(json.dumps({"cells": "none"}))
    assert classmates.compare(course, module) == classmates.Comparison(4)
    assert classmates.load(course, module).flags() == {}
