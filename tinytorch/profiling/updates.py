"""How far a step moves each parameter, measured by the parameter's own length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def update_ratios(
    parameters: Sequence[Any], train_step: Callable[[], float], steps: int
) -> np.ndarray:
    """Train, and record the length of each parameter's update over that of the parameter.

    Parameters
    ----------
    parameters : sequence of Variable
        What `train_step` trains.
    train_step : callable
        Does one step.
    steps : int
        How many to do.

    Returns
    -------
    numpy.ndarray, shape (steps, number of parameters)
        ``||w_after - w_before|| / ||w_before||``; NaN where a parameter was zero, as biases are
        at the start.
    """
    ratios = np.full((steps, len(parameters)), np.nan)
    for row in ratios:
        before = [parameter.data.data.astype(np.float64) for parameter in parameters]
        train_step()
        for index, (parameter, old) in enumerate(zip(parameters, before, strict=True)):
            length = np.linalg.norm(old)
            if length > 0:
                row[index] = np.linalg.norm(parameter.data.data - old) / length
    return ratios
