"""The rules of a source and of a release, each broken once."""

import nbformat
import pytest

from tinytorch.tito.errors import TitoError
from tinytorch.tito.rules import check_release, check_source, secret_lines
from tinytorch.tito.source import read_source, write_notebook


@pytest.fixture
def module(course):
    return course.module("second")


@pytest.fixture
def source(module):
    return read_source(module.source)


def find(notebook, grade_id):
    return next(
        cell
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id
    )


def test_a_good_source_passes(module, source):
    check_source(module, source)


def drop_key(cell):
    del cell.metadata.nbgrader["task"]


def add_key(cell):
    cell.metadata.nbgrader["worth"] = 3


def old_schema(cell):
    cell.metadata.nbgrader["schema_version"] = 2


@pytest.mark.parametrize("change", [drop_key, add_key, old_schema])
def test_metadata_that_nbgrader_would_refuse_is_named(module, source, change):
    change(find(source, "imports"))
    with pytest.raises(TitoError, match="imports: missing keys"):
        check_source(module, source)


def test_a_grade_id_used_twice_is_named(module, source):
    find(source, "imports").metadata.nbgrader["grade_id"] = "answer"
    with pytest.raises(TitoError, match="answer: used by 2 cells"):
        check_source(module, source)


def test_a_graded_cell_without_points_is_named(module, source):
    del find(source, "test-answer").metadata.nbgrader["points"]
    with pytest.raises(TitoError, match="test-answer: a graded cell needs whole points"):
        check_source(module, source)


def test_a_solution_cell_without_region_is_named(module, source):
    find(source, "answer").source = "#| export\nclass Answer: ..."
    with pytest.raises(TitoError, match="answer: a solution cell needs a solution region"):
        check_source(module, source)


@pytest.mark.parametrize(
    "line",
    ["# see BEGIN SOLUTION above", "### END SOLUTION", "### BEGIN HIDDEN TESTS"],
)
def test_a_marker_that_is_none_is_named(module, source, line):
    find(source, "imports").source += f"\n{line}"
    with pytest.raises(TitoError, match="imports: stray marker"):
        check_source(module, source)


def released_as(module, source, tmp_path, **sources):
    """Write a release in which some cells have other sources."""
    released = nbformat.from_dict(source)
    for grade_id, text in {"answer": "class Answer: ...", **sources}.items():
        find(released, grade_id.replace("_", "-")).source = text
    path = tmp_path / "released.ipynb"
    write_notebook(released, path)
    return path


def test_a_clean_release_passes(module, source, tmp_path):
    check_release(module, released_as(module, read_source(module.source), tmp_path), source)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("def broken(:", "test-answer: does not compile, line 1"),
        ("the_secret_number = 41 + ONE", "test-answer: leaks 'the_secret_number = 41"),
        ("### END SOLUTION", "test-answer: a marker is left"),
    ],
)
def test_a_bad_release_is_refused(module, source, tmp_path, text, fault):
    path = released_as(module, read_source(module.source), tmp_path, test_answer=text)
    with pytest.raises(TitoError) as refused:
        check_release(module, path, source)
    assert fault in str(refused.value)


def test_what_stands_in_public_too_is_no_secret(source):
    assert "the_secret_number = 41 + ONE" in secret_lines(source)
    find(source, "imports").source += "\nthe_secret_number = 41 + ONE"
    assert "the_secret_number = 41 + ONE" not in secret_lines(source)
