"""Plots of a class, as pictures that a page can hold."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

_INK, _SOFT, _FILL, _NO = "#1d2129", "#5c6470", "#4c78a8", "#b3261e"
_STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _SOFT,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "text.parse_math": False,  # labels are text, whatever a part is called
    # The same marks give the same bytes.
    "svg.hashsalt": "tinytorch",
}
_WIDTH = 7.2
_LONGEST_LABEL = 100
#: Shares of what a cell is worth: their names, limits and colours.
_BANDS = (
    ("nothing", (-1.0, 1e-9), "#b3261e"),
    ("under half", (1e-9, 0.5), "#d98a29"),
    ("half or more", (0.5, 1 - 1e-9), "#6f9bc8"),
    ("all", (1 - 1e-9, 1e9), "#2f7d55"),
)


def totals(values: Sequence[float], worth: float) -> str:
    """Draw how many students reached how many points."""
    with rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, 2.4), layout="constrained")
        axes = figure.subplots()
        axes.hist(values, bins=np.linspace(0, worth, 21).tolist(), color=_FILL, edgecolor="white")
        middle = float(np.median(values))
        axes.axvline(middle, color=_NO, linewidth=1.2)
        axes.annotate(
            f"median {middle:g}",
            (middle, 1),
            (0, 2),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            color=_NO,
            ha="center",
        )
        axes.set(xlim=(0, worth), xlabel="points", ylabel="students")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        return _svg(figure)


def cells(shares: Mapping[str, Sequence[float]]) -> str:
    """Draw how many students earn nothing, little, much and all of what each cell is worth."""
    with rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, 1 + 0.36 * len(shares)), layout="constrained")
        axes = figure.subplots()
        places = list(range(len(shares), 0, -1))
        left = np.zeros(len(shares))
        for name, (low, high), color in _BANDS:
            counts = [sum(low <= share < high for share in values) for values in shares.values()]
            bars = axes.barh(places, counts, left=left, color=color, height=0.7, label=name)
            numbers = [str(count or "") for count in counts]
            axes.bar_label(bars, numbers, label_type="center", color="white", fontsize=8)
            left += counts
        axes.set_yticks(places, list(shares))
        axes.set_ylim(0.4, len(shares) + 0.6)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("students")
        figure.legend(loc="outside upper right", ncols=len(_BANDS), frameon=False)
        return _svg(figure)


def failing(shares: Mapping[str, float]) -> str:
    """Draw the parts that most students fail, worst first."""
    with rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, 0.5 + 0.42 * len(shares)), layout="constrained")
        axes = figure.subplots()
        places = list(range(len(shares), 0, -1))
        bars = axes.barh(places, list(shares.values()), color=_NO, height=0.32)
        axes.bar_label(bars, [f"{share:.0%}" for share in shares.values()], padding=3, color=_INK)
        for place, label in zip(places, shares, strict=True):
            axes.text(0, place + 0.22, _short(label), va="bottom")
        axes.set(xlim=(0, max(0.1, *shares.values()) * 1.12), ylim=(0.6, len(shares) + 0.8))
        axes.set_yticks([])
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        return _svg(figure)


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 3] + "..."


def _svg(figure: Figure) -> str:
    """Return a figure as a link that holds it."""
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(file.getvalue()).decode()}"
