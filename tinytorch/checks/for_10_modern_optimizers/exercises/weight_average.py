"""Exercises of `test-weight-average`: WeightAverage."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.checks.observe import snapshot
from tinytorch.checks.student import Student, Values
from tinytorch.core.autograd import Variable
from tinytorch.core.tensor import Tensor


class _EndError(Exception):
    """What ends a block too early."""


class _InterruptionError(BaseException):
    """What ends it too, and is no error of the program, such as KeyboardInterrupt."""


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
    w.data.data[...] = weights[-1]  # the same again, which pull the average on
    average.update()
    seen.append(snapshot(average.averages[0]))
    return {"averages before and after each update": seen}


def averages_are_applied_and_taken_back(
    student: Student, starts: list[Any], weights: list[Any]
) -> Values:
    """Inside the block the averages are the weights; afterwards no more."""
    parameters, average = _moved(student, starts, weights)
    before = [snapshot(parameter) for parameter in parameters]
    parameters[0].grad = Variable(np.ones(parameters[0].data.shape))
    with average.applied():
        with average.applied():  # as a function that evaluates inside another does
            pass
        inside = [snapshot(parameter) for parameter in parameters]
        are_tensors = all(isinstance(parameter.data, Tensor) for parameter in parameters)
    return {
        "inside": inside,
        "data is a Tensor inside": are_tensors,
        "after the block": [snapshot(parameter) for parameter in parameters],
        "the same to the bit": [
            np.array_equal(snapshot(p), old) for p, old in zip(parameters, before, strict=True)
        ],
        "averages afterwards": [snapshot(kept) for kept in average.averages],
        "its gradient": snapshot(parameters[0].grad),
        "requires_grad": [parameter.requires_grad for parameter in parameters],
    }


def weights_come_back_after_an_error(
    student: Student, starts: list[Any], weights: list[Any]
) -> Values:
    """After a block that writes to the weights and ends by an error, all is as it was."""
    parameters, average = _moved(student, starts, weights)
    before, passed = [snapshot(kept) for kept in average.averages], []
    for error in (_EndError, _InterruptionError):
        try:
            with average.applied():
                parameters[0].data = Tensor(np.full(parameters[0].data.shape, 7.0))
                parameters[1].data.data[...] = 7.0
                raise error
        except error:
            passed.append(error.__name__)
    return {
        "weights": [snapshot(parameter) for parameter in parameters],
        "averages, less what they were": [
            snapshot(kept) - old for kept, old in zip(average.averages, before, strict=True)
        ],
        "errors that came through": len(passed),
    }


def _moved(student: Student, starts: list[Any], weights: list[Any]) -> tuple[list[Variable], Any]:
    """Return parameters that have moved since their average began, and the average."""
    parameters = [Variable(start) for start in starts]
    average = student.WeightAverage(parameters, decay=0.5)
    for parameter, moved in zip(parameters, weights, strict=True):
        parameter.data = Tensor(np.array(moved))  # float64, of which a copy must keep all bits
    return parameters, average


def every_parameter_has_its_own_average(
    student: Student, starts: list[Any], moves: list[float]
) -> Values:
    """Parameters of any shape have an average each; weights stay, and the decay is 0.99."""
    # The second needs no gradient, and is averaged all the same.
    parameters = [Variable(start, index != 1) for index, start in enumerate(starts)]
    average, last = student.WeightAverage(parameters), student.WeightAverage(parameters, 0.0)
    for parameter, move in zip(parameters, moves, strict=True):
        parameter.data = Tensor(snapshot(parameter) + move)
    average.update()
    last.update()
    moved = [snapshot(a) - start for a, start in zip(average.averages, starts, strict=True)]
    changes = [
        float(np.abs(snapshot(p) - np.array(start) - move).max())
        for p, start, move in zip(parameters, starts, moves, strict=True)
    ]
    return {
        "averages, less the start": moved,
        "weights, less what they were": changes,
        "averages with decay 0, less the weights": [
            snapshot(a) - snapshot(p) for a, p in zip(last.averages, parameters, strict=True)
        ],
        "decay by default and as given": [average.decay, last.decay],
        "parameters are those given": [
            p is given for p, given in zip(average.parameters, parameters, strict=True)
        ],
    }
