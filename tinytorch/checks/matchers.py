"""Expected values that are not one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Matcher:
    """Base of the expected values below; :mod:`~tinytorch.checks.judge` says what they accept."""


@dataclass(frozen=True)
class Between(Matcher):
    """A finite number, or an array of at least one, from `low` to `high` inclusive."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class GreaterThan(Matcher):
    """A number, or an array of at least one, above `bound`; NaN is not."""

    bound: float

    def __str__(self) -> str:
        return f"a number above {self.bound:g}"


@dataclass(frozen=True)
class Contains(Matcher):
    """A string that holds `text`, or a list with such a string."""

    text: str

    def __str__(self) -> str:
        return f"text with {self.text!r} in it"


@dataclass(frozen=True)
class AnyValue(Matcher):
    """Whatever was observed, as long as there is something under the label."""

    def __str__(self) -> str:
        return "any value"


@dataclass(frozen=True)
class Not(Matcher):
    """Everything but `value`."""

    value: Any

    def __str__(self) -> str:
        return f"anything but {self.value}"


class OneOf(Matcher):
    """Any of several expected values."""

    def __init__(self, *choices: Any) -> None:
        self.choices = choices

    def __str__(self) -> str:
        return " or ".join(str(choice) for choice in self.choices)
