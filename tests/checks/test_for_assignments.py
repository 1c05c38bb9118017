"""The parts of graded cells: each holds for the exported package, and exercises know no answer."""

import ast
import importlib
from pathlib import Path

import pytest

import tinytorch.checks
from tests.solutions.harness import ROOT, assignment, assignments
from tinytorch.checks import Student
from tinytorch.checks.observe import SECONDS_A_PART, observe
from tito.course import Course

FOLDER = Path(tinytorch.checks.__file__).parent
PARTS = [
    (each.name, name, part)
    for each in assignments()
    for name, checks in each.checks.items()
    for part in checks.parts
]
#: What an exercise may import of the package: nothing that declares, judges or reports.
MAY_IMPORT = ("observe", "student")


def exported(name: str) -> Student:
    """Return what an assignment exports, as the work of a student."""
    return Student(vars(importlib.import_module(Course(ROOT).module(name).exports_to)))


@pytest.mark.parametrize(("name", "grade_id", "part"), PARTS, ids=lambda value: str(value)[:40])
def test_a_part_holds_for_the_exported_package(name, grade_id, part):
    seen = observe(part.exercise, exported(name), part.inputs, SECONDS_A_PART)
    assert part.verdict(seen).problem is None


@pytest.mark.parametrize(
    "path",
    sorted(FOLDER.glob("for_*/exercises/*.py")),
    ids=lambda path: f"{path.parts[-3]}-{path.stem}",
)
def test_exercises_import_nothing_that_knows_an_answer(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tinytorch.checks"):
            assert node.module.removeprefix("tinytorch.checks.") in MAY_IMPORT
        if isinstance(node, ast.ImportFrom) and node.level:
            modules = [node.module] if node.module else [alias.name for alias in node.names]
            assert node.level == 1
            assert all((path.parent / f"{module}.py").is_file() for module in modules)


@pytest.mark.parametrize("name", ["test-convergence-profiler", "test-advanced-features"])
def test_every_part_of_a_class_with_methods_can_be_shown_early(name):
    checks = assignment(name).checks[name]
    about = dict.fromkeys(part.about for part in checks.parts)
    assert len(about) == 5 and "" not in about
    student = exported(assignment(name).name)
    early = [part for method in about for part in checks.report_on(method, student).parts]
    whole = assignment(name).report(name).parts
    assert sorted(part.name for part in early) == sorted(part.name for part in whole)
    assert all(part.problem is None for part in early)
