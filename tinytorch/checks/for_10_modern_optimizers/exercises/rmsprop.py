"""Exercises of `test-rmsprop`: RMSprop."""

from __future__ import annotations

from typing import Any

from tinytorch.checks.observe import snapshot
from tinytorch.checks.student import Student, Values
from tinytorch.core.autograd import Variable

from . import rules


def the_first_steps_of_rmsprop_follow_the_rule(
    student: Student, gradients: list[list[float]], rate: float
) -> Values:
    """Each step is the gradient over the root of its average square, not corrected."""
    w = Variable([0.0, 0.0, 0.0])
    optimizer = student.RMSprop([w], learning_rate=rate)
    steps = rules.steps_of(optimizer, [w], [[gradient] for gradient in gradients], rate)
    return {"steps in learning rates": steps[0]}


def v_is_a_running_average_of_squares(
    student: Student, history: list[float], gradients: list[list[float]], alpha: float
) -> Values:
    """Average: what is older counts less, with decay alpha, for each element on its own."""
    w = Variable([0.0, 0.0])
    optimizer = student.RMSprop([w], learning_rate=1.0, alpha=alpha)
    rules.steps_of(optimizer, [w], [[history]] * 60)
    rows = [[gradient] for gradient in gradients]
    return {"steps": rules.steps_of(optimizer, [w], rows)[0]}


def epsilon_of_rmsprop_stands_outside_the_root(
    student: Student, gradient: list[float], epsilon: float
) -> Values:
    """Epsilon is added outside the root."""
    w = Variable([0.0, 0.0])
    optimizer = student.RMSprop([w], learning_rate=0.1, alpha=0.0, epsilon=epsilon)
    rules.steps_of(optimizer, [w], [[gradient]])
    return {"first step": snapshot(w)}


def groups_of_rmsprop_have_options_of_their_own(
    student: Student, start: list[float], gradient: list[float], options: list[dict[str, float]]
) -> Values:
    """Options of a group are its own, and every step reads them."""
    w = Variable([0.0])
    optimizer = student.RMSprop([w], learning_rate=0.0, alpha=0.75)
    rules.steps_of(optimizer, [w], [[[4.0]]])
    optimizer.groups[0].update(learning_rate=0.5, alpha=0.25, epsilon=1.0)
    return {
        **rules.of_groups(student.RMSprop, start, gradient, options),
        "step after options that were set later": rules.steps_of(optimizer, [w], [[[4.0]]])[0],
    }


def a_missing_gradient_skips_the_parameter_in_rmsprop(
    student: Student, start: list[float], gradient: list[float], tiny: float
) -> Values:
    """Without a gradient a parameter is skipped, and its average waits."""

    def make(parameters: list[Variable]) -> Any:
        return student.RMSprop(parameters, learning_rate=0.1, alpha=0.5)

    return {
        **rules.of_missing_gradients(make, start, gradient),
        **rules.of_odd_gradients(student.RMSprop, tiny, learning_rate=1.0, alpha=0.5),
    }


def what_rmsprop_is_given_stays(student: Student, rows: list[Any], values: list[float]) -> Values:
    """Arguments are kept; gradients stay; every parameter has an average and stays a Tensor."""
    names = ["learning_rate", "alpha", "epsilon"]
    return {
        **rules.of_arguments(student.RMSprop, names, values),
        **rules.of_what_stays(student.RMSprop, ["v"], rows),
    }
