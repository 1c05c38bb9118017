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


@pytest.mark.parametrize("name", TESTS)
def test_functions_of_the_source_pass_when_called_by_name(name):
    getattr(imported(ASSIGNMENT), name)()


@pytest.mark.parametrize("name", ["SGD, momentum 0.9, rate 0.1", "Adam, rate 0.01"])
def test_the_digits_network_reaches_95_percent(name):
    source = imported(ASSIGNMENT)
    _, accuracies = source.train_network(source.OPTIMIZERS[name], source.split_digits())
    assert len(accuracies) == 20
    assert accuracies[-1] >= 0.95


def test_plain_sgd_stays_behind_momentum_at_the_same_rate():
    source = imported(ASSIGNMENT)
    plain, momentum = (
        source.train_network(source.OPTIMIZERS[name], source.split_digits(), epochs=5)[0][-1]
        for name in ("SGD, rate 0.1", "SGD, momentum 0.9, rate 0.1")
    )
    assert momentum < plain / 2


def test_the_released_notebook_shows_no_solution_and_no_rubric(real_course):
    source = read_source(ASSIGNMENT.source)
    path = real_course.release / ASSIGNMENT.name / f"{ASSIGNMENT.notebook}.ipynb"
    package = real_course.package_before(ASSIGNMENT)
    files = [path, *(file for file in package.rglob("*") if file.suffix in {".py", ".md"})]
    received = {line.strip() for file in files for line in _lines(file)}
    shared = [file for place in COURSE.shared for file in place.rglob("*.py")]
    hidden = _hidden_lines(source) - {line.strip() for file in shared for line in _lines(file)}
    assert len(hidden) > 300
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


def test_points_are_those_of_the_contract():
    cells = [cell for cell in read_source(ASSIGNMENT.source).cells if "nbgrader" in cell.metadata]
    points = {c.metadata.nbgrader.grade_id: c.metadata.nbgrader.get("points") for c in cells}
    assert {name: worth for name, worth in points.items() if worth} == {
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
    }
    solutions = {
        c.metadata.nbgrader.grade_id
        for c in cells
        if c.cell_type == "code" and c.metadata.nbgrader.solution
    }
    assert solutions == {
        "gradient-descent-function",
        "sgd-class",
        "adam-class",
        "steplr-class",
        "training-integration",
        "convergence-profiler",
        "advanced-optimizer-features",
    }
    for cell in cells:
        if cell.metadata.nbgrader.grade_id in solutions:
            assert cell.source.startswith("#| export\n")


def test_every_rubric_gives_3_3_2_2_points():
    prompts = [
        cell.source
        for cell in read_source(ASSIGNMENT.source).cells
        if "BEGIN MARK SCHEME" in cell.source
    ]
    assert len(prompts) == 3
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
