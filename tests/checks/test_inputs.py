"""Fresh inputs have the form of the public ones, and other numbers."""

import numpy as np
import pytest

from tinytorch.checks import Checks
from tinytorch.checks.inputs import draw

GIVEN = {
    "start": [1.0, [-2.0, 0.0]],
    "runs": {"a": [float("inf"), 3.0], "b": "text"},
    "steps": 3,
    "rate": 0.1,
}


def drawn(seed, vary=("start", "runs"), choose=None):
    return draw(GIVEN, vary, choose or {}, np.random.default_rng(seed))


def test_numbers_change_and_keep_sign_size_and_place():
    fresh = drawn(0)
    first, (second, zero) = fresh["start"]
    assert first != 1.0 and 0.6 <= first <= 1.4
    assert second != -2.0 and -2.8 <= second <= -1.2
    assert zero == 0.0
    assert fresh["runs"]["a"][0] == float("inf") and fresh["runs"]["b"] == "text"
    assert fresh["runs"]["a"][1] != 3.0


def test_what_is_not_named_stays():
    fresh = drawn(0)
    assert (fresh["steps"], fresh["rate"]) == (3, 0.1)


def test_integers_stay_even_where_named():
    assert drawn(0, vary=("steps",))["steps"] == 3


def test_a_choice_is_one_of_the_values():
    seen = {drawn(seed, choose={"steps": (2, 4, 5)})["steps"] for seed in range(40)}
    assert seen == {2, 4, 5}


def test_the_same_seed_gives_the_same_inputs_and_another_gives_others():
    assert drawn(7) == drawn(7) != drawn(8)


def test_the_public_inputs_are_not_touched():
    before = repr(GIVEN)
    drawn(1)
    assert repr(GIVEN) == before


def test_varying_an_input_that_is_not_given_is_refused():
    checks = Checks("test-x", points=1, names=[])
    with pytest.raises(ValueError, match="must name inputs, got .'y'."):
        checks.part(print, 1, expect={}, hint="", inputs={"x": 1.0}, randomize=["y"])
