"""Exercises of `test-adam`: Adam."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.checks.observe import snapshot
from tinytorch.checks.student import Student, Values
from tinytorch.core.autograd import Variable
from tinytorch.core.tensor import Tensor

from .steps import steps_of

NAN = float("nan")


def the_first_steps_follow_the_rule(
    student: Student, gradients: list[list[float]], rate: float
) -> Values:
    """Both moments are averages and corrected: the first steps, with the default betas."""
    w, other = Variable([0.0, 0.0, 0.0]), Variable([0.0, 0.0, 0.0])
    steps = steps_of(
        student.Adam([w], learning_rate=rate), [w], [[gradient] for gradient in gradients]
    )
    steps_of(student.Adam([other], learning_rate=rate), [other], [gradients[:1]] * 120)
    return {
        "w after each step": np.cumsum(steps[0], axis=0),
        "w after 120 equal gradients": snapshot(other),
    }


def first_moment_is_a_running_average(
    student: Student,
    history: list[float],
    gradients: list[list[float]],
    rate: float,
    betas: dict[str, float],
) -> Values:
    """First moment: a running average of the gradients, with decay beta1."""
    w = Variable([0.0, 0.0])
    optimizer = student.Adam([w], learning_rate=rate, **betas)
    steps_of(optimizer, [w], [[history]] * 45)
    steps = steps_of(optimizer, [w], [[gradient] for gradient in gradients], rate)
    return {"steps in learning rates": steps[0]}


def second_moment_is_a_running_average_of_squares(
    student: Student,
    history: list[float],
    gradients: list[list[float]],
    rate: float,
    betas: dict[str, float],
) -> Values:
    """Second moment: a running average of the squares, with decay beta2."""
    w = Variable([0.0, 0.0])
    optimizer = student.Adam([w], learning_rate=rate, **betas)
    steps_of(optimizer, [w], [[history]] * 36)
    steps = steps_of(optimizer, [w], [[gradient] for gradient in gradients], rate)
    return {"steps in learning rates": steps[0]}


def epsilon_stands_outside_the_root(
    student: Student, start: list[float], gradient: list[float], epsilons: list[float]
) -> Values:
    """Epsilon is added outside the root, and an element with gradient zero stays."""
    values = []
    for epsilon in epsilons:
        w = Variable(start)
        optimizer = student.Adam([w], learning_rate=1.0, beta1=0.0, beta2=0.0, epsilon=epsilon)
        steps_of(optimizer, [w], [[gradient]] * 2)
        values.append(snapshot(w))
    return {"w after two steps": values}


def epsilon_is_added_after_the_correction(
    student: Student, gradient: list[float], epsilon: float, small: float
) -> Values:
    """Epsilon is added after the bias correction."""
    w, other = Variable([0.0, 0.0]), Variable(0.0)
    optimizer = student.Adam([w], learning_rate=1.0, epsilon=epsilon)
    default = student.Adam([other], learning_rate=1.0)
    return {
        "first step": steps_of(optimizer, [w], [[gradient]])[0][0],
        "first step with a gradient of 1e-7": float(steps_of(default, [other], [[small]])[0][0]),
    }


def arguments_are_kept_and_t_counts_calls(student: Student, settings: list[float]) -> Values:
    """Arguments are kept under their own names, and t counts the calls of step()."""
    parameters = [Variable(1.0), Variable([2.0])]
    names = ["learning_rate", "beta1", "beta2", "epsilon"]
    default, zeros = student.Adam(parameters), student.Adam(parameters, 0.0, 0.0, 0.0, 0.0)
    optimizer = student.Adam(parameters, *settings)
    kept = [one is other for one, other in zip(optimizer.parameters, parameters, strict=True)]
    values = [getattr(optimizer, name) for name in names]
    counts, paths = [optimizer.t], []
    for row in ([1.0, [1.0]], [None, None], [1.0, [1.0]]):
        paths.append(steps_of(optimizer, parameters, [row]))
        counts.append(optimizer.t)
    first = [float(np.ravel(path)[0]) for path in paths[0]]
    return {
        "defaults": [getattr(default, name) for name in names],
        "settings as given": values,
        "settings where 0 is given": [getattr(zeros, name) for name in names],
        "parameters are those given": kept,
        "t after 0, 1, 2, 3 calls": counts,
        "first steps of two parameters, in steps of the first": [step / first[0] for step in first],
    }


def every_parameter_has_its_own_moments(
    student: Student, gradients: list[Any], rate: float, betas: dict[str, float]
) -> Values:
    """Every parameter, of any shape, has moments of its own in each optimizer; stays a Tensor."""
    parameters = [Variable(np.zeros(np.shape(gradient))) for gradient in gradients]
    optimizer = student.Adam(parameters, learning_rate=rate, **betas)
    steps = steps_of(optimizer, parameters, [gradients] * 24)
    for parameter in parameters:  # as when weights are loaded: no reason to lose the moments
        parameter.data = Tensor(snapshot(parameter))
    zeros = [np.zeros(np.shape(gradient)) for gradient in gradients]
    after = steps_of(optimizer, parameters, [zeros])
    opposite = [-np.array(gradient) for gradient in gradients]
    other = steps_of(student.Adam(parameters, learning_rate=rate, **betas), parameters, [opposite])
    again = steps_of(optimizer, parameters, [gradients])
    return {
        "first steps of another Adam with the opposite gradients": [array[0] for array in other],
        "last step": [array[-1] for array in steps],
        "data is a Tensor": [isinstance(parameter.data, Tensor) for parameter in parameters],
        "entries in m and v": [len(optimizer.m), len(optimizer.v)],
        "step of the first with gradient 0, once data was assigned": float(after[0][0]),
        "the first Adam's next step, with its own gradient": float(again[0][0]),
    }


def each_step_of_adam_reads_the_rate(
    student: Student, rates: list[float], assigned: float
) -> Values:
    """Each step reads learning_rate, and starts from what parameter.data is now."""
    w = Variable(0.0)
    optimizer = student.Adam([w], learning_rate=rates[0], beta1=0.0, beta2=0.0)
    values = []
    for rate in rates:
        optimizer.learning_rate = rate
        steps_of(optimizer, [w], [[1.0]])
        values.append(float(snapshot(w)))
    w.data = Tensor(assigned)
    steps_of(optimizer, [w], [[1.0]])
    other = student.Adam([Variable(0.0)], learning_rate=0.0, beta1=0.5, beta2=0.0)
    steps_of(other, other.parameters, [[1.0]])
    other.learning_rate = rates[0]
    after = steps_of(other, other.parameters, [[-1.0]], rates[0])[0][0]
    always = student.Adam([Variable(0.0)], learning_rate=rates[0], beta1=0.5, beta2=0.0)
    expected = steps_of(always, always.parameters, [[1.0], [-1.0]], rates[0])[0][1]
    return {
        "w after each step": values,
        "w after a step from 5": snapshot(w),
        "step after one at rate 0, less that of an Adam with the rate from the start": float(
            after - expected
        ),
    }


def a_missing_gradient_skips_the_parameter_in_adam(
    student: Student, rate: float, betas: dict[str, float]
) -> Values:
    """Without a gradient a parameter is skipped: no coasting, its moments wait."""
    parameters = [Variable(0.0), Variable(0.0), Variable([0.0])]
    optimizer = student.Adam(parameters, learning_rate=rate, **betas)
    gradients = [[None, 1.0, [-1.0]]] + [[1.0, 1.0, [-1.0]]] * 26
    gradients += [[1.0, None, [-1.0]]] * 2 + [[1.0, -1.0, [-1.0]]]
    late, middle, always = steps_of(optimizer, parameters, gradients)
    broken = steps_of(student.Adam(parameters, rate, **betas), parameters, [[NAN, -1.0, None]])
    alone = [Variable([0.0])]
    second = steps_of(student.Adam(alone, learning_rate=rate, **betas), alone, [[[-1.0]]] * 2)[0][1]
    return {
        "steps while the gradient of one is missing": {
            "that one": middle[27:29],
            "other": np.ravel(always[27:29]),
        },
        "second step of the other, less that of an Adam for it alone": always[1] - second,
        "its step when a gradient of -1 follows": float(middle[29]),
        "first step, where the gradient is missing at first": float(late[0]),
        "later step of that parameter": float(late[29]),
        "steps where a gradient is NaN": [float(broken[0][0]), float(broken[1][0])],
    }


def gradients_are_not_changed_by_adam(student: Student, gradients: list[list[float]]) -> Values:
    """Gradients are never changed, neither by this step nor by a later one."""
    w = Variable([0.0, 0.0])
    optimizer = student.Adam([w], learning_rate=0.1)
    given = [Variable(gradient) for gradient in gradients]
    for gradient in given:
        w.grad = gradient
        optimizer.step()
    return {
        "gradients afterwards": [snapshot(gradient) for gradient in given],
        "grad after the last step": snapshot(w.grad),
        "w moves": bool(np.any(snapshot(w) != 0)),
    }


def zero_grad_of_adam_forgets_gradients_and_nothing_else(
    student: Student, starts: list[float]
) -> Values:
    """zero_grad() sets every grad to None; values, moments and t stay."""
    parameters = [Variable(start) for start in starts]
    optimizer = student.Adam(parameters, learning_rate=0.1)
    for parameter in parameters[1:]:
        parameter.grad = Variable(1.0)
    kept = parameters[1].grad
    optimizer.zero_grad()
    left = [snapshot(parameter.grad) for parameter in parameters]
    values = [snapshot(parameter) for parameter in parameters]
    first = steps_of(optimizer, parameters, [[1.0, 1.0, None]])[0][0]
    before, count = snapshot(parameters[0]), getattr(optimizer, "t", 0)
    optimizer.zero_grad()
    moved = float(snapshot(parameters[0]) - before)
    counted = getattr(optimizer, "t", 0) - count
    second = steps_of(optimizer, parameters, [[-1.0, -1.0, None]])[0][0]
    return {
        "grads after zero_grad()": left,
        "a gradient that somebody kept": snapshot(kept),
        "values after zero_grad()": values,
        "moved by zero_grad() after a step": moved,
        "change of t by zero_grad()": counted,
        "second step, in lengths of the first": float(abs(second / first)),
    }
