"""Runs over several seeds, and the steps and seconds they take to a target."""

from __future__ import annotations

import importlib.util
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

#: From a seed to an optimizer on fresh parameters, and a function that does one step.
Start = Callable[[int], tuple[Any, Callable[[], float]]]


@dataclass(frozen=True)
class Run:
    """What one training gave.

    Attributes
    ----------
    seed : int
        Of its start.
    losses : numpy.ndarray
        The loss of each step.
    seconds : numpy.ndarray
        The time from the start of the training to the end of each step.
    stopped_by : str or None
        Why it ended early.
    """

    seed: int
    losses: np.ndarray
    seconds: np.ndarray
    stopped_by: str | None = None

    def steps_to(self, target: float, window: int = 1) -> float:
        """Return the number of steps after which the loss is at the target; inf if it never is."""
        return steps_to_target(self.losses, target, window)

    def seconds_to(self, target: float, window: int = 1) -> float:
        """Return the seconds after which the loss is at the target; inf if it never is."""
        steps = self.steps_to(target, window)
        return math.inf if math.isinf(steps) else float(self.seconds[int(steps) - 1])


def steps_to_target(losses: Sequence[float] | np.ndarray, target: float, window: int = 1) -> float:
    """Return the number of the first step, counted from 1, whose loss is at most the target.

    Parameters
    ----------
    losses : sequence of float
        One per step.
    target : float
        The loss to reach.
    window : int, default 1
        How many last losses to average: losses of small batches reach a target by luck.

    Returns
    -------
    float
        A whole number; infinite if the target is not reached.
    """
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window!r}")
    values = np.asarray(losses, dtype=np.float64)
    if len(values) < window:
        return math.inf
    means = np.lib.stride_tricks.sliding_window_view(values, window).mean(axis=1)
    reached = np.flatnonzero(means <= target)
    return float(reached[0] + window) if len(reached) else math.inf


def run_seeds(
    start: Start,
    seeds: Iterable[int],
    steps: int,
    *,
    target: float | None = None,
    window: int = 1,
    label: str = "",
) -> list[Run]:
    """Train once from each seed.

    Parameters
    ----------
    start : callable
        ``start(seed)`` returns an optimizer on fresh parameters and a function that does one step
        and returns the loss.
    seeds : iterable of int
        One run each.
    steps : int
        The largest number of steps of a run.
    target : float, optional
        Ends a run whose loss is at most this.
    window : int, default 1
        How many last losses to average for that.
    label : str
        What a progress bar says; it appears where the runs take longer than a second.

    Returns
    -------
    list of Run
        In the order of the seeds. A run ends early where its loss is no longer finite or a step
        raises `ArithmeticError`; that is a result, too.
    """
    goal = -math.inf if target is None else target
    seeds = list(seeds)
    runs = []
    with progress(len(seeds) * steps, label) as tick:
        for seed in seeds:
            runs.append(_run(start, seed, steps, (goal, window), tick))
            tick(steps - len(runs[-1].losses))
    return runs


def _run(
    start: Start, seed: int, steps: int, goal: tuple[float, int], tick: Callable[[int], Any]
) -> Run:
    _, train_step = start(seed)
    target, window = goal
    seen: list[float] = []
    seconds: list[float] = []
    ended, begin = None, time.perf_counter()
    with np.errstate(over="ignore", invalid="ignore"):  # a divergence is seen in the loss
        for step in range(steps):
            try:
                loss = float(train_step())
            except ArithmeticError as error:
                ended = f"step {step} raised {error!r}"
                break
            seen.append(loss)
            seconds.append(time.perf_counter() - begin)
            tick(1)
            if not math.isfinite(loss):
                ended = f"the loss was {loss} at step {step}"
                break
            if len(seen) >= window and sum(seen[-window:]) / window <= target:
                break
    return Run(seed, np.array(seen), np.array(seconds), ended)


@contextmanager
def progress(total: int, label: str = "") -> Iterator[Callable[[int], Any]]:
    """Show a bar once a second has passed, and yield what moves it on.

    There is none while a notebook is graded, and none where tqdm is not installed.
    """
    if os.environ.get("NBGRADER_EXECUTION") or importlib.util.find_spec("tqdm") is None:
        yield lambda steps: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=total, desc=label or None, delay=1, leave=False) as bar:
        yield bar.update
