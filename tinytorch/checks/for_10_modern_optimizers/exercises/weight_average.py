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
    student: Student, starts: list[Any], weights: list[Any]
) -> Values:
    """Inside the block the averages are the weights; afterwards no more."""
    parameters, average = _moved(student, starts, weights)
    with average.applied():
        inside = [snapshot(parameter) for parameter in parameters]
        are_tensors = all(isinstance(parameter.data, Tensor) for parameter in parameters)
    return {
        "inside": inside,
        "data is a Tensor inside": are_tensors,
        "after the block": [snapshot(parameter) for parameter in parameters],
        "averages afterwards": [snapshot(kept) for kept in average.averages],
    }


def weights_come_back_after_an_error(
    student: Student, starts: list[Any], weights: list[Any]
) -> Values:
    """After a block that writes to the weights and ends by an error, all is as it was."""
    parameters, average = _moved(student, starts, weights)
    before, passed = [snapshot(kept) for kept in average.averages], False
    try:
        with average.applied():
            for parameter in parameters:
                parameter.data.data[...] = 7.0
            raise _InterruptionError
    except _InterruptionError:
        passed = True
    return {
        "weights": [snapshot(parameter) for parameter in parameters],
        "averages, less what they were": [
            snapshot(kept) - old for kept, old in zip(average.averages, before, strict=True)
        ],
        "the error came through": passed,
    }


def _moved(student: Student, starts: list[Any], weights: list[Any]) -> tuple[list[Variable], Any]:
    """Return parameters that have moved since their average began, and the average."""
    parameters = [Variable(start) for start in starts]
    average = student.WeightAverage(parameters, decay=0.5)
    for parameter, moved in zip(parameters, weights, strict=True):
        parameter.data = Tensor(moved)
    return parameters, average


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
