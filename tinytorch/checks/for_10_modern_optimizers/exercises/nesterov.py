"""Exercises of `test-nesterov`: NesterovSGD."""

from __future__ import annotations

from typing import Any

from tinytorch.checks.student import Student, Values
from tinytorch.core.autograd import Variable

from . import rules


def each_step_looks_ahead(
    student: Student, gradients: list[list[float]], rate: float, momentum: float
) -> Values:
    """Each step is the gradient plus momentum times the new velocity."""
    w = Variable([0.0, 0.0])
    optimizer = student.NesterovSGD([w], learning_rate=rate, momentum=momentum)
    steps = rules.steps_of(optimizer, [w], [[gradient] for gradient in gradients], rate)
    return {"steps in learning rates": steps[0]}


def weight_decay_is_part_of_the_gradient(
    student: Student, start: list[float], rate: float, weight_decay: float
) -> Values:
    """Weight decay is added to the gradient, and so reaches the velocity."""
    w = Variable(start)
    optimizer = student.NesterovSGD([w], rate, momentum=0.5, weight_decay=weight_decay)
    zeros = [[[0.0] * len(start)]] * 3
    return {"steps where the gradient is 0": rules.steps_of(optimizer, [w], zeros)[0]}


def groups_of_nesterov_have_options_of_their_own(
    student: Student, start: list[float], gradient: list[float], options: list[dict[str, float]]
) -> Values:
    """Options of a group are its own, and every step reads them."""
    w = Variable([-2.0])
    optimizer = student.NesterovSGD([w], learning_rate=0.0, momentum=0.0)
    rules.steps_of(optimizer, [w], [[[2.0]]])
    optimizer.groups[0].update(momentum=0.5, learning_rate=1.0)
    second = rules.steps_of(optimizer, [w], [[[4.0]]])[0]
    optimizer.groups[0].update(momentum=0.25, learning_rate=0.5, weight_decay=1.0)
    third = rules.steps_of(optimizer, [w], [[[10.5]]])[0]
    return {
        **rules.of_groups(student.NesterovSGD, start, gradient, options),
        "steps after options that were set later": [second, third],
    }


def a_missing_gradient_skips_the_parameter_in_nesterov(
    student: Student, start: list[float], gradient: list[float], tiny: float
) -> Values:
    """Without a gradient a parameter is skipped: no decay, no coasting, its velocity waits."""

    def make(parameters: list[Variable]) -> Any:
        return student.NesterovSGD(parameters, 0.1, weight_decay=0.5)

    return {
        **rules.of_missing_gradients(make, start, gradient),
        **rules.of_odd_gradients(student.NesterovSGD, tiny, learning_rate=1 / tiny),
    }


def what_nesterov_is_given_stays(student: Student, rows: list[Any], values: list[float]) -> Values:
    """Arguments are kept; gradients stay; every parameter has a velocity and stays a Tensor."""

    def make(parameters: list[Variable]) -> Any:
        return student.NesterovSGD(parameters, 0.1, weight_decay=0.1)

    names = ["learning_rate", "momentum", "weight_decay"]
    return {
        **rules.of_arguments(student.NesterovSGD, names, values),
        **rules.of_what_stays(make, ["velocity"], rows),
    }
