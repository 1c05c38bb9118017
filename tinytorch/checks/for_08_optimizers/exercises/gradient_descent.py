"""Exercises of `test-gradient-descent`: gradient_descent_step."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.checks.observe import snapshot
from tinytorch.checks.student import Student, Values
from tinytorch.core.autograd import Variable
from tinytorch.core.tensor import Tensor

NAN = float("nan")


def each_element_moves_against_its_own_gradient(
    student: Student, start: list[list[float]], gradient: list[list[float]], rate: float
) -> Values:
    """Each element moves against its own gradient: w - learning_rate * g."""
    w = Variable(start)
    w.grad = Variable(gradient)
    student.gradient_descent_step(w, rate)
    return {"w, in one row": np.ravel(snapshot(w))}


def the_rate_is_the_one_given(
    student: Student, start: float, gradient: float, rates: list[float]
) -> Values:
    """Each call uses the learning rate it is given, also 0 and rates above 1."""
    values = []
    for rate in rates:
        w = Variable(start)
        w.grad = Variable(gradient)
        student.gradient_descent_step(w, rate)
        values.append(snapshot(w))
    return {"w for each rate": values}


def data_stays_a_tensor_of_its_shape(
    student: Student, shapes: list[list[Any] | list[int]]
) -> Values:
    """parameter.data stays a Tensor of the same shape: scalar, vector, matrix, more."""
    kinds, after, moves = [], [], []
    for shape in shapes:
        w = Variable(np.full(shape, 7.0))
        w.grad = Variable(np.resize([1.0, -1.0], shape))
        student.gradient_descent_step(w, 0.1)
        kinds.append(isinstance(w.data, Tensor))
        after.append(list(snapshot(w).shape))
        moves.append(bool(np.all(snapshot(w) != 7.0)))
    return {"w.data is a Tensor": kinds, "shapes": after, "w moves": moves}


def a_parameter_without_gradient_stays(student: Student, start: list[float]) -> Values:
    """Without a gradient (grad is None) a parameter is left as it is."""
    w = Variable(start)
    w.grad = None
    student.gradient_descent_step(w, 0.1)
    before, missing = snapshot(w), snapshot(w.grad)
    w.grad = Variable(start)
    student.gradient_descent_step(w, 0.1)
    broken = Variable([1.0, 2.0])
    broken.grad = Variable([NAN, 0.0])
    student.gradient_descent_step(broken, 0.1)
    return {
        "w without a gradient": before,
        "its gradient afterwards": missing,
        "w moves once it has a gradient": not np.array_equal(before, snapshot(w)),
        "w after a gradient of NaN and 0": snapshot(broken),
    }


def the_gradient_is_not_changed(
    student: Student, start: list[float], gradient: list[float]
) -> Values:
    """Gradients are read and never changed."""
    w = Variable(start)
    w.grad = Variable(gradient)
    student.gradient_descent_step(w, 0.1)
    student.gradient_descent_step(w, 0.1)
    return {
        "gradient after two steps": snapshot(w.grad),
        "w moves": not np.array_equal(start, snapshot(w)),
    }
