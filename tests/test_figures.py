"""Figures of the notebooks: few ticks, with labels that say numbers."""

import warnings

import matplotlib.pyplot as plt
import pytest
from matplotlib.scale import LinearScale, LogScale, register_scale

from tinytorch.figures import prepare_figures

# traitlets' own, of matplotlib_inline.
pytestmark = pytest.mark.filterwarnings("ignore:InlineBackend:DeprecationWarning")


@pytest.fixture
def axes():
    with plt.rc_context({"backend": "agg"}):
        prepare_figures()
        figure, axes = plt.subplots()
        yield axes
        plt.close(figure)
    with warnings.catch_warnings(action="ignore"):  # of matplotlib's own scales
        for scale in (LinearScale, LogScale):
            register_scale(scale)


def labels(axis):
    """What stands at the ticks in view, as numbers."""
    axis.figure.canvas.draw()
    least, most = sorted(axis.get_view_interval())
    every = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    shown = [tick.label1.get_text() for tick in every if least <= tick.get_loc() <= most]
    return sorted(float(text.replace("\N{MINUS SIGN}", "-")) for text in shown if text)


def test_a_linear_axis_has_at_most_seven_ticks_at_round_numbers(axes):
    axes.plot([0, 60], [-0.3, 2.9])
    assert labels(axes.xaxis) == [0, 20, 40, 60]
    assert labels(axes.yaxis) == [0, 1, 2, 3]


def test_a_logarithmic_axis_says_powers_as_numbers_and_more_where_there_are_few(axes):
    axes.loglog([1e-3, 3], [1.5e-2, 6e-2])
    assert labels(axes.xaxis) == [0.001, 0.01, 0.1, 1]
    assert labels(axes.yaxis) == [0.02]
