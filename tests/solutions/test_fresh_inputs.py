"""In grading, parts run on fresh inputs too: right solutions pass, whatever the seed."""

from pathlib import Path

import pytest

from tests.solutions.harness import FOLDER
from tests.solutions.sitting import driven, exam, sit

SEEDS = range(4)
RIGHT = sorted((FOLDER / "right").glob("*/*.py"))


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
