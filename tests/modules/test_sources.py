"""The chapters: they run from top to bottom, and their tests can be called by name."""

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

import nbformat
import numpy as np
import pytest
from nbformat import NotebookNode

from tito.authoring.source import read_source
from tito.course import Course, Module

ROOT = Path(__file__).resolve().parents[2]
COURSE = Course(ROOT)
ASSIGNMENT = COURSE.module("08_optimizers")
LAB = COURSE.module("09_training_systems")
SECOND = COURSE.module("10_modern_optimizers")
TESTS_OF_SECOND = [
    "test_unit_parameter_groups",
    "test_unit_rmsprop",
    "test_unit_nesterov",
    "test_unit_adamw",
    "test_unit_schedules",
    "test_unit_muon",
    "test_unit_weight_average",
    "test_unit_sharded_adamw",
]
TESTS = [
    "test_unit_gradient_descent_step",
    "test_unit_sgd_optimizer",
    "test_unit_adam_optimizer",
    "test_unit_step_scheduler",
    "test_module_unit_training",
    "test_unit_convergence_profiler",
    "test_unit_advanced_optimizer_features",
    "test_comprehensive_ml_systems_integration",
]


@cache
def imported(module: Module) -> ModuleType:
    """Import a percent source as a module."""
    spec = importlib.util.spec_from_file_location(module.notebook, module.source)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.mark.parametrize(
    ("module", "name"),
    [*((ASSIGNMENT, name) for name in TESTS), *((SECOND, name) for name in TESTS_OF_SECOND)],
    ids=lambda value: getattr(value, "name", value),
)
def test_functions_of_the_source_pass_when_called_by_name(module, name):
    getattr(imported(module), name)()


@pytest.mark.parametrize("name", ["SGD, momentum 0.9, rate 0.1", "Adam, rate 0.01"])
def test_the_digits_network_reaches_95_percent(name):
    source = imported(ASSIGNMENT)
    _, accuracies = source.train_network(source.OPTIMIZERS[name], source.split_digits())
    assert len(accuracies) == 10
    assert accuracies[-1] >= 0.95


def test_plain_sgd_stays_behind_momentum_at_the_same_rate():
    source = imported(ASSIGNMENT)
    plain, momentum = (
        source.train_network(source.OPTIMIZERS[name], source.split_digits(), epochs=5)[0][-1]
        for name in ("SGD, rate 0.1", "SGD, momentum 0.9, rate 0.1")
    )
    assert momentum < plain / 2


@pytest.mark.parametrize(("module", "least"), [(ASSIGNMENT, 300), (SECOND, 150)])
def test_the_released_notebook_shows_no_solution_and_no_rubric(module, least, real_course):
    source = read_source(module.source)
    path = real_course.released(module)
    package = real_course.package_before(module)
    files = [path, *(file for file in package.rglob("*") if file.suffix in {".py", ".md"})]
    received = {line.strip() for file in files for line in _lines(file)}
    shared = [file for place in COURSE.shared for file in place.rglob("*.py")]
    before = [other for other in COURSE.modules if other.name < module.name]
    shared += [file for other in before for file in other.files_in(COURSE.package)]
    hidden = _hidden_lines(source) - {line.strip() for file in shared for line in _lines(file)}
    assert len(hidden) > least
    assert received & hidden == set()


def _lines(path: Path) -> list[str]:
    if path.suffix != ".ipynb":
        return path.read_text().splitlines()
    cells = nbformat.read(path, as_version=4).cells
    return [line for cell in cells for line in cell.source.splitlines()]


def _hidden_lines(source: NotebookNode) -> set[str]:
    """Return the lines between markers, found by hand, that stand nowhere else."""
    hidden, public, inside = set(), set(), False
    for cell in source.cells:
        for line in cell.source.splitlines():
            if "### BEGIN" in line or "### END" in line:
                inside = "### BEGIN" in line
            elif len(line.strip()) > 15:
                (hidden if inside else public).add(line.strip())
    return hidden - public


POINTS = {
    ASSIGNMENT: {
        "test-gradient-descent": 10,
        "test-sgd": 15,
        "test-adam": 20,
        "test-step-scheduler": 10,
        "test-training-integration": 25,
        "test-convergence-profiler": 30,
        "test-advanced-features": 25,
        "test-ml-systems-integration": 35,
        "question-1-optimizer-memory": 10,
        "question-2-distributed-optimization": 10,
        "question-3-production-integration": 10,
    },
    SECOND: {
        "test-parameter-groups": 5,
        "test-rmsprop": 10,
        "test-nesterov": 10,
        "test-adamw": 20,
        "test-schedules": 20,
        "test-muon": 20,
        "test-weight-average": 5,
        "test-sharded-adamw": 10,
        "question-1-choice-of-optimizer": 10,
        "question-2-more-machines": 10,
    },
}
SOLUTIONS = {
    ASSIGNMENT: {
        "gradient-descent-function",
        "sgd-class",
        "adam-class",
        "steplr-class",
        "training-integration",
        "convergence-profiler",
        "advanced-optimizer-features",
    },
    SECOND: {
        "parameter-groups",
        "rmsprop-class",
        "nesterov-class",
        "adamw-class",
        "schedule-functions",
        "muon-class",
        "weight-average",
        "sharded-adamw",
    },
}


@pytest.mark.parametrize("module", POINTS, ids=lambda module: module.name)
def test_points_are_those_of_the_contract(module):
    cells = [cell for cell in read_source(module.source).cells if "nbgrader" in cell.metadata]
    points = {c.metadata.nbgrader.grade_id: c.metadata.nbgrader.get("points") for c in cells}
    assert {name: worth for name, worth in points.items() if worth} == POINTS[module]
    solutions = {
        c.metadata.nbgrader.grade_id
        for c in cells
        if c.cell_type == "code" and c.metadata.nbgrader.solution
    }
    assert solutions == SOLUTIONS[module]
    for cell in cells:
        if cell.metadata.nbgrader.grade_id in solutions:
            assert cell.source.startswith("#| export\n")


@pytest.mark.parametrize(("module", "count"), [(ASSIGNMENT, 3), (SECOND, 2)])
def test_every_rubric_gives_3_3_2_2_points(module, count):
    prompts = [
        cell.source
        for cell in read_source(module.source).cells
        if "BEGIN MARK SCHEME" in cell.source
    ]
    assert len(prompts) == count
    for prompt in prompts:
        rubric = prompt.split("BEGIN MARK SCHEME")[1]
        found = [line[4] for line in rubric.splitlines() if line.startswith("- **")]
        assert found == ["3", "3", "2", "2"]


def test_the_sample_data_is_the_uci_test_set():
    from tinytorch.datasets import load_digits

    images, labels = load_digits()
    assert (images.shape, images.dtype) == ((1797, 64), np.float32)
    assert (images.min(), images.max()) == (0.0, 1.0)
    counts = np.bincount(labels)
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
