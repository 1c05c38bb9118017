"""A plain course of nbgrader's is graded, and its marks are nbgrader's."""

import gc
from pathlib import Path

import nbformat
import nbgrader
import pytest
from nbformat.v4 import new_notebook

from tests.tito.plain_course import (
    CONFIG,
    code,
    make_plain,
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
from tito.authoring import nbgrader_release
from tito.autograde import grade_class
from tito.errors import UsageError
from tito.gradebook import records

#: nbgrader leaves the sockets of the kernel in which it makes tests open.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

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
#: Directives of which nbgrader makes tests when it releases, one of them hidden; a cell without
#: points; names that the other notebook has too.
MADE = [
    solution("half", "### BEGIN SOLUTION\ndef f(): return SIZE\nx = 0.5\n### END SOLUTION"),
    test_cell("test-half", 2, "### AUTOTEST f()\n\n### HASHED AUTOTEST x"),
    test_cell(
        "test-hidden", 1, "### BEGIN HIDDEN TESTS\n### AUTOTEST f() + 1\n### END HIDDEN TESTS"
    ),
    test_cell("test-nothing", 0, "assert f() == 7"),
]
MEANS = """
def means(table):
    ### BEGIN SOLUTION
    return table.groupby("group")["score"].mean()
    ### END SOLUTION
""".strip()
#: With data beside the notebook, and a plot.
TABLE = [
    code("import matplotlib.pyplot as plt\nimport pandas as pd"),
    code("table = pd.read_csv('scores.csv')"),
    solution("means", MEANS),
    code("means(table).plot.bar()\nplt.show()"),
    test_cell("test-means", 3, "assert means(table).to_dict() == {'a': 2.0, 'b': 5.5}"),
]
SCORES = b"group,score\na,1\na,3\nb,5\nb,6\n"
PS1 = "ps 1.0"
NOTEBOOKS = {
    "0 - Read me": [text("# Read"), code("print('me')")],
    **{"p1": ONE, "02.made": MADE, "table": TABLE},
}
HEADER = nbformat.writes(new_notebook(cells=[text("# Ours"), code("SIZE = 7")])).encode()
WITH_HEADER = CONFIG + 'c.IncludeHeaderFooter.header = "source/header.ipynb"\n'
AUTOTESTS = Path(nbgrader.__file__).parent / "docs/source/user_guide/autotests.yml"
RIGHT = {"square": "def square(x):\n    return x * x", "half": "def half(x):\n    return x / 2"}


def solved(nb, solutions):
    for name, source in solutions.items():
        cell(nb, name).source = source
    return nb


STUDENTS = {
    "001": RIGHT,
    "only-public": {**RIGHT, "square": "def square(x):\n    return {2: 4}[x]"},
    "partly": {**RIGHT, "half": "def half(x):\n    return x // 2"},
    "broken": {**RIGHT, "square": "def square(x:\n    return x"},
    "josé o'b. _c": {**RIGHT, "square": "def square(x):\n    print(x)\n    return math.pow(x, 2)"},
}


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """A class with four notebooks an assignment, graded."""
    files = {
        **{"header.ipynb": HEADER, f"{PS1}/scores.csv": SCORES},
        "../autotests.yml": AUTOTESTS.read_bytes(),
    }
    root = tmp_path_factory.mktemp("plain") / "course"
    course = make_plain(root, {PS1: NOTEBOOKS}, files, WITH_HEADER)
    for student, solutions in STUDENTS.items():
        put(course, student, PS1, "p1", solved(released(course, PS1, "p1"), solutions))
    for student, size in (("001", "SIZE"), ("partly", "1")):
        made = {"half": f"def f(): return {size}\nx = 0.5"}
        put(course, student, PS1, "02.made", solved(released(course, PS1, "02.made"), made))
        put(course, student, PS1, "0 - Read me", released(course, PS1, "0 - Read me"))
    for student, column in (("001", "score"), ("partly", "scores")):
        means = f"def means(table):\n    return table.groupby('group').{column}.mean()"
        nb = solved(released(course, PS1, "table"), {"means": means})
        put(course, student, PS1, "table", nb)
    for module in course.assignment(PS1):
        run = grade_class.grade(course, module)
        assert [(o.student, o.status, o.reason) for o in run.outcomes] == [
            (student, "graded", "") for student in sorted(STUDENTS)
        ]
    return course


@pytest.fixture(autouse=True)
def _collect():
    yield
    gc.collect()  # while what nbgrader leaves is ignored


def test_marks_are_those_of_nbgrader_autograde(one, tmp_path):
    ours = marks_in(one, PS1)
    made = {"02.made/test-half": 0.0, "02.made/test-hidden": 0.0, "02.made/test-nothing": 0.0}
    made["table/test-means"] = 0.0
    assert ours["only-public"] == {"p1/test-square": 0.0, "p1/test-half": 1.5, **made}
    assert ours["partly"] == {"p1/test-square": 2.0, "p1/test-half": 1.0, **made}
    assert sum(ours["001"].values()) == 9.5
    assert ours == nbgrader_marks(one, PS1, tmp_path / "nbgrader")


def test_a_mark_says_where_it_was_found(one):
    record = records.load(one, one.module(f"{PS1}/p1"), "001")
    assert {name: each["judged"] for name, each in record.cells.items()} == {
        "test-square": "in the student's process",
        "test-half": "in the student's process",
    }


def test_a_notebook_of_another_language_is_refused(plain):
    course = plain({"ps1": {"p1": ONE}})
    module = course.module("ps1")
    for path in (module.source, course.released(module)):
        nb = nbformat.read(path, as_version=4)
        nb.metadata.kernelspec = {"display_name": "R", "language": "R", "name": "ir"}
        nbformat.write(nb, path)
    with pytest.raises(UsageError, match="source/ps1/p1.ipynb is written in R"):
        nbgrader_release.release(course, [module])
    with pytest.raises(UsageError, match="release/ps1/p1.ipynb is written in R"):
        grade_class.grade(course, module)
