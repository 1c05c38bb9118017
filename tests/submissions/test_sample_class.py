"""The sample class, graded for real: every mark is the expected one."""

import csv
import html
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from tests.submissions.hand_in import hand_in
from tests.submissions.students import CLASSES
from tito.course import Course

EXPECTED = Path(__file__).with_name("expected_marks")
BIN = Path(sys.executable).parent
MODULE, SECOND = CLASSES
STUDENTS = CLASSES[MODULE]
#: They hand in the demonstrations too, to see that they change no mark.
WHOLE = ("perfect", "kernel-dies")


def read_csv(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


WANTED = {module: read_csv(EXPECTED / f"{module}.csv") for module in CLASSES}


def run(*command: str, course: Course) -> subprocess.CompletedProcess:
    return subprocess.run(
        [BIN / command[0], *command[1:]], cwd=course.root, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def course(real_course, tmp_path_factory):
    """A course of its own, with both releases and nobody in its gradebook."""
    root = tmp_path_factory.mktemp("class") / "course"
    course = Course(shutil.copytree(real_course.root, root))
    with course.root.joinpath("nbgrader_config.py").open("a") as config:
        config.write("c.ExecuteSubmission.timeout = 10\n")
    return course


def grade(course, module):
    """Hand a class in, and grade it; return what that printed."""
    hand_in(course, course.module(module), WHOLE)
    return run("tito", "grade", module, course=course)


def marks_of(course, module):
    """Return the rows of a class; who handed in another assignment only is missing in it."""
    answer = run("tito", "scores", module, "--to", f"{module}.csv", course=course)
    assert answer.returncode == 0, answer.stderr
    rows = read_csv(course.root / f"{module}.csv")
    return {student: row for student, row in rows.items() if row["status"] != "missing"}


@pytest.fixture(scope="module")
def graded(course):
    """The sample class after `tito grade`, and what that printed."""
    return course, grade(course, MODULE)


@pytest.fixture(scope="module")
def marks(graded):
    return marks_of(graded[0], MODULE)


@pytest.fixture(scope="module")
def marks_of_both(graded, marks):
    course, _ = graded
    answer = grade(course, SECOND)
    assert answer.returncode == 0, answer.stdout
    return {MODULE: marks, SECOND: marks_of(course, SECOND)}


@pytest.mark.parametrize("module", CLASSES)
def test_every_student_of_the_class_has_a_row(marks_of_both, module):
    assert set(marks_of_both[module]) == set(WANTED[module]) == set(CLASSES[module])


@pytest.mark.parametrize(("module", "student"), [(m, s) for m in CLASSES for s in CLASSES[m]])
def test_marks_are_the_expected_ones(marks_of_both, module, student):
    wanted = WANTED[module][student]
    # A cell that never ends is given less time than a class gives it.
    wanted["flags"] = wanted["flags"].replace("stopped after 30 s", "stopped after 10 s")
    assert {name: marks_of_both[module][student][name] for name in wanted} == wanted


def test_what_could_not_be_graded_is_named_and_the_exit_code_is_1(graded):
    _, answer = graded
    assert answer.returncode == 1
    failures = [line for line in answer.stdout.splitlines() if line.startswith("not graded")]
    assert len(failures) == 1 and "broken-json" in failures[0]
    assert "Traceback" not in answer.stdout + answer.stderr


def test_a_class_made_from_the_solution_is_told_so_once(graded):
    course, _ = graded
    told = run("tito", "scores", MODULE, course=course).stdout.splitlines()
    page = (course.records / MODULE / "flags.html").read_text().splitlines()
    for lines in (told, page):
        (line,) = (html.unescape(line) for line in lines if "own solution" in line)
        assert "nearly the course's own solution, in much of the 18 submissions: sgd-class" in line


def test_grading_again_changes_nothing(graded, marks):
    course, _ = graded
    before = {path: path.read_bytes() for path in course.autograded.rglob("*.ipynb")}
    again = run("tito", "grade", MODULE, course=course)
    assert f"0 graded, {len(STUDENTS) - 1} unchanged, 1 not graded" in again.stdout
    assert {path: path.read_bytes() for path in course.autograded.rglob("*.ipynb")} == before
    assert marks_of(course, MODULE) == marks


@pytest.fixture(scope="module")
def pages(graded):
    course, _ = graded
    answer = run("tito", "feedback", MODULE, course=course)
    assert answer.returncode == 0, answer.stderr
    return {path.parts[-3]: path.read_text() for path in course.feedback.rglob("*.html")}


def test_every_student_gets_a_page(pages):
    assert set(pages) == set(STUDENTS)


def test_pages_show_what_failed_and_what_was_expected(pages):
    page = html.unescape(re.sub("<[^>]*>", "", pages["momentum-averaged"]))
    assert "expected" in page and "(1 - self.momentum) * update" in page


def test_pages_hold_no_rubric(pages, real_course):
    source = real_course.module(MODULE).source.read_text()
    rubric = source.split("### BEGIN MARK SCHEME")[1].split("### END MARK SCHEME")[0]
    lines = [line.lstrip("# ").strip() for line in rubric.splitlines()]
    telling = [line[:40] for line in lines if len(line) > 40]
    assert telling
    for student, page in pages.items():
        assert not [line for line in telling if line in page], student


def test_graders_see_the_rubric(graded):
    course, _ = graded
    path = course.autograded / "perfect" / MODULE / "optimizers_dev.ipynb"
    notebook = nbformat.read(path, as_version=4)
    assert sum("MARK SCHEME" in cell.source for cell in notebook.cells) == 3


PLAIN = ["momentum-averaged", "test-cell-deleted", "renamed", "broken-json"]


def test_plain_nbgrader_gives_the_same_marks(graded, marks, real_course, tmp_path):
    """`nbgrader autograde` on some of the class, with a gradebook in which nobody is."""
    course = Course(shutil.copytree(real_course.root, tmp_path / "plain"))
    for name in PLAIN:
        shutil.copytree(graded[0].submitted / name, course.submitted / name)
    answer = run("nbgrader", "autograde", MODULE, course=course)
    assert "broken-json: optimizers_dev.ipynb is not valid JSON" in answer.stderr
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        submissions = gradebook.find_assignment(MODULE).submissions
        totals = {submission.student.id: submission.score for submission in submissions}
    assert {name: totals[name] for name in PLAIN if name != "broken-json"} == {
        name: float(marks[name]["total"]) for name in PLAIN if name != "broken-json"
    }
