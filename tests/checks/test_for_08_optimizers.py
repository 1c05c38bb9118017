"""The parts of 08's graded cells: each holds for the reference, and exercises know no answer."""

import ast
from pathlib import Path

import pytest

import tinytorch.checks.for_08_optimizers
from tests.solutions.harness import all_checks, reports
from tinytorch.checks import Student
from tinytorch.checks.observe import SECONDS_A_PART, observe
from tinytorch.core import optimizers

FOLDER = Path(tinytorch.checks.for_08_optimizers.__file__).parent
PARTS = [(name, part) for name, checks in all_checks().items() for part in checks.parts]
#: What an exercise may import of the package: nothing that declares, judges or reports.
MAY_IMPORT = ("observe", "student")


@pytest.mark.parametrize(
    ("grade_id", "part"), PARTS, ids=[f"{name}-{part.name}" for name, part in PARTS]
)
def test_a_part_holds_for_the_exported_package(grade_id, part):
    seen = observe(part.exercise, Student(vars(optimizers)), part.inputs, SECONDS_A_PART)
    assert part.verdict(seen).problem is None


@pytest.mark.parametrize("path", sorted(FOLDER.glob("exercises/*.py")), ids=lambda path: path.stem)
def test_exercises_import_nothing_that_knows_an_answer(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tinytorch.checks"):
            assert node.module.removeprefix("tinytorch.checks.") in MAY_IMPORT
        if isinstance(node, ast.ImportFrom) and node.level:
            assert node.level == 1 and (FOLDER / "exercises" / f"{node.module}.py").is_file()


@pytest.mark.parametrize("name", ["test-convergence-profiler", "test-advanced-features"])
def test_every_part_of_a_class_with_methods_can_be_shown_early(name):
    checks = all_checks()[name]
    about = dict.fromkeys(part.about for part in checks.parts)
    assert len(about) == 5 and "" not in about
    student = Student(vars(optimizers))
    early = [part for method in about for part in checks.report_on(method, student).parts]
    whole = reports({}, only={name})[name].parts
    assert sorted(part.name for part in early) == sorted(part.name for part in whole)
    assert all(part.problem is None for part in early)
