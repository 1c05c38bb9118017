"""A plain course of nbgrader's is graded, and its marks are nbgrader's."""

import pytest

from tests.tito.plain_course import (
    code,
    marks_in,
    nbgrader_marks,
    put,
    released,
    solution,
    test_cell,
    text,
)
from tests.tito.plain_course import plain as plain
from tests.tito.small_course import cell
from tito.autograde import grade_class
from tito.gradebook import records

SQUARE = """
def square(x):
    ### BEGIN SOLUTION
    return x * x
    ### END SOLUTION
""".strip()
HALF = """
def half(x):
    ### BEGIN SOLUTION
    return x / 2
    ### END SOLUTION
""".strip()
TEST_SQUARE = """
assert square(2) == 4
### BEGIN HIDDEN TESTS
assert square(-3) == 9
### END HIDDEN TESTS
""".strip()
PARTLY = (
    "points = 0\nif half(4) == 2:\n    points += 1\nif half(1) == 0.5:\n    points += 0.5\npoints"
)

ONE = [
    text("# Squares"),
    code("import math"),
    solution("square", SQUARE),
    code("square(3)"),
    test_cell("test-square", 2, TEST_SQUARE),
    solution("half", HALF),
    test_cell("test-half", 1.5, PARTLY),
]
RIGHT = {"square": "def square(x):\n    return x * x", "half": "def half(x):\n    return x / 2"}


def solved(nb, solutions):
    for name, source in solutions.items():
        cell(nb, name).source = source
    return nb


STUDENTS = {
    "right": RIGHT,
    "only-public": {**RIGHT, "square": "def square(x):\n    return {2: 4}[x]"},
    "partly": {**RIGHT, "half": "def half(x):\n    return x // 2"},
    "broken": {**RIGHT, "square": "def square(x:\n    return x"},
    "prints": {**RIGHT, "square": "def square(x):\n    print(x)\n    return math.pow(x, 2)"},
}


@pytest.fixture
def one(plain):
    course = plain({"ps1": {"p1": ONE}})
    for student, solutions in STUDENTS.items():
        put(course, student, "ps1", "p1", solved(released(course, "ps1", "p1"), solutions))
    return course


def test_marks_are_those_of_nbgrader_autograde(one, tmp_path):
    module = one.module("ps1")
    run = grade_class.grade(one, module)
    assert [(o.student, o.status, o.reason) for o in run.outcomes] == [
        (student, "graded", "") for student in sorted(STUDENTS)
    ]
    ours = marks_in(one, "ps1")
    assert ours["only-public"] == {"p1/test-square": 0.0, "p1/test-half": 1.5}
    assert ours["partly"] == {"p1/test-square": 2.0, "p1/test-half": 1.0}
    assert ours == nbgrader_marks(one, "ps1", tmp_path / "nbgrader")


def test_a_mark_says_where_it_was_found(one):
    grade_class.grade(one, one.module("ps1"), ["right"])
    record = records.load(one, one.module("ps1"), "right")
    assert {name: each["judged"] for name, each in record.cells.items()} == {
        "test-square": "in the student's process",
        "test-half": "in the student's process",
    }
