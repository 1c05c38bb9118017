"""The students' notebook, made by nbgrader."""

import shutil
import subprocess
import sys

import nbformat
import pytest
from nbgrader.api import Gradebook

from tests.tito.conftest import make_course
from tinytorch.tito.course import Course
from tinytorch.tito.errors import TitoError
from tinytorch.tito.export import export_module
from tinytorch.tito.release import release


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A course with a release; making one takes nbgrader two seconds."""
    course = make_course(tmp_path_factory.mktemp("template"))
    export_module(course, course.module("first"))
    release(course, course.module("second"))
    return course


@pytest.fixture
def course(template, tmp_path):
    shutil.copytree(template.root, tmp_path / "course", symlinks=True)
    return Course(tmp_path / "course")


@pytest.fixture
def released(course):
    return course.release / "02_second"


def sources(folder):
    notebook = nbformat.read(folder / "second_dev.ipynb", as_version=4)
    return {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in notebook.cells
        if "nbgrader" in cell.metadata
    }


def test_a_stub_says_which_todo_is_open(released):
    stub = sources(released)["answer"]
    line = 'raise NotImplementedError("TODO in Answer.give: return the number of the question.")'
    assert f"        {line}" in stub.split("\n")
    assert "# Hint: who asked?" in stub and '"""Return forty-two."""' in stub
    assert "secret" not in stub


def test_the_release_is_the_notebook_and_nothing_else(released):
    assert [path.name for path in released.rglob("*")] == ["second_dev.ipynb"]


def test_locked_cells_are_released_as_they_are(released, course):
    source = course.module("second").source.read_text()
    assert sources(released)["test-answer"] in source


def test_points_are_in_the_gradebook(released, course):
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        assert gradebook.find_assignment("02_second").max_score == 5


def test_releasing_again_gives_the_same_bytes(released, course):
    before = (released / "second_dev.ipynb").read_bytes()
    release(course, course.module("second"))
    assert (released / "second_dev.ipynb").read_bytes() == before
    assert [path.name for path in released.rglob("*")] == ["second_dev.ipynb"]


def test_a_source_that_breaks_a_rule_leaves_the_earlier_release(released, course):
    before = (released / "second_dev.ipynb").read_bytes()
    source = course.module("second").source
    source.write_text(source.read_text() + "\n# BEGIN SOLUTION\n")
    with pytest.raises(TitoError, match="stray marker"):
        release(course, course.module("second"))
    assert (released / "second_dev.ipynb").read_bytes() == before


def test_the_package_for_students_ends_before_the_module(released, course):
    module = course.module("second")
    export_module(course, module)
    package = course.package_before(module)
    code = (
        "import importlib.util as u, tinytorch.core.first as f, tinytorch.checks as c; "
        "print(f.ONE, c.__file__, u.find_spec('tinytorch.core.second'), "
        "u.find_spec('tinytorch.tito'))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(package)},
        cwd=package.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.split() == ["1", f"{package}/tinytorch/checks/__init__.py", "None", "None"]


def test_a_release_before_the_exports_says_what_to_do(course):
    (course.root / "tinytorch/core/first.py").unlink()
    with pytest.raises(TitoError, match="first.py is missing; make it with 'tito export --all'"):
        release(course, course.module("second"))
