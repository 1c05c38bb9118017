"""From source to package."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tinytorch.tito.course import Course
from tinytorch.tito.errors import TitoError
from tinytorch.tito.export import export_module, export_student, without_scaffolding
from tinytorch.tito.source import build_notebook, read_source
from tinytorch.tito.status import is_exported

ROOT = Path(__file__).resolve().parents[2]
REAL = Course(ROOT)


def test_a_module_holds_the_solution_and_nothing_of_the_scaffolding(course):
    text = export_module(course, course.module("second")).read_text()
    assert "the_secret_number = 41 + ONE" in text and '"""Return forty-two."""' in text
    assert not any(word in text for word in ("SOLUTION", "TODO", "Hint", "Checks", "test_unit"))


def test_a_module_names_its_source_and_imports_the_modules_before_it(course):
    text = export_module(course, course.module("second")).read_text()
    assert "../../modules/source/02_second/second_dev.py" in text
    assert "from .first import ONE" in text


def test_exporting_twice_gives_the_same_bytes(course):
    module = course.module("second")
    first = export_module(course, module).read_bytes()
    assert export_module(course, module).read_bytes() == first


def test_a_notebook_is_the_same_bytes_each_time(course):
    module = course.module("second")
    first = build_notebook(course, module).read_bytes()
    assert build_notebook(course, module).read_bytes() == first


@pytest.mark.parametrize("module", REAL.modules, ids=lambda module: module.name)
def test_the_committed_package_is_what_the_sources_give(module):
    assert is_exported(REAL, module), f"run 'tito export {module.name}'"


def test_a_changed_source_makes_the_package_outdated(course):
    module = course.module("second")
    export_module(course, module)
    assert is_exported(course, module)
    module.source.write_text(module.source.read_text().replace("41", "40"))
    assert not is_exported(course, module)


@pytest.mark.parametrize("module", REAL.modules, ids=lambda module: module.name)
def test_the_committed_package_holds_no_test_code(module):
    text = (ROOT / (module.exports_to.replace(".", "/") + ".py")).read_text()
    assert not any(word in text for word in ("SOLUTION", "TODO", "def test_", "tinytorch.checks"))


def test_only_the_todo_block_before_a_solution_is_dropped():
    source = "\n".join(
        [
            "# TODO in prose that stays",
            "x = 1",
            "# why: stays",
            "# TODO: goes",
            "# and its second line",
            "# Hint: goes",
            "### BEGIN SOLUTION",
            "# stays",
            "y = 2",
            "### END SOLUTION",
        ]
    )
    kept = ["# TODO in prose that stays", "x = 1", "# why: stays", "# stays", "y = 2"]
    assert without_scaffolding(source).split("\n") == kept


def student_notebook(course, tmp_path, change):
    notebook = read_source(course.module("second").source)
    cell = next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("solution"))
    cell.source = change(cell.source)
    path = tmp_path / "mine.ipynb"
    nbformat.write(notebook, path)
    return path


def test_a_students_solution_becomes_their_package(course, tmp_path):
    export_module(course, course.module("first"))
    path = student_notebook(course, tmp_path, lambda source: source.replace("41", "20"))
    module, unfinished = export_student(course, course.module("second"), path)
    code = "from tinytorch.core.second import Answer; print(Answer().give())"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=course.root, capture_output=True, text=True, check=True
    )
    assert (answer.stdout.strip(), unfinished) == ("21", [])


def test_unfinished_cells_of_a_student_are_named(course, tmp_path):
    stub = '#| export\nclass Answer:\n    raise NotImplementedError("TODO in Answer: write")'
    path = student_notebook(course, tmp_path, lambda source: stub)
    assert export_student(course, course.module("second"), path)[1] == ["answer"]


def test_a_notebook_of_another_module_is_refused_and_the_package_stays(course, tmp_path):
    before = export_module(course, course.module("first")).read_bytes()
    path = student_notebook(course, tmp_path, str)
    with pytest.raises(TitoError, match="does not export to tinytorch.core.first"):
        export_student(course, course.module("first"), path)
    assert (course.root / "tinytorch/core/first.py").read_bytes() == before


def test_a_broken_notebook_is_named(course, tmp_path):
    path = tmp_path / "broken.ipynb"
    path.write_text('{"cells": [')
    with pytest.raises(TitoError, match="broken.ipynb is not a notebook"):
        export_student(course, course.module("second"), path)


def test_a_cell_that_does_not_parse_is_named_and_the_package_stays(course, tmp_path):
    export_module(course, course.module("second"))
    before = (course.root / "tinytorch/core/second.py").read_bytes()
    path = student_notebook(course, tmp_path, lambda source: "#| export\nclass Answer(:")
    with pytest.raises(TitoError, match="the cell answer is not valid Python, line 2"):
        export_student(course, course.module("second"), path)
    assert (course.root / "tinytorch/core/second.py").read_bytes() == before
