"""Pictures of what the other modules measure; each draws on an axes and returns it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tinytorch.profiling.range_test import RangeTest
from tinytorch.profiling.runs import Run
from tinytorch.profiling.score import PerformanceProfile

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_range_test(test: RangeTest, label: str = "", axes: Axes | None = None) -> Axes:
    """Draw the losses of a range test over the rate, with a mark where they fall fastest."""
    axes = _axes(axes)
    (line,) = axes.semilogx(test.rates, test.smoothed, label=label or None)
    axes.semilogx(test.rates, test.losses, ".", markersize=2, alpha=0.4, color=line.get_color())
    axes.axvline(test.steepest, color=line.get_color(), linestyle=":", linewidth=1)
    axes.set(xlabel="learning rate, rising at every step", ylabel="loss")
    return axes


def draw_runs(
    runs: Mapping[str, Sequence[Run]], target: float | None = None, axes: Axes | None = None
) -> Axes:
    """Draw the median loss over the seeds of each optimizer, in a band from lowest to highest."""
    axes = _axes(axes)
    for name, group in runs.items():
        longest = max(len(run.losses) for run in group)
        table = np.full((len(group), longest), np.nan)
        for row, run in zip(table, group, strict=True):
            row[: len(run.losses)] = run.losses
        steps = np.arange(1, longest + 1)
        # Where one run has ended the median would be that of others: draw what all still have.
        common = ~np.isnan(table).any(axis=0)
        (line,) = axes.semilogy(steps[common], np.median(table[:, common], axis=0), label=name)
        axes.fill_between(
            steps[common],
            table[:, common].min(axis=0),
            table[:, common].max(axis=0),
            color=line.get_color(),
            alpha=0.2,
            linewidth=0,
        )
    if target is not None:
        axes.axhline(target, color="0.5", linestyle=":", linewidth=1)
    axes.set(xlabel="step", ylabel="loss")
    return axes


def draw_performance_profile(profile: PerformanceProfile, axes: Axes | None = None) -> Axes:
    """Draw, for each optimizer, the share of problems it solves over the factor it may take."""
    axes = _axes(axes)
    for name in profile.ranking():
        solved = profile.ratios[name][profile.ratios[name] <= profile.largest]
        factors = [1.0, *np.sort(solved), profile.largest]
        heights = [profile.share_within(name, factor) for factor in factors]
        label = f"{name} (score {profile.score(name):.2f})"
        axes.step(factors, heights, where="post", label=label)
    axes.set(
        xlabel="cost, in multiples of the lowest",
        ylabel="share of problems solved",
        xlim=(1, profile.largest),
        ylim=(-0.03, 1.03),
    )
    return axes


def draw_update_ratios(ratios: np.ndarray, names: Sequence[str], axes: Axes | None = None) -> Axes:
    """Draw the update-to-weight ratio of each parameter, with the rule of thumb of 1/1000."""
    axes = _axes(axes)
    for name, column in zip(names, ratios.T, strict=True):
        axes.semilogy(np.arange(1, len(column) + 1), column, linewidth=1, label=name)
    axes.axhline(1e-3, color="0.5", linestyle=":", linewidth=1)
    axes.set(xlabel="step", ylabel="length of update / length of weights")
    return axes


def _axes(axes: Axes | None) -> Axes:
    if axes is not None:
        return axes
    import matplotlib.pyplot as plt

    return plt.subplots()[1]
