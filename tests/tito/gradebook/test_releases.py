"""What becomes of marks when the assignment is released again."""

import nbformat
import pytest

from tests.tito.small_course import (
    RIGHT,
    cell,
    gradebook,
    make_release,
    mark_by_hand,
    solve,
    solved,
    statuses,
)
from tito.course.roster import Person, Roster
from tito.gradebook import platforms, scores, status

STALE = "graded with an earlier release: run 'tito grade 08_optimizers'"
ANSWER = "Since it is associative."
OTHER = "def double(x):\n    return x + x"
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
def question(course):
    """Read the mark that a person gave, and whether a person is to look again."""

    def read():
        with gradebook(course) as book:
            grade = book.find_grade("question-1", "optimizers_dev", "08_optimizers", "ada")
            return grade.manual_score, grade.needs_manual_grade

    return read


def test_mark_of_earlier_release_is_not_final(
    course, module, hand_in, grade, rows, release_again, tito
):
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
    assert f"08_optimizers: 1 {STALE}\n" in tito("status").stdout
    assert "1 graded with an earlier release: ada\n" in tito("scores", "08").stdout
    feedback = tito("feedback", "08").stdout
    assert f"left out: ada: {STALE}\n0 pages" in feedback
    assert statuses(grade()) == {"ada": "graded"}
    assert rows()["ada"].total == 10.0
    assert status.modules(course)[0].earlier == 0
    assert "left out" not in tito("feedback", "08").stdout


def test_instructor_edit_flags_nobody(hand_in, grade, released, release_again):
    edited = solve(solved(released), {"test-double": "4.0"})
    hand_in("ada")
    hand_in("ben", edited)
    grade()
    release_again(*HINT)
    flags = {outcome.student: outcome.flags for outcome in grade().graded}
    assert flags == {"ada": (), "ben": ("locked cell edited: test-double",)}


def test_mark_above_lowered_maximum_is_named(
    course, module, hand_in, grade, rows, released, release_again
):
    hand_in("ada", solved(released, answer=ANSWER))
    grade()
    mark_by_hand(course, "ada", "question-1", 4.5)
    release_again('"points": 5', '"points": 3')
    told = "the mark by hand of question-1, 4.5, is above its maximum, 3"
    assert scores.marks_above_maximum(course, module) == {"ada": (told,)}
    grade()
    assert told in rows()["ada"].flags


def test_a_mark_by_hand_waits_again_where_its_question_or_answer_changed(
    course, hand_in, grade, released, release_again, question
):
    def graded_again(change=None, **answer):
        mark_by_hand(course, "ada", "question-1", 3.0)
        if change:
            release_again(*change)
        if answer:
            hand_in("ada", solved(released, {**RIGHT, "double-function": OTHER}, **answer))
        grade(force=True)
        mark, waits = question()
        assert mark == 3.0
        return waits

    hand_in("ada", solved(released, answer=ANSWER))
    grade()
    assert not graded_again(), "nothing changed"
    assert not graded_again(HINT), "a hint of a test"
    assert not graded_again(answer=ANSWER), "another solution beside the same answer"
    assert graded_again(answer="Since.")
    assert graded_again(("3 points for the word", "2 points for the word"))
    assert graded_again(('"points": 5', '"points": 6'))


def test_the_log_warns_of_no_rubric_that_comes_back(course, module, hand_in, grade):
    hand_in("ada")
    assert "WARNING" not in grade().log.read_text()
    path = course.autograded / "ada" / module.name / "optimizers_dev.ipynb"
    graded = nbformat.read(path, as_version=4)
    assert "3 points for the word" in cell(graded, "rubric-1").source
