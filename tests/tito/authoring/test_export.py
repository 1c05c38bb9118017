"""From source to package."""

from pathlib import Path

import pytest

from tito.authoring.nbdev_export import export_module, without_scaffolding
from tito.authoring.source import build_notebook, read_source
from tito.course import Course
from tito.gradebook.status import exported

ROOT = Path(__file__).resolve().parents[3]
REAL = Course(ROOT)


def test_export_drops_scaffolding(course):
    [path] = export_module(course, course.module("second"))
    text = path.read_text()
    assert "the_secret_number = 41 + ONE" in text and '"""Return forty-two."""' in text
    assert not any(word in text for word in ("SOLUTION", "TODO", "Hint", "Checks", "test_unit"))
    assert "../../modules/source/02_second/second_dev.py" in text
    assert "from .first import ONE" in text


def test_exporting_twice_gives_the_same_bytes(course):
    module = course.module("second")
    source = module.source.read_text()
    module.source.write_text(f"{source}\n# %%\n#| export core.more\nMORE = 1\n")
    notebook = build_notebook(course, module).read_bytes()
    assert build_notebook(course, module).read_bytes() == notebook
    first = [path.read_bytes() for path in export_module(course, module)]
    assert [path.read_bytes() for path in export_module(course, module)] == first
    assert [b"MORE" in text for text in first] == [False, True]


def test_a_comment_that_begins_like_a_command_stays_a_comment(course):
    module = course.module("second")
    comments = "# copy of both\n# why?\n# %d steps\nMORE = 1\n"
    source = module.source.read_text()
    module.source.write_text(f"{source}\n# %%\n#| export core.more\n{comments}")
    assert read_source(module.source).cells[-1].source.endswith(comments.strip())
    assert comments in export_module(course, module)[1].read_text()


@pytest.mark.parametrize("module", REAL.modules, ids=lambda module: module.name)
def test_committed_package_matches_sources(module):
    assert exported(REAL, module) == "yes", f"run 'tito export {module.name}'"


def test_a_second_module_that_is_not_exported_yet_is_missed(course):
    module = course.module("second")
    export_module(course, module)
    module.source.write_text(module.source.read_text() + "\n# %%\n#| export core.more\nMORE = 1\n")
    assert exported(course, module) == "no"


@pytest.mark.parametrize("module", REAL.modules, ids=lambda module: module.name)
def test_the_committed_package_holds_no_test_code(module):
    text = "".join(path.read_text() for path in module.files_in(REAL.package))
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
