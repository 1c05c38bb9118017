"""What was not as expected."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """The first thing that was not as expected.

    Attributes
    ----------
    label : str
        Where: the label of the value, with an index where it is a list.
    expected, got : str
        Both sides, as text.
    raised : bool
        Whether what came out is an exception.
    source : str
        Where the exception came from, in words, if that could be told: the hint that counts.
    """

    label: str
    expected: str
    got: str
    raised: bool = False
    source: str = ""
