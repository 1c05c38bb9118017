"""What was measured, held to its target; and what is to be expected of more processors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Row:
    """A ratio of two things that were measured in one run, and what it should be.

    Attributes
    ----------
    what : str
        What is compared with what.
    measured : float or None
        None where one of the two was not measured.
    target : float
        The least, where more is better; otherwise the most.
    more_is_better : bool
        Whether the target is the least.
    """

    what: str
    measured: float | None
    target: float
    more_is_better: bool = False

    @property
    def verdict(self) -> str:
        """Whether the target is met."""
        if self.measured is None:
            return "not measured"
        is_met = (
            self.measured >= self.target if self.more_is_better else self.measured <= self.target
        )
        return "met" if is_met else "missed"


def table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of a table of targets."""
    width = max(len(row.what) for row in rows)
    lines = [f"{'':{width}}{'measured':>10}{'target':>9}"]
    for row in rows:
        measured = "-" if row.measured is None else f"{row.measured:.2f}"
        target = f"{'>=' if row.more_is_better else '<='} {row.target:g}"
        lines.append(f"{row.what:{width}}{measured:>10}{target:>9}  {row.verdict}")
    return lines


def ratio(of: float | None, to: float | None) -> float | None:
    """Return a ratio, if both are known."""
    return None if of is None or to is None else of / to


@dataclass(frozen=True)
class Amdahl:
    """Seconds a submission, of which processors share a part: ``serial + shared / processors``."""

    serial: float
    shared: float

    @classmethod
    def fitted(cls, on_one: float, on_two: float) -> Amdahl:
        """Return the model that explains the rates (a second) on one and on two processors."""
        serial = max(0.0, 2 / on_two - 1 / on_one)
        return cls(serial, 1 / on_one - serial)

    def rate(self, processors: int) -> float:
        """Return how many submissions a second are expected."""
        return 1 / (self.serial + self.shared / processors)


def heading(what: str) -> str:
    """Return what a file of results begins with."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    processors = len(os.sched_getaffinity(0))
    day = f"{date.today():%-d %B %Y}"
    return f"# {what}\n\n{day}, {processors} processors; load at the end: {load}.\n"
