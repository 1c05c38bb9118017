"""A new module is whole from the start, and a name that cannot be one is refused."""

import json
import shutil

import nbformat
import pytest
from click.testing import CliRunner

from tests.submissions.course import copy_course
from tito.authoring.new import create
from tito.authoring.source import read_source
from tito.cli import cli
from tito.course import Course
from tito.errors import UsageError
from tito.gradebook.scores import table


def run(*arguments):
    """Call the command line and return what it printed; it must succeed."""
    answer = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.output


def test_new_module_passes_every_step(course):
    run("export", "--all")
    assert "new: modules/source/03_weight_decay/weight_decay_dev.py" in run("new", "weight_decay")
    assert run("lint", "weight_decay") == ""
    run("export", "weight_decay")
    exported = (course.root / "tinytorch/core/weight_decay.py").read_text()
    assert "def mean_square(" in exported and "SOLUTION" not in exported
    run("release", "weight_decay")
    released = course.release / "03_weight_decay/weight_decay_dev.ipynb"
    told = "\n".join(cell.source for cell in nbformat.read(released, as_version=4).cells)
    assert 'raise NotImplementedError("TODO in mean_square: return the mean' in told
    assert "np.square" not in told and "Rubric" not in told
    assert "10 of 10 points" in run("test", "weight_decay")


def test_new_modules_grade_at_full_isolation(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = copy_course(tmp_path).root
    run("new", "weight_decay")
    name = "warm_up"
    run("new", name)
    run("export", "--all")
    run("release", name)
    course = Course(root)
    module = course.module(name)
    for student in ("ada", "ben"):
        folder = course.submitted / student / module.name
        folder.mkdir(parents=True)
        shutil.copy(course.released(module), folder)
    solution = course.submitted / "ada" / module.name / f"{module.notebook}.ipynb"
    nbformat.write(read_source(module.source), solution)
    told = json.loads(run("grade", name, "--json"))
    assert (told["graded"], told["isolation"]) == (2, {**told["isolation"], "level": "full"})
    assert [row.total for row in table(course, module)] == [10.0, 0.0]
    run("bundle", name)
    assert "2 pages" in run("feedback", name)
    source = module.source.read_text()
    module.source.write_text(source.replace("import numpy", "import math\nimport numpy"))
    assert "tito: warm_up_dev.py was changed and not released: imports; " in run("grade", name)


def test_lint_names_file_line_and_cell(course):
    checks = course.checks(course.module("second")) / "answer.py"
    checks.write_text(checks.read_text().replace("points=3", "points=4"))
    answer = CliRunner().invoke(cli, ["lint"])
    assert answer.exit_code == 1
    assert answer.output.split("\n")[:2] == [
        "modules/source/02_second/second_dev.py: line 35, test-answer: "
        "its parts must add up to 5 points, got 6",
        "1 rule broken",
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("second", "'second' is taken by 02_second"),
        ("07_second", "'07_second' is taken by 02_second"),
        ("02_third", "the number of '02_third' is taken by 02_second"),
        ("losses", "taken by tinytorch.core.losses"),
        ("third", "03_third exists already"),
        ("__init__", "lower-case words joined by underscores"),
        ("checks/../x", "got 'checks/../x'"),
        ("Third", "got 'Third'"),
        ("3rd", "got '3rd'"),
        ("", "got ''"),
        ("lambda", "got 'lambda'"),
        ("dritté", "got 'dritté'"),
    ],
)
def test_refuses_bad_or_taken_name(course, name, told):
    (course.root / "tinytorch/core/losses.py").touch()
    (course.root / "modules/source/03_third").mkdir()
    before = sorted((course.root / "modules").rglob("*"))
    with pytest.raises(UsageError) as refused:
        create(course, name)
    assert told in str(refused.value)
    assert sorted((course.root / "modules").rglob("*")) == before


def test_after_99_a_number_must_be_named(course):
    create(course, "99_last")
    course = Course(course.root)
    with pytest.raises(UsageError, match="no number after 99"):
        create(course, "more")
    assert create(course, "05_more").name == "05_more"
