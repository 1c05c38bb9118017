"""How the notebooks draw: one style, and few ticks with plain labels.

A tick takes as long to draw as a curve, and a typeset power several times as long. A notebook with
fifteen figures runs a fifth faster without most of them.
"""

from __future__ import annotations

from typing import Any

from matplotlib import rcParams
from matplotlib.axis import Axis
from matplotlib.scale import LinearScale, LogScale, register_scale
from matplotlib.ticker import LogFormatterSciNotation, LogLocator, MaxNLocator
from matplotlib_inline.config import InlineBackend

_STYLE: dict[Any, Any] = {
    "figure.figsize": (6.4, 3.4),
    "figure.subplot.left": 0.12,
    "figure.subplot.right": 0.98,
    "figure.subplot.bottom": 0.16,
    "figure.subplot.top": 0.9,
    "figure.subplot.wspace": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
}
_AS_IT_IS: dict[str, Any] = {"bbox_inches": None}


def prepare_figures() -> None:
    """Give the figures of a notebook their style, until its kernel ends."""
    # bbox_inches="tight" would draw every figure twice, so the margins are set in the style.
    InlineBackend.instance().print_figure_kwargs = _AS_IT_IS
    rcParams.update(_STYLE)
    for scale in (_FewTicks, _FewPowers):
        register_scale(scale)


class _PlainLabels(LogFormatterSciNotation):
    """Writes 0.01, at the ticks at which matplotlib would write a power."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:g}" if super().__call__(x, pos) else ""


class _FewTicks(LinearScale):
    """The linear scale, under its name, with at most seven ticks."""

    def __init__(self, *args: Any, **options: Any) -> None:  # before matplotlib 3.11 with the axis
        super().__init__(*args, **options)

    def set_default_locators_and_formatters(self, axis: Axis) -> None:
        super().set_default_locators_and_formatters(axis)
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


class _FewPowers(LogScale):
    """The logarithmic scale, under its name, with three ticks a decade."""

    def __init__(self, *args: Any, **options: Any) -> None:  # before matplotlib 3.11 with the axis
        super().__init__(*args, **options)

    def set_default_locators_and_formatters(self, axis: Axis) -> None:
        super().set_default_locators_and_formatters(axis)
        axis.set_major_formatter(_PlainLabels(self.base))
        axis.set_minor_locator(LogLocator(self.base, subs=(2, 5)))
        axis.set_minor_formatter(_PlainLabels(self.base))
