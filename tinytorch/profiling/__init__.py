"""Measure and compare optimizers beyond a single run.

Everything here is told about a problem by one function, ``start(seed)``, which returns an
optimizer on fresh parameters and a function that does one training step and returns its loss.
Nothing here knows a rule: any class with ``parameters`` and ``learning_rate`` will do.
"""

from tinytorch.profiling.pictures import (
    draw_performance_profile,
    draw_range_test,
    draw_runs,
    draw_update_ratios,
)
from tinytorch.profiling.range_test import RangeTest, learning_rate_range_test
from tinytorch.profiling.runs import Run, run_seeds, steps_to_target
from tinytorch.profiling.score import PerformanceProfile, performance_profile
from tinytorch.profiling.updates import update_ratios

__all__ = [
    "PerformanceProfile",
    "RangeTest",
    "Run",
    "draw_performance_profile",
    "draw_range_test",
    "draw_runs",
    "draw_update_ratios",
    "learning_rate_range_test",
    "performance_profile",
    "run_seeds",
    "steps_to_target",
    "update_ratios",
]
