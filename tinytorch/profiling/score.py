"""Performance profiles: how optimizers compare over many problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PerformanceProfile:
    """For each optimizer, the share of problems it solves within a factor of the best.

    Attributes
    ----------
    ratios : dict of str to numpy.ndarray
        One entry per problem: the optimizer's cost over the lowest of all; infinite where it did
        not reach the target.
    largest : float
        The factor up to which the score counts.
    """

    ratios: dict[str, np.ndarray]
    largest: float

    def share_within(self, name: str, factor: float) -> float:
        """Return the share of problems that an optimizer solves within a factor of the best."""
        return float(np.mean(self.ratios[name] <= factor))

    def score(self, name: str) -> float:
        """Return the mean of `share_within` over the factors from 1 to `largest`: 0 to 1.

        Notes
        -----
        The integral of a staircase: each solved problem counts from its ratio on.
        """
        covered = np.clip(self.largest - self.ratios[name], 0, None) / (self.largest - 1)
        return float(np.mean(covered))

    def ranking(self) -> list[str]:
        """Return the names, highest score first."""
        return sorted(self.ratios, key=self.score, reverse=True)


def performance_profile(
    costs: Mapping[str, Sequence[float]], largest: float = 4.0
) -> PerformanceProfile:
    """Compare optimizers over problems by the cost of reaching each problem's target.

    Parameters
    ----------
    costs : mapping of str to sequence of float
        By optimizer, one cost per problem, in the same order for all: steps, or seconds. Positive;
        infinite where the target was not reached.
    largest : float, default 4
        More than 1. A problem solved at a higher cost than this many times the lowest counts as
        unsolved in the score.

    Notes
    -----
    A problem that nobody solves counts against all. The scores depend on who takes part: with
    another competitor, "the best" is another.

    References
    ----------
    E. Dolan, J. Moré, Benchmarking Optimization Software with Performance Profiles, 2002. G. Dahl
    et al., Benchmarking Neural Network Training Algorithms, 2023 (AlgoPerf; it takes 4, too).
    """
    if not largest > 1:
        raise ValueError(f"largest must be more than 1, got {largest!r}")
    lengths = {name: len(row) for name, row in costs.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise ValueError(f"costs must have one entry per problem for each optimizer, got {lengths}")
    table = np.array([list(row) for row in costs.values()], dtype=np.float64)
    if not np.all(table > 0):  # false for NaN, too
        raise ValueError(f"costs must be positive, or infinite, got {table.tolist()}")
    best = table.min(axis=0)
    ratios = np.where(np.isfinite(table), table / np.where(np.isfinite(best), best, 1), np.inf)
    return PerformanceProfile(dict(zip(costs, ratios, strict=True)), float(largest))
