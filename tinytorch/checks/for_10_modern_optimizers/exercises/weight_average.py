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
    """Inside the block the averages are the weights; afterwards no more."""
    w, average = _moved(student, start, weights)
    with average.applied():
        inside, is_tensor = snapshot(w), isinstance(w.data, Tensor)
    return {
        "inside": inside,
        "data is a Tensor inside": is_tensor,
        "after the block": snapshot(w),
        "averages afterwards": snapshot(average.averages[0]),
    }


def weights_come_back_after_an_error(
    student: Student, start: list[float], weights: list[float]
) -> Values:
    """After a block that writes to the weights and ends by an error, all is as it was."""
    w, average = _moved(student, start, weights)
    before, passed = snapshot(average.averages[0]), False
    try:
        with average.applied():
            w.data.data[...] = 7.0
            raise _InterruptionError
    except _InterruptionError:
        passed = True
    return {
        "weights": snapshot(w),
        "averages, less what they were": snapshot(average.averages[0]) - before,
        "the error came through": passed,
    }


def _moved(student: Student, start: list[float], weights: list[float]) -> tuple[Variable, Any]:
    """Return a parameter that has moved since its average began, and the average."""
    w = Variable(start)
    average = student.WeightAverage([w], decay=0.5)
    w.data = Tensor(weights)
    return w, average


def every_parameter_has_its_own_average(
    student: Student, starts: list[Any], moves: list[float]
) -> Values:
    """Parameters of any shape have an average each; weights stay, and the decay is 0.99."""
    parameters = [Variable(start) for start in starts]
    average = student.WeightAverage(parameters)
    for parameter, move in zip(parameters, moves, strict=True):
        parameter.data = Tensor(snapshot(parameter) + move)
    average.update()
    moved = [snapshot(a) - start for a, start in zip(average.averages, starts, strict=True)]
    changes = [
        float(np.abs(snapshot(p) - np.array(start) - move).max())
        for p, start, move in zip(parameters, starts, moves, strict=True)
    ]
    return {"averages, less the start": moved, "weights, less what they were": changes}
