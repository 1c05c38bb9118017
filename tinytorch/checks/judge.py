"""Compare observed with expected values: plain data in, a verdict out.

No student's code runs here, and nothing here trusts what it is given: what is missing or of
another kind than expected is a mismatch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytorch.checks.matchers import (
    AnyValue,
    Between,
    Contains,
    GreaterThan,
    Matcher,
    Not,
    OneOf,
)
from tinytorch.checks.observe import Observation
from tinytorch.checks.problem import Problem

#: What :func:`tinytorch.checks.observe.numbers_from` says of a return.
_WRONG_RETURN = re.compile(r"(\w+\(\)) must return (.+?), got (.+)")


@dataclass(frozen=True)
class Tolerance:
    """How far numbers may be apart: ``|got - expected| <= atol + rtol * |expected|``."""

    rtol: float = 1e-4
    atol: float = 1e-6


def judge(expected: Mapping[str, Any], seen: Observation, tolerance: Tolerance) -> Problem | None:
    """Find the first expected value that was not observed.

    Parameters
    ----------
    expected : mapping of str to plain data or Matcher
        What must be seen, by label; further labels do not matter.
    seen : Observation
        What the part saw.
    tolerance : Tolerance
        For all numbers.

    Returns
    -------
    Problem or None
        None if every expected value was observed.
    """
    if seen.error is not None:
        return _raised(expected, seen.error)
    for label, value in expected.items():
        if label not in seen.values:
            return Problem(label, show(value), "nothing")
        problem = compare(label, value, seen.values[label], tolerance)
        if problem is not None:
            return problem
    return None


def _raised(expected: Mapping[str, Any], error: str) -> Problem:
    told, _, source = error.partition("\n")
    if wrong := _WRONG_RETURN.fullmatch(told):
        name, wanted, got = wrong.groups()
        missing = got == "None"
        hint = "Is a return missing?" if missing else "What does its docstring say it returns?"
        return Problem(name, wanted, got, raised=True, source=hint)
    label, value = next(iter(expected.items()))
    return Problem(label, show(value), told, raised=True, source=source)


def compare(label: str, expected: Any, got: Any, tolerance: Tolerance) -> Problem | None:
    """Compare one expected value with the observed one; see :func:`judge`."""
    if isinstance(expected, Matcher):
        accepted = _matches(expected, got, tolerance)
    elif isinstance(expected, Mapping):
        return _compare_mapping(label, expected, got, tolerance)
    elif _is_sequence(expected) and not is_numeric(expected):
        return _compare_sequence(label, expected, got, tolerance)
    elif expected is None or isinstance(expected, (bool, str)):
        accepted = type(got) is type(expected) and got == expected
    else:
        accepted = _close(expected, got, tolerance)
    return None if accepted else Problem(label, show(expected), show(got))


def _compare_mapping(label: str, expected: Any, got: Any, tolerance: Tolerance) -> Problem | None:
    if not isinstance(got, Mapping):
        return Problem(label, show(expected), show(got))
    for key, value in expected.items():
        inner = _inside(label, key)
        if key not in got:
            return Problem(inner, show(value), "nothing")
        problem = compare(inner, value, got[key], tolerance)
        if problem is not None:
            return problem
    return None


def _inside(label: str, key: Any) -> str:
    """Name an item of what a label names: ``w[0]``, but "w after step 12, at [0]"."""
    joined = label.isidentifier() or label.endswith("]")
    return f"{label}[{key!r}]" if joined else f"{label}, at [{key!r}]"


def _compare_sequence(label: str, expected: Any, got: Any, tolerance: Tolerance) -> Problem | None:
    if not (_is_sequence(got) or isinstance(got, np.ndarray) and got.ndim):
        return Problem(label, show(expected), show(got))
    if len(got) != len(expected):
        return Problem(f"number of {label}", str(len(expected)), str(len(got)))
    for position, (value, item) in enumerate(zip(expected, got, strict=True)):
        problem = compare(_inside(label, position), value, item, tolerance)
        if problem is not None:
            return problem
    return None


def _matches(matcher: Matcher, got: Any, tolerance: Tolerance) -> bool:
    match matcher:
        case AnyValue():
            return True
        case OneOf():
            return any(compare("", choice, got, tolerance) is None for choice in matcher.choices)
        case Not():
            return compare("", matcher.value, got, tolerance) is not None
        case Contains():
            texts = got if _is_sequence(got) else [got]
            return any(isinstance(text, str) and matcher.text in text for text in texts)
    numbers = _numbers(got)
    if numbers is None or not numbers.size:  # of no numbers, everything is true
        return False
    match matcher:
        case Between():
            return bool(np.all((numbers >= matcher.low) & (numbers <= matcher.high)))
        case GreaterThan():
            return bool(np.all(numbers > matcher.bound))
    raise TypeError(f"matcher must be one of the course's, got {matcher!r}")


def _close(expected: Any, got: Any, tolerance: Tolerance) -> bool:
    if type(expected) is float and type(got) is float:  # arrays of one number are slow
        return _close_floats(expected, got, tolerance)
    want, have = _numbers(expected), _numbers(got)
    if want is None or have is None or want.shape != have.shape:
        return False
    rtol, atol = tolerance.rtol, tolerance.atol
    if np.isfinite(want).all():  # else inf - inf, which np.allclose knows and is slow for
        return bool((np.abs(have - want) <= atol + rtol * np.abs(want)).all())
    return bool(np.allclose(have, want, rtol=rtol, atol=atol, equal_nan=True))


def _close_floats(expected: float, got: float, tolerance: Tolerance) -> bool:
    if math.isfinite(expected):
        return abs(got - expected) <= tolerance.atol + tolerance.rtol * abs(expected)
    return got == expected or (math.isnan(got) and math.isnan(expected))


def _numbers(value: Any) -> np.ndarray | None:
    """Return a value as float64 array, or None where it is not made of numbers alone."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.ndarray, list, tuple)):
        return None
    if isinstance(value, (list, tuple)) and not is_numeric(value):
        return None
    try:
        array = np.asarray(value, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):  # ragged, or an integer beyond float64
        return None
    return array


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def is_numeric(value: Any) -> bool:
    """Tell whether a value is a number or a rectangular nesting of numbers."""
    if _is_sequence(value):
        if all(type(item) is float for item in value):
            return True
        inner = [_shape(item) for item in value]
        return None not in inner and len(set(inner)) <= 1
    return _shape(value) is not None


def _shape(value: Any) -> tuple[int, ...] | None:
    if isinstance(value, np.ndarray):
        return value.shape
    if _is_sequence(value):
        inner = {_shape(item) for item in value}
        if None in inner or len(inner) > 1:
            return None
        return (len(value), *(inner.pop() if inner else ()))  # type: ignore[misc]
    return () if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def show(value: Any) -> str:
    """Write a value for people, in at most a few lines."""
    if isinstance(value, np.ndarray) or _is_sequence(value) and is_numeric(value):
        text = np.array2string(np.asarray(value), precision=6, separator=", ", threshold=20)
    elif isinstance(value, float):
        text = f"{value:.7g}"
    elif _is_sequence(value):
        text = "[" + ", ".join(show(item) for item in value) + "]"
    elif isinstance(value, Mapping):
        text = "{" + ", ".join(f"{key!r}: {show(item)}" for key, item in value.items()) + "}"
    else:
        text = str(value) if isinstance(value, Matcher) else repr(value)
    return text if len(text) <= 400 else f"{text[:400]} ..."
