"""A mark does not depend on what was drawn: all seeds take the same parts of a wrong solution."""

import warnings

import pytest

from tests.solutions.session import plan, fails, student
from tests.solutions.wrong_ideas import wrong_solutions

SEEDS = tuple(range(20))


@pytest.mark.parametrize("wrong", wrong_solutions(), ids=str)
def test_a_part_fails_on_the_public_inputs_or_for_each_of_20_seeds_or_for_none(wrong):
    drawn = plan(SEEDS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = student({wrong.cell: wrong.source})
        found = {
            part: outcome
            for cell in wrong.loses
            for part, outcome in fails(drawn, cell, names).items()
            if not outcome[0] and len(set(outcome[1:])) > 1
        }
    assert found == {}
