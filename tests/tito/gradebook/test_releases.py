"""What becomes of marks when the assignment is released again."""

import json

import nbformat
import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook

from tests.tito.small_course import cell, make_release, solve
from tito.autograde import grade_class
from tito.cli import cli
from tito.course.roster import Person, Roster
from tito.gradebook import platforms, scores, status
from tito.pages import feedback

COMMANDS = [["status"], ["scores", "08"], ["feedback", "08"]]
STALE = "graded with an earlier release: run 'tito grade 08_optimizers'"


@pytest.fixture
def release_again(course, module):
    """Change the source notebook, by text, and release it."""

    def make(before: str, after: str) -> None:
        path = course.source_notebook(module)
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after))
        make_release(course)

    return make


@pytest.fixture
def book(course):
    with Gradebook(course.nbgrader_config().CourseDirectory.db_url) as opened:
        yield opened


def by_student(course, module):
    return {row.student: row for row in scores.table(course, module)}


def grade_of(book, student, name="question-1"):
    return book.find_grade(name, "optimizers_dev", "08_optimizers", student)


def mark(book, student, points):
    grade = grade_of(book, student)
    grade.manual_score, grade.needs_manual_grade = points, False
    book.db.commit()


def answered(released, answer="Since it is associative."):
    nb = solve(nbformat.from_dict(released))
    cell(nb, "question-1").source = answer
    return nb


def test_mark_of_earlier_release_is_not_final(course, module, hand_in, release_again):
    hand_in("ada")
    grade_class.grade(course, module)
    release_again('hint=\\"think\\"', 'hint=\\"think twice\\"')
    row = by_student(course, module)["ada"]
    assert (row.status, row.reason, set(row.points.values())) == ("not graded", STALE, {None})
    people = Roster((Person("ada", keys={"email": "ada@example.org"}),))
    for write, ending in platforms.FORMATS.values():
        sheet = platforms.Sheet(course, module, [row], people, "Optimizers", provisional=True)
        written = write(sheet, course.root / f"out{ending}")
        assert written.left_out == {"ada": STALE} or write is platforms.write_csv
    assert status.modules(course)[0].earlier == 1
    assert feedback.write(course, module) == []
    assert [o.status for o in grade_class.grade(course, module).outcomes] == ["graded"]
    assert by_student(course, module)["ada"].total == 10.0
    assert status.modules(course)[0].earlier == 0
    assert len(feedback.write(course, module)) == 1


def test_the_commands_say_so_too(course, module, hand_in, release_again, monkeypatch):
    hand_in("ada")
    grade_class.grade(course, module)
    release_again('hint=\\"think\\"', 'hint=\\"think twice\\"')
    monkeypatch.chdir(course.root)
    told = {command[0]: CliRunner().invoke(cli, command).output for command in COMMANDS}
    assert "1 graded with an earlier release: ada\n" in told["scores"]
    assert f"08_optimizers: 1 {STALE}\n" in told["status"]
    assert f"left out: ada: {STALE}\n" in told["feedback"]


def test_instructor_edit_flags_nobody(course, module, hand_in, released, release_again):
    edited = solve(nbformat.from_dict(released))
    cell(edited, "test-double").source = "4.0"
    hand_in("ada")
    hand_in("ben", edited)
    grade_class.grade(course, module)
    release_again('hint=\\"think\\"', 'hint=\\"think twice\\"')
    flags = {o.student: o.flags for o in grade_class.grade(course, module).graded}
    assert flags == {"ada": (), "ben": ("locked cell edited: test-double",)}


def test_mark_above_lowered_maximum_is_named(
    course, module, hand_in, released, release_again, book
):
    hand_in("ada", answered(released))
    grade_class.grade(course, module)
    mark(book, "ada", 4.5)
    release_again('"points": 5', '"points": 3')
    told = "the mark by hand of question-1, 4.5, is above its maximum, 3"
    assert scores.marks_above_maximum(course, module) == {"ada": (told,)}
    grade_class.grade(course, module)
    assert told in by_student(course, module)["ada"].flags


REOPENS = {
    "nothing": (None, None, False),
    "a hint of a test": ('hint=\\"think\\"', 'hint=\\"think twice\\"', False),
    "the rubric": ("3 points for the word", "2 points for the word", True),
    "the points": ('"points": 5', '"points": 6', True),
}


@pytest.mark.parametrize("what", REOPENS)
def test_changed_question_reopens_a_manual_mark(
    course, module, hand_in, released, release_again, book, what
):
    before, after, waits = REOPENS[what]
    hand_in("ada", answered(released))
    grade_class.grade(course, module)
    mark(book, "ada", 3.0)
    if before:
        release_again(before, after)
    grade_class.grade(course, module, force=True)
    book.db.expire_all()
    grade = grade_of(book, "ada")
    assert (grade.manual_score, grade.needs_manual_grade) == (3.0, waits)


@pytest.mark.parametrize(("answer", "waits"), [("Since.", True), (None, False)])
def test_an_answer_that_changed_waits_again(course, module, hand_in, released, book, answer, waits):
    hand_in("ada", answered(released))
    grade_class.grade(course, module)
    mark(book, "ada", 3.0)
    new = answered(released, answer or "Since it is associative.")
    cell(new, "double-function").source = "def double(x):\n    return x + x"
    hand_in("ada", new)
    grade_class.grade(course, module)
    book.db.expire_all()
    assert grade_of(book, "ada").needs_manual_grade is waits


def test_the_log_warns_of_no_rubric_that_comes_back(course, module, hand_in):
    hand_in("ada")
    run = grade_class.grade(course, module)
    assert "WARNING" not in run.log.read_text()
    graded = json.loads(
        (course.autograded / "ada" / module.name / "optimizers_dev.ipynb").read_text()
    )
    assert "3 points for the word" in cell(nbformat.from_dict(graded), "rubric-1").source
