"""Exercises of `test-sgd`: SGD."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.checks.observe import snapshot
from tinytorch.checks.student import Student, Values
from tinytorch.core.autograd import Variable
from tinytorch.core.tensor import Tensor

from .steps import steps_of

NAN = float("nan")


def momentum_accumulates(
    student: Student, gradients: list[list[float]], rates: list[float], momenta: list[float]
) -> Values:
    """Velocity is a decaying sum of gradients alone: with g = 1 and momentum 0.7 it is 1, 1.7."""
    values, ratios = [], []
    for momentum in momenta:
        w = Variable([0.0, 0.0])
        optimizer = student.SGD([w], learning_rate=rates[0], momentum=momentum)
        steps = steps_of(optimizer, [w], [[gradient] for gradient in gradients])[0]
        values.append(np.cumsum(steps, axis=0))
        # After so many equal gradients the velocity does not change any more.
        steps_of(optimizer, [w], [[[1.0, 1.0]]] * 150)
        optimizer.learning_rate = rates[1]
        after = steps_of(optimizer, [w], [[[1.0, 1.0]]] * 2)[0]
        ratios.append(float(after[1, 0] / after[0, 0]))
    return {
        "w after each step": dict(zip(["first momentum", "second momentum"], values, strict=True)),
        "second step after a new rate, in lengths of the first": ratios,
    }


def plain_sgd_follows_the_gradient_alone(
    student: Student,
    starts: list[float | list[list[float]]],
    gradients: list[float | list[list[float]]],
    assigned: list[float | list[list[float]]],
    rate: float,
) -> Values:
    """Without momentum a step is w - learning_rate * g, for every parameter, from where it is."""
    parameters = [Variable(start) for start in starts]
    optimizer = student.SGD(parameters, learning_rate=rate)
    steps_of(optimizer, parameters, [gradients] * 2)
    after = [snapshot(parameter) for parameter in parameters]
    for parameter, data in zip(parameters[:-1], assigned[:-1], strict=True):
        parameter.data = Tensor(data)
    parameters[-1].data.data[...] = assigned[-1]  # written into the Tensor that is there
    steps_of(optimizer, parameters, [gradients])
    return {
        "parameters after two steps": after,
        "after one step from data that was assigned": [snapshot(w) for w in parameters],
        "data is a Tensor": [isinstance(parameter.data, Tensor) for parameter in parameters],
    }


def every_parameter_has_its_own_velocity(
    student: Student, gradients: list[Any], momentum: float
) -> Values:
    """Every parameter has a velocity of its own in each optimizer, also where shapes agree."""
    parameters = [Variable(np.zeros(np.shape(g), np.float32)) for g in gradients]
    optimizer = student.SGD(parameters, learning_rate=1.0, momentum=momentum)

    def last_steps(kind, count=1):
        steps = steps_of(kind, parameters, [gradients] * count)
        return np.array([np.ravel(each[-1]) for each in steps])

    before = last_steps(optimizer, 40)
    for parameter in parameters:  # as when weights are loaded: no reason to lose a velocity
        parameter.data = Tensor(np.zeros(parameter.shape))
    last = last_steps(optimizer)
    first = last_steps(student.SGD(parameters, learning_rate=1.0, momentum=momentum))
    again = last_steps(optimizer)
    return {
        "steps, as multiples of the first number": last / last[0, 0],
        "last step of the first number, in its steps before": float(last[0, 0] / before[0, 0]),
        "entries in velocity": len(optimizer.velocity),
        "first steps of another SGD": -first,
        "the first SGD's next step, in its steps before": float(again[0, 0] / before[0, 0]),
    }


def a_new_rate_counts_at_once(student: Student, rates: list[float], momenta: list[float]) -> Values:
    """Each step reads learning_rate; a new rate counts for all that the velocity has gathered."""
    ratios = []
    for momentum in momenta:
        w = Variable(0.0)
        optimizer = student.SGD([w], learning_rate=rates[0], momentum=momentum)
        before = steps_of(optimizer, [w], [[1.0]] * 150)[0][-1]
        optimizer.learning_rate = rates[1]
        after = steps_of(optimizer, [w], [[1.0]])[0][-1]
        ratios.append(float(after / before))
    w = Variable(0.0)
    optimizer = student.SGD([w], learning_rate=0.0, momentum=momenta[1])
    steps_of(optimizer, [w], [[1.0]])
    optimizer.learning_rate = rates[0]
    after = -steps_of(optimizer, [w], [[1.0]])[0][0]
    return {
        "step after the rate fell to a tenth, in lengths of the one before": ratios,
        "step after one with the rate 0, in rates": float(after / rates[0]),
    }


def a_missing_gradient_skips_the_parameter(
    student: Student, momentum: float, sizes: list[float]
) -> Values:
    """Without a gradient a parameter is skipped: no coasting, its velocity waits."""
    parameters = [Variable(0.0), Variable(0.0), Variable(0.0)]
    optimizer = student.SGD(parameters, learning_rate=0.1, momentum=momentum)
    first, second, third = sizes
    gradients = [[None, second, third]] + [sizes] * 20 + [[first, None, third]] * 2 + [sizes]
    gradients += [[0.0, second, third], [NAN, second, third]]
    late, middle, always = steps_of(optimizer, parameters, gradients)
    unit = always[20]  # after so many equal gradients the velocity hardly changes any more
    parameters = [Variable(0.0), Variable(0.0), Variable(0.0)]
    gradients = [[None, second, third], [NAN, second, third]]
    plain = np.array(steps_of(student.SGD(parameters, learning_rate=1.0), parameters, gradients))
    return {
        "steps while the gradient of one is missing": {
            "that one": middle[21:23] / unit,
            "other": always[21:23] / unit,
        },
        "its next step, where the other's is 1": float(middle[23] / unit),
        "first step, where the gradient is missing at first": float(late[0] / unit),
        "its first real step less that of another, each by its gradient": float(
            (late[1] / first - middle[0] / second) / unit
        ),
        "later step of that parameter": float(late[23] / unit),
        "step where its gradient is 0, and not missing": float(late[24] / unit),
        "steps without momentum, where the first gradient is missing": -plain[:, 0],
        "step where a gradient is NaN": -plain[:, 1],
        "the same with momentum, each by its gradient": [
            float(late[25]),
            float(middle[25] / (unit * second / third)),
            float(always[25] / unit),
        ],
    }


def gradients_are_not_changed(
    student: Student, gradients: list[list[float]], momenta: list[float]
) -> Values:
    """Gradients are never changed, neither by this step nor by a later one."""
    seen, left, moves = [], [], []
    for momentum in momenta:
        w = Variable([0.0, 0.0])
        optimizer = student.SGD([w], learning_rate=0.1, momentum=momentum)
        given = [Variable(gradient) for gradient in gradients]
        for gradient in given:
            w.grad = gradient
            optimizer.step()
        seen.append([snapshot(gradient) for gradient in given])
        left.append(snapshot(w.grad))
        moves.append(bool(np.any(snapshot(w) != 0)))
    return {"gradients afterwards": seen, "grad after each run": left, "w moves": moves}


def zero_grad_forgets_gradients_and_nothing_else(student: Student, starts: list[float]) -> Values:
    """zero_grad() sets every grad to None; values and velocities stay."""
    parameters = [Variable(start) for start in starts]
    optimizer = student.SGD(parameters, learning_rate=0.1, momentum=0.9)
    for parameter in parameters[1:]:
        parameter.grad = Variable(1.0)
    kept = parameters[1].grad
    optimizer.zero_grad()
    left = [snapshot(parameter.grad) for parameter in parameters]
    values = [snapshot(parameter) for parameter in parameters]
    row = [1.0, 1.0, None]
    first = steps_of(optimizer, parameters, [row])[0][0]
    before = snapshot(parameters[0])
    optimizer.zero_grad()
    moved = float(snapshot(parameters[0]) - before)
    second = steps_of(optimizer, parameters, [row])[0][0]
    return {
        "grads after zero_grad()": left,
        "a gradient that somebody kept": snapshot(kept),
        "values after zero_grad()": values,
        "moved by zero_grad() after a step": moved,
        "second step, in lengths of the first": float(second / first),
    }


def arguments_are_kept(student: Student, rate: float, momentum: float) -> Values:
    """Arguments are kept under their own names; the defaults are 0.01 and 0.0."""
    parameters = [Variable(1.0), Variable([2.0])]
    default = student.SGD(parameters)
    zeros = student.SGD(parameters, 0.0, 0.0)
    optimizer = student.SGD(parameters, rate, momentum)
    return {
        "defaults of learning_rate and momentum": [default.learning_rate, default.momentum],
        "learning_rate and momentum as given": [optimizer.learning_rate, optimizer.momentum],
        "both where 0 is given": [zeros.learning_rate, zeros.momentum],
        "parameters are those given": [
            kept is given for kept, given in zip(optimizer.parameters, parameters, strict=True)
        ],
    }
