"""From source to package."""

from pathlib import Path

import pytest

from tito.authoring.nbdev_export import export_module, without_scaffolding
from tito.authoring.source import build_notebook
from tito.course import Course
from tito.gradebook.status import exported

ROOT = Path(__file__).resolve().parents[3]
REAL = Course(ROOT)


def test_export_drops_scaffolding(course):
    text = export_module(course, course.module("second")).read_text()
    assert "the_secret_number = 41 + ONE" in text and '"""Return forty-two."""' in text
    assert not any(word in text for word in ("SOLUTION", "TODO", "Hint", "Checks", "test_unit"))


def test_export_names_source_and_imports(course):
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
def test_committed_package_matches_sources(module):
    assert exported(REAL, module) == "yes", f"run 'tito export {module.name}'"


def test_a_changed_source_makes_the_package_outdated(course):
    module = course.module("second")
    export_module(course, module)
    assert exported(course, module) == "yes"
    module.source.write_text(module.source.read_text().replace("41", "40"))
    assert exported(course, module) == "outdated"


@pytest.mark.parametrize("module", REAL.modules, ids=lambda module: module.name)
def test_the_committed_package_holds_no_test_code(module):
    text = (ROOT / (module.exports_to.replace(".", "/") + ".py")).read_text()
    assert not any(word in text for word in ("SOLUTION", "TODO", "def test_", "tinytorch.checks"))


def test_drops_only_todo_before_solution():
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
