"""Exercises of `test-weight-average`: WeightAverage."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.checks.observe import snapshot
from tinytorch.checks.student import Student, Values
from tinytorch.core.autograd import Variable
from tinytorch.core.tensor import Tensor


class _InterruptionError(Exception):
    """What ends a block too early."""


def averages_follow_the_weights(
    student: Student, weights: list[list[float]], decay: float
) -> Values:
    """Averages begin at the weights, and each update takes a part of the present ones in."""
    w = Variable(weights[0])
    average = student.WeightAverage([w], decay=decay)
    seen = [snapshot(average.averages[0])]
    for row in weights[1:]:
        w.data.data[...] = row  # in place, as optimizers may
        seen.append(snapshot(average.averages[0]))
        average.update()
        seen.append(snapshot(average.averages[0]))
    return {"averages before and after each update": seen}


def averages_are_applied_and_taken_back(
    student: Student, start: list[float], weights: list[float]
) -> Values:
    """Inside the block the averages are the weights; afterwards, and after an error, no more."""
    w = Variable(start)
    average = student.WeightAverage([w], decay=0.5)
    w.data = Tensor(weights)
    with average.applied():
        inside, is_tensor = snapshot(w), isinstance(w.data, Tensor)
    after, passed = snapshot(w), False
    try:
        with average.applied():
            raise _InterruptionError
    except _InterruptionError:
        passed = True
    return {
        "inside": inside,
        "data is a Tensor inside": is_tensor,
        "after the block": after,
        "after a block that an error ended": snapshot(w),
        "the error came through": passed,
        "averages afterwards": snapshot(average.averages[0]),
    }


def every_parameter_has_its_own_average(student: Student, starts: list[Any]) -> Values:
    """Parameters of any shape have an average each; weights stay, and the decay is 0.99."""
    parameters = [Variable(start) for start in starts]
    average = student.WeightAverage(parameters)
    for parameter in parameters:
        parameter.data = Tensor(snapshot(parameter) + 1.0)
    average.update()
    moved = [snapshot(a) - start for a, start in zip(average.averages, starts, strict=True)]
    changes = [
        float(np.abs(snapshot(p) - np.array(start) - 1.0).max())
        for p, start in zip(parameters, starts, strict=True)
    ]
    return {"averages, less the start": moved, "weights, less what they were": changes}
