"""What the graded cells of the optimizers say of slips that many make."""

import pytest

from tests.solutions.harness import assignment

TRAINING, TEST = "training-integration", "test-training-integration"


def part(name: str, old: str, new: str):
    """Return the verdict on a part where the reference's training has one change."""
    source = assignment(TRAINING).cells[TRAINING].source
    assert old in source
    report = assignment(TEST).report(TEST, {TRAINING: source.replace(old, new)})
    return next(part for part in report.parts if part.name == name)


@pytest.mark.filterwarnings("ignore")  # of an overflow
def test_where_a_fit_is_nan_no_start_is_said_to_be_wrong():
    verdict = part("both_start_from_the_same_point", "optimizer.zero_grad()\n", "pass\n")
    assert verdict.problem.label == "start of what came to be w and b, at ['SGD']"
    assert verdict.problem.got == "'not known: the fit ended in NaN'"


@pytest.mark.parametrize(
    ("returned", "got"),
    [("(sgd_w, sgd_b), (adam_w, adam_b)", "a tuple of two tuples"), ("None", "None")],
)
def test_a_wrong_return_is_told_as_such(returned, got):
    old = "return sgd_w, sgd_b, adam_w, adam_b"
    problem = part("sgd_finds_the_line", old, f"return {returned}").problem
    assert (problem.label, problem.expected, problem.got) == (
        *("train_simple_model()", "four numbers"),
        got,
    )
