"""In grading, parts run on fresh inputs too: right solutions pass, whatever the seed."""

import contextlib
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_output

from tests.solutions.harness import FOLDER, ROOT, cells
from tinytorch.checks.observe import OBSERVATION_TYPE, SECONDS_A_PART, Observation, observe
from tinytorch.checks.wire import encode
from tinytorch.tito.course import Course
from tinytorch.tito.grading.exam import Exam, Sitting, prepare
from tinytorch.tito.grading.trusted import driving_source
from tinytorch.tito.source import read_source

SEEDS = range(4)
RIGHT = sorted((FOLDER / "right").glob("*/*.py"))


@cache
def exam(seed: int) -> Exam:
    return prepare(read_source(Course(ROOT).module("08_optimizers").source), seed)


def driven(replaced: dict[str, str]) -> dict[str, Any]:
    """Run what a student's process runs, without a kernel; return its names."""
    namespace: dict[str, Any] = {"__name__": "student"}
    for name, cell in cells():
        graded = cell.metadata.nbgrader.grade
        source = driving_source(cell.source) if graded else replaced.get(name, cell.source)
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(source, name, "exec"), namespace)
    return namespace


def sit(exam: Exam, namespace: dict[str, Any], fresh_only: bool = True):
    """Let a student's names sit the exam; return the parts that lose points, and suspicions."""
    sitting = Sitting.begin(exam)
    lost, suspicious = [], []
    for name, cell in cells():
        if not cell.metadata.nbgrader.grade:
            continue
        cell = type(cell)({**cell, "outputs": []})
        for part, cases in exam.cases[name].items():
            if fresh_only and len(cases) == 1:
                cell.outputs.append(message(sitting, name, part, 0, None))
                continue
            for case, given in enumerate(cases):
                seen = observe(namespace[part], given, SECONDS_A_PART)
                cell.outputs.append(message(sitting, name, part, case, seen))
        report, found = sitting.verdict(cell)
        without = {part for part, cases in exam.cases[name].items() if len(cases) == 1}
        skipped = without if fresh_only else set()
        lost += [p.name for p in report.parts if p.problem and p.points and p.name not in skipped]
        suspicious += found
    return lost, suspicious


def message(sitting: Sitting, grade_id: str, part: str, case: int, seen: Observation | None):
    data = {
        "version": 1,
        "run": sitting.run,
        "grade_id": grade_id,
        "part": part,
        "case": case,
        "values": encode(seen.values if seen else {}),
        "error": seen.error if seen else "not asked",
        "unfinished": False,
        "interrupted": False,
    }
    return new_output("display_data", {OBSERVATION_TYPE: data})


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_right_solution_is_right_for_fresh_inputs(path: Path):
    namespace = driven({path.parent.name: path.read_text()})
    for seed in SEEDS:
        assert sit(exam(seed), namespace) == ([], []), f"seed {seed}"


GIVES_PUBLIC_ANSWERS = """
def gradient_descent_step(parameter, learning_rate):
    if parameter.data.data.tolist() == [1.0, -2.0, 0.5]:
        parameter.data = Tensor([0.95, -1.9, 0.1])
"""


def test_answers_for_the_public_inputs_are_caught_by_fresh_ones():
    namespace = driven({"gradient-descent-function": GIVES_PUBLIC_ANSWERS})
    lost, suspicious = sit(exam(0), namespace)
    assert "each_element_moves_against_its_own_gradient" in lost
    assert "each_element_moves_against_its_own_gradient" in suspicious


def test_every_graded_cell_has_parts_with_fresh_inputs_except_the_one_without_inputs():
    for name, parts in exam(0).cases.items():
        fresh = [part for part, cases in parts.items() if len(cases) > 1]
        assert fresh or name == "test-training-integration", name
