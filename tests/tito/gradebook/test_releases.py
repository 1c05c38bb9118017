"""What becomes of marks when the assignment is released again."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from tests.tito.small_course import (
    RIGHT,
    cell,
    gradebook,
    make_release,
    mark_by_hand,
    named,
    solve,
    statuses,
)
from tito.course.roster import Person, Roster
from tito.gradebook import platforms, scores, status
from tito.pages import feedback

STALE = "graded with an earlier release: run 'tito grade 08_optimizers'"
HINT = 'hint=\\"think\\"', 'hint=\\"think twice\\"'


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
def answered(released):
    """Make a right notebook with a written answer."""

    def make(answer="Since it is associative."):
        nb = solve(nbformat.from_dict(released))
        cell(nb, "question-1").source = answer
        return nb

    return make


@pytest.fixture
def question(course):
    """Read the mark that a person gave, and whether a person is to look again."""

    def read():
        with gradebook(course) as book:
            grade = book.find_grade("question-1", "optimizers_dev", "08_optimizers", "ada")
            return grade.manual_score, grade.needs_manual_grade

    return read


def test_solution_made_from_an_earlier_base_class_keeps_its_marks(
    course, module, hand_in, grade, rows, released
):
    before = nbformat.from_dict(released)
    base = named(new_code_cell("class Base:\n    scale = 2"), "given-base", locked=True)
    before.cells[2:2] = [base, new_code_cell("import os\nprint(os.listdir(), Base.scale)")]
    kept = course.records / module.name / "releases" / "release-before.ipynb"
    kept.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(before, kept)
    uses_base = "class Double(Base):\n    pass\n\ndef double(x):\n    return Double.scale * x"
    hand_in("ada", solve(before, {**RIGHT, "double-function": uses_base}))
    grade()
    row = rows()["ada"]
    assert (row.status, row.total, row.flags) == ("graded", 10.0, ())


def test_mark_of_earlier_release_is_not_final(course, module, hand_in, grade, rows, release_again):
    hand_in("ada")
    grade()
    release_again(*HINT)
    row = rows()["ada"]
    assert (row.status, row.reason, set(row.points.values())) == ("not graded", STALE, {None})
    people = Roster((Person("ada", keys={"email": "ada@example.org"}),))
    for write, ending in platforms.FORMATS.values():
        sheet = platforms.Sheet(course, module, [row], people, "Optimizers", provisional=True)
        written = write(sheet, course.root / f"out{ending}")
        assert written.left_out == {"ada": STALE} or write is platforms.write_csv
    assert status.modules(course)[0].earlier == 1
    assert feedback.write(course, module) == []
    assert statuses(grade()) == {"ada": "graded"}
    assert rows()["ada"].total == 10.0
    assert status.modules(course)[0].earlier == 0
    assert len(feedback.write(course, module)) == 1


def test_the_commands_say_so_too(hand_in, grade, release_again, tito):
    hand_in("ada")
    grade()
    release_again(*HINT)
    assert f"08_optimizers: 1 {STALE}\n" in tito("status").stdout
    assert "1 graded with an earlier release: ada\n" in tito("scores", "08").stdout
    assert f"left out: ada: {STALE}\n" in tito("feedback", "08").stdout


def test_instructor_edit_flags_nobody(hand_in, grade, released, release_again):
    edited = solve(nbformat.from_dict(released))
    cell(edited, "test-double").source = "4.0"
    hand_in("ada")
    hand_in("ben", edited)
    grade()
    release_again(*HINT)
    flags = {outcome.student: outcome.flags for outcome in grade().graded}
    assert flags == {"ada": (), "ben": ("locked cell edited: test-double",)}


def test_mark_above_lowered_maximum_is_named(
    course, module, hand_in, grade, rows, answered, release_again
):
    hand_in("ada", answered())
    grade()
    mark_by_hand(course, "ada", "question-1", 4.5)
    release_again('"points": 5', '"points": 3')
    told = "the mark by hand of question-1, 4.5, is above its maximum, 3"
    assert scores.marks_above_maximum(course, module) == {"ada": (told,)}
    grade()
    assert told in rows()["ada"].flags


REOPENS = {
    "nothing": (None, False),
    "a hint of a test": (HINT, False),
    "the rubric": (("3 points for the word", "2 points for the word"), True),
    "the points": (('"points": 5', '"points": 6'), True),
}


@pytest.mark.parametrize(("change", "waits"), REOPENS.values(), ids=REOPENS)
def test_changed_question_reopens_a_manual_mark(
    course, hand_in, grade, answered, release_again, question, change, waits
):
    hand_in("ada", answered())
    grade()
    mark_by_hand(course, "ada", "question-1", 3.0)
    if change:
        release_again(*change)
    grade(force=True)
    assert question() == (3.0, waits)


@pytest.mark.parametrize(
    ("answer", "waits"), [("Since.", True), ("Since it is associative.", False)]
)
def test_an_answer_that_changed_waits_again(
    course, hand_in, grade, answered, question, answer, waits
):
    hand_in("ada", answered())
    grade()
    mark_by_hand(course, "ada", "question-1", 3.0)
    new = answered(answer)
    cell(new, "double-function").source = "def double(x):\n    return x + x"
    hand_in("ada", new)
    grade()
    assert question()[1] is waits


def test_the_log_warns_of_no_rubric_that_comes_back(course, module, hand_in, grade):
    hand_in("ada")
    assert "WARNING" not in grade().log.read_text()
    path = course.autograded / "ada" / module.name / "optimizers_dev.ipynb"
    graded = nbformat.read(path, as_version=4)
    assert "3 points for the word" in cell(graded, "rubric-1").source
