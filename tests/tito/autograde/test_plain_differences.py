"""Where the marks of a plain course are not nbgrader's, on purpose: the table in the docs."""

import re
from pathlib import Path

import nbformat
import pytest

from tests.tito.plain_course import (
    code,
    make_plain,
    marks_in,
    nbgrader_marks,
    put,
    released,
    solution,
    test_cell,
)
from tests.tito.small_course import cell
from tito.autograde import grade_class
from tito.gradebook import records

DOCS = Path(__file__).parents[3] / "docs" / "use_it_for_your_course.md"
#: The last line's value is what the cell earns; the second cell looks at nothing.
CELLS = [
    solution("value", "def value():\n    ### BEGIN SOLUTION\n    return 2\n    ### END SOLUTION"),
    code("import sys"),
    test_cell("test-value", 2, "value()"),
    test_cell("test-nothing", 1, "def test():\n    assert value() == 2"),
]


def gives(value: str) -> str:
    return f"def value():\n    return {value}"


#: By student: the code, and then the marks of both cells here and by `nbgrader autograde`; None
#: where nbgrader has no mark.
DIFFERENCES = {
    "nothing-written": (None, (0, 0), (0, 1)),
    "nan": (gives("float('nan')"), (0, 1), (2, 1)),
    "negative": (gives("-1"), (0, 1), (2, 1)),
    "above-the-maximum": (gives("3"), (0, 1), None),
    "a-number-of-numpy": (gives("__import__('numpy').float64(0.5)"), (0.5, 1), (2, 1)),
    "a-warning": (gives("sys.stderr.write('careful') and None"), (2, 1), (0, 1)),
    "died": (gives("__import__('os')._exit(0)"), (0, 1), None),
    "copied": (gives("1.5"), (1.5, 1), None),
    "saved-by-an-older-nbgrader": (gives("2"), (2, 1), None),
    "another-file-name": (gives("2"), (2, 1), None),
    "own-file": (gives("__import__('own').TWO"), (0, 1), (2, 1)),
}
#: Who ends nbgrader's run for the class.
ALONE = ["copied", "saved-by-an-older-nbgrader"]
SAME = {
    "partly": (gives("0.25"), (0.25, 1)),
    "a-text": (gives("'well done'"), (2, 1)),
    "nothing-shown": (gives("None"), (2, 1)),
    "format-3": (gives("2"), (2, 1)),
    "another-kernel": (gives("2"), (2, 1)),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Grade a class here and by nbgrader; return the course and both marks by student."""
    root = tmp_path_factory.mktemp("plain")
    course = make_plain(root / "ours", {"ps1": {"p1": CELLS}})
    for student, (source, *_) in {**DIFFERENCES, **SAME}.items():
        nb = released(course, "ps1", "p1")
        if source is not None:
            cell(nb, "value").source = source
        if student == "copied":
            nb.cells.append(nbformat.from_dict({**cell(nb, "test-value"), "id": "copy"}))
        elif student == "saved-by-an-older-nbgrader":
            cell(nb, "test-value").metadata.nbgrader.schema_version = 1
        elif student == "another-kernel":
            nb.metadata.kernelspec.name = "conda-env-mine-py"
        elif student == "format-3":
            nb = nbformat.v3.writes_json(nbformat.convert(nb, 3))
        path = put(course, student, "ps1", "mine" if student == "another-file-name" else "p1", nb)
        if student == "own-file":
            path.with_name("own.py").write_text("TWO = 2")
    run = grade_class.grade(course, course.module("ps1"))
    assert not run.failed
    theirs = nbgrader_marks(course, "ps1", root / "nbgrader", alone=ALONE)
    return course, marks_in(course, "ps1"), theirs


def both(marks):
    return None if marks is None else (marks["p1/test-value"], marks["p1/test-nothing"])


@pytest.mark.parametrize("student", DIFFERENCES)
def test_what_differs_from_nbgrader_is_meant_to(graded, student):
    _, ours, theirs = graded
    _, wanted, nbgraders = DIFFERENCES[student]
    found = both(theirs.get(student))
    assert (both(ours[student]), None if found in (None, (None, None)) else found) == (
        wanted,
        nbgraders,
    )


def test_the_table_in_the_docs_has_a_line_for_each():
    table = DOCS.read_text()
    assert re.findall(r"`([a-z-]+)` \|$", table, re.MULTILINE) == list(DIFFERENCES)


@pytest.mark.parametrize("student", SAME)
def test_all_else_is_as_with_nbgrader(graded, student):
    _, ours, theirs = graded
    assert both(ours[student]) == both(theirs[student]) == SAME[student][1]


def test_what_was_wrong_with_a_value_is_said(graded):
    course, *_ = graded
    record = records.load(course, course.module("ps1"), "above-the-maximum")
    [part] = record.cells["test-value"]["parts"]
    assert part["problem"]["expected"] == "a number from 0 to 2"
    assert part["problem"]["got"] == "3"
