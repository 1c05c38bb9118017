"""Expected values against observed ones."""

import numpy as np
import pytest

from tinytorch.checks import AnyValue, Between, Contains, GreaterThan, Not, OneOf
from tinytorch.checks.judge import Tolerance, compare, judge, show
from tinytorch.checks.observe import Observation
from tinytorch.checks.problem import Problem

NAN, INF = float("nan"), float("inf")


def accepts(expected, got) -> bool:
    return compare("x", expected, got, Tolerance()) is None


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (1.0, 1.00001),
        (1, 1.0),
        (0.1, np.array(0.1, dtype=np.float32)),
        ([1.0, 2.0], np.array([1, 2])),
        ([[1.0], [2.0]], [np.array([1.0]), np.array([2.0], dtype=np.float32)]),
        (np.zeros((2, 3)), np.full((2, 3), 1e-7)),
        (NAN, NAN),
        (INF, INF),
        ([1.0, INF], [1.0, INF]),
        (None, None),
        (True, True),
        ("sgd", "sgd"),
        (["a", "b"], ["a", "b"]),
        ([1.0, None], [1.0, None]),
        ({"a": [1.0]}, {"a": [1.0], "more": 3}),
        (Between(0, 1), 1.0),
        (Between(0, 1), np.array([0.0, 0.5])),
        (GreaterThan(0), INF),
        (Contains("lr"), "the lr is"),
        (Contains("lr"), ["no", "the lr is"]),
        (AnyValue(), None),
        (Not(3.0), 4.0),
        (Not(None), 0.0),
        (OneOf(1.0, None), None),
        (OneOf([1.0, 2.0], [3.0, 4.0]), np.array([3.0, 4.0])),
    ],
)
def test_accepts(expected, got):
    assert accepts(expected, got)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (1.0, 1.001),
        (1.0, -1.0),
        (1.0, NAN),
        (INF, -INF),
        (1.0, True),
        (True, 1),
        (1.0, "1.0"),
        (1.0, None),
        (1.0, [1.0]),
        (0.0, []),
        ([1.0, 2.0], [1.0, 2.0, 3.0]),
        ([1.0, 2.0], [[1.0, 2.0]]),
        ([[1.0], [2.0]], [1.0, 2.0]),
        ([1.0, 2.0], {"0": 1.0, "1": 2.0}),
        (None, 0.0),
        (None, False),
        ("sgd", "adam"),
        (["a", "b"], ["b", "a"]),
        (["a", "b"], "ab"),
        ([1.0, None], [1.0, 1.0]),
        ({"a": 1.0}, {"b": 1.0}),
        ({"a": 1.0}, [1.0]),
        (Between(0, 1), NAN),
        (Between(0, 1), 1.01),
        (Between(0, 1), True),
        (Between(0, 1), "0.5"),
        (Between(0, 1), [0.5, 2.0]),
        (GreaterThan(0), NAN),
        (GreaterThan(0), 0.0),
        (GreaterThan(0), None),
        (GreaterThan(0), []),
        (GreaterThan(0), np.zeros((0, 3))),
        (Between(0, 1), []),
        (Between(0, 1), [[], []]),
        (Between(0, 1), np.zeros((0, 3))),
        (Contains("lr"), "rate"),
        (Contains("lr"), []),
        (Contains(""), []),
        (OneOf(1.0, 2.0), []),
        (Contains("lr"), None),
        (Not(3.0), 3.0),
        (OneOf(1.0, 2.0), 3.0),
    ],
)
def test_refuses(expected, got):
    assert not accepts(expected, got)


def test_an_integer_too_large_for_a_float_is_a_mismatch_and_not_a_crash():
    assert not accepts(1.0, 10**400)


def test_every_expected_label_must_be_there():
    problem = judge({"a": 1.0, "b": 2.0}, Observation({"a": 1.0}), Tolerance())
    assert (problem.label, problem.expected, problem.got) == ("b", "2", "nothing")


def test_an_error_is_a_mismatch_even_where_any_value_would_do():
    problem = judge({"a": AnyValue()}, Observation({}, "ValueError: no"), Tolerance())
    assert problem.got == "ValueError: no"


def test_a_mismatch_in_a_list_names_its_place():
    problem = compare("rates", ["a", None], ["a", 2.0], Tolerance())
    assert (problem.label, problem.expected, problem.got) == ("rates[1]", "None", "2")


@pytest.mark.parametrize(
    ("label", "expected", "got", "where"),
    [
        ("steps 1, 2 and 12", [0.0, None], [1.0, None], "steps 1, 2 and 12, at [0]"),
        ("starts of w and b", {"SGD": ["a"]}, {"SGD": ["b"]}, "starts of w and b, at ['SGD'][0]"),
        ("w", {"SGD": ["a"]}, {"SGD": ["b"]}, "w['SGD'][0]"),
    ],
)
def test_an_index_is_not_glued_to_a_phrase(label, expected, got, where):
    assert compare(label, expected, got, Tolerance()).label == where


def test_an_exception_and_where_it_came_from_are_told_apart():
    problem = judge({"a": 1.0}, Observation({}, "ValueError: no\nline 3: f()"), Tolerance())
    assert (problem.got, problem.source, problem.raised) == ("ValueError: no", "line 3: f()", True)


@pytest.mark.parametrize(
    ("got", "hint"),
    [
        ("a tuple of two tuples", "What does its docstring say it returns?"),
        ("None", "Is a return missing?"),
    ],
)
def test_a_wrong_return_is_shown_as_expected_and_got(got, hint):
    told = f"train() must return four numbers, got {got}"
    problem = judge({"w": 2.0}, Observation({}, told), Tolerance())
    assert problem == Problem("train()", "four numbers", got, raised=True, source=hint)


def test_a_tolerance_is_relative_to_the_expected_value():
    assert compare("x", 1000.0, 1001.0, Tolerance(rtol=2e-3, atol=0)) is None
    assert compare("x", 1000.0, 1003.0, Tolerance(rtol=2e-3, atol=0)) is not None


def test_long_values_are_shown_short():
    assert len(show(np.arange(100_000.0))) < 500
    assert len(show(["x" * 50] * 50)) < 500
