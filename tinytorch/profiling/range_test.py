"""The learning-rate range test: all rates in one short run."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytorch.profiling.runs import progress


@dataclass(frozen=True)
class RangeTest:
    """The loss of a run whose rate rises at every step.

    Attributes
    ----------
    rates, losses, smoothed : numpy.ndarray
        One entry per step: the rate, the loss *before* the step at that rate, and its running mean.
    steepest : float
        The rate at which the smoothed loss falls fastest.
    limit : float
        The rate at which the smoothed loss is lowest: beyond it, training gets worse.
    diverged : bool
        Whether the run was ended because the loss had grown.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    steepest: float
    limit: float
    diverged: bool


def learning_rate_range_test(
    optimizer: Any,
    train_step: Callable[[], float],
    lowest: float = 1e-5,
    highest: float = 10.0,
    steps: int = 100,
    smoothing: float = 0.9,
) -> RangeTest:
    """Train while the rate rises from the lowest to the highest, evenly on a logarithmic scale.

    Parameters
    ----------
    optimizer : object
        Its `learning_rate` is set before each step, and put back at the end. Its parameters are
        trained, so take a fresh network.
    train_step : callable
        Does one step and returns the loss before it.
    lowest, highest : float
        The rates of the first and of the last step.
    steps : int, default 100
        At least 2. Fewer are done where the loss diverges: where its running mean has grown to four
        times the lowest seen, or is not finite.
    smoothing : float, default 0.9
        Share of the old value in the running mean (which is corrected for its start, as Adam's).

    References
    ----------
    L. Smith, Cyclical Learning Rates for Training Neural Networks, 2017.
    """
    if not 0 < lowest < highest:
        raise ValueError(f"lowest must be between 0 and highest, got {lowest!r} and {highest!r}")
    if steps < 2:
        raise ValueError(f"steps must be at least 2, got {steps!r}")
    rates = np.geomspace(lowest, highest, steps)
    seen: list[float] = []
    smoothed: list[float] = []
    before, mean, diverged = optimizer.learning_rate, 0.0, False
    try:
        with np.errstate(over="ignore", invalid="ignore"), progress(steps, "range test") as tick:
            for step, rate in enumerate(rates, start=1):
                optimizer.learning_rate = float(rate)
                loss = float(train_step())
                mean = smoothing * mean + (1 - smoothing) * loss
                current = mean / (1 - smoothing**step)
                diverged = not math.isfinite(current) or current > 4 * min([current, *smoothed])
                if diverged:
                    break
                seen.append(loss)
                smoothed.append(current)
                tick(1)
    finally:
        optimizer.learning_rate = before
    if len(smoothed) < 2:
        raise ValueError(f"the loss diverged at once; lowest must be less than {lowest!r}")
    return _summary(rates[: len(seen)], np.array(seen), np.array(smoothed), diverged)


def _summary(
    rates: np.ndarray, losses: np.ndarray, smoothed: np.ndarray, diverged: bool
) -> RangeTest:
    slope = np.gradient(smoothed, np.log(rates))
    lowest = int(np.argmin(smoothed))
    steepest = int(np.argmin(slope[: lowest + 1]))
    return RangeTest(
        rates, losses, smoothed, float(rates[steepest]), float(rates[lowest]), diverged
    )
