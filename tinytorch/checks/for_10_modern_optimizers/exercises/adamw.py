"""Exercises of `test-adamw`: AdamW."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.checks.observe import snapshot
from tinytorch.checks.student import Student, Values
from tinytorch.core.autograd import Variable

from . import rules


def each_step_decays_and_then_follows_adam(
    student: Student,
    start: list[float],
    gradients: list[list[float]],
    rate: float,
    weight_decay: float,
) -> Values:
    """Each step takes the decay from the weight, and then follows Adam."""
    w = Variable(start)
    optimizer = student.AdamW([w], learning_rate=rate, weight_decay=weight_decay)
    rows = [[gradient] for gradient in gradients]
    return {"steps in learning rates": rules.steps_of(optimizer, [w], rows, rate)[0]}


def weights_shrink_by_a_share_of_themselves(
    student: Student, start: list[float], settings: list[list[float]]
) -> Values:
    """Decay: every step takes learning_rate * weight_decay of a weight, whatever its size."""
    paths = []
    for rate, decay in settings:
        w = Variable(start)
        optimizer = student.AdamW([w], learning_rate=rate, weight_decay=decay)
        values = []
        for _ in range(2):
            rules.steps_of(optimizer, [w], [[[0.0] * len(start)]])
            values.append(snapshot(w))
        paths.append(values)
    return {"weights where the gradient is 0, by setting": paths}


def the_decay_does_not_reach_the_moments(
    student: Student, sizes: list[float], rate: float, weight_decay: float
) -> Values:
    """Decay is apart from the gradient: it is the same for large and for small gradients."""
    gradient, start = np.array(sizes), [2.0, 2.0, 2.0]
    rows = [[gradient]] * 3 + [[-gradient]]
    w, undecayed = Variable(start), Variable(start)
    options = {"learning_rate": rate, "beta2": 0.9}
    steps = rules.steps_of(student.AdamW([w], weight_decay=weight_decay, **options), [w], rows)
    optimizer = student.AdamW([undecayed], weight_decay=0.0, **options)
    plain = rules.steps_of(optimizer, [undecayed], rows)
    return {
        "share taken in each step": (plain[0] - steps[0]).mean(axis=0) / (2.0 * rate),
        "moves without decay": [bool(path) for path in np.any(plain[0] != 0, axis=0)],
    }


def the_decay_comes_before_the_step(
    student: Student, start: list[float], rate: float, weight_decay: float
) -> Values:
    """Order: the weight is decayed first, then Adam's step is taken in full."""
    w = Variable(start)
    optimizer = student.AdamW([w], learning_rate=rate, weight_decay=weight_decay)
    rules.steps_of(optimizer, [w], [[[1.0, -1.0]]])
    return {"after one step": snapshot(w)}


def without_decay_it_is_adam(student: Student, gradients: list[list[float]], rate: float) -> Values:
    """Without decay the steps are those of Adam, moments corrected."""
    w = Variable([0.0, 0.0, 0.0])
    optimizer = student.AdamW([w], learning_rate=rate, weight_decay=0.0)
    rows = [[gradient] for gradient in gradients]
    return {"steps in learning rates": rules.steps_of(optimizer, [w], rows, rate)[0]}


def both_moments_are_running_averages(
    student: Student, history: list[float], gradients: list[list[float]], betas: dict[str, float]
) -> Values:
    """Both moments are running averages, with the betas that were given."""
    w = Variable([0.0, 0.0])
    optimizer = student.AdamW([w], learning_rate=1e-5, weight_decay=0.0, **betas)
    rules.steps_of(optimizer, [w], [[history]] * 45)
    rows = [[gradient] for gradient in gradients]
    return {"steps in learning rates": rules.steps_of(optimizer, [w], rows, 1e-5)[0]}


def epsilon_of_adamw_is_added_last(
    student: Student, gradient: list[float], epsilon: float
) -> Values:
    """Epsilon is added outside the root and after the correction."""
    w = Variable([0.0, 0.0])
    optimizer = student.AdamW([w], learning_rate=0.1, epsilon=epsilon, weight_decay=0.0)
    rules.steps_of(optimizer, [w], [[gradient]])
    return {"first step": snapshot(w)}


def groups_of_adamw_have_options_of_their_own(
    student: Student, start: list[float], gradient: list[float], options: list[dict[str, float]]
) -> Values:
    """Options of a group are its own, and every step reads them, the decay too."""
    seen = rules.of_groups(student.AdamW, start, gradient, options)
    w = Variable([0.0])
    optimizer = student.AdamW([w], 0.0, 0.5, 0.5, weight_decay=0.0)
    rules.steps_of(optimizer, [w], [[[3.0]]])
    optimizer.learning_rate = 0.5
    second = rules.steps_of(optimizer, [w], [[[-4.0]]])[0]
    optimizer.groups[0].update(beta1=0.0, beta2=0.0, epsilon=1.0, weight_decay=0.5)
    third = rules.steps_of(optimizer, [w], [[[-4.0]]])[0]
    return {**seen, "steps after options that were set later": [second, third]}


def a_missing_gradient_skips_the_parameter_in_adamw(
    student: Student, start: list[float], rate: float, weight_decay: float, tiny: float
) -> Values:
    """Without a gradient a parameter is skipped: no decay, no coasting, its moments wait."""
    parameters = [Variable([1.0]), Variable([1.0])]
    optimizer = student.AdamW(parameters, rate, 0.5, 0.5, weight_decay=weight_decay)
    rows = [[[1.0], [1.0]]] * 26 + [[None, [1.0]]] * 2 + [[[3.0], [1.0]]]
    pausing, other = rules.steps_of(optimizer, parameters, rows, rate)
    before = 1.0 + rate * pausing[:28].sum(axis=0)
    ones, parameters = np.ones(len(start)), [Variable(start), Variable(start)]
    optimizer = student.AdamW(parameters, rate, 0.9, 0.9, weight_decay=0.0)
    rules.steps_of(optimizer, parameters, [[None, ones]] * 2)
    waiting, left = snapshot(parameters[0]), snapshot(parameters[0].grad)
    late = rules.steps_of(optimizer, parameters, [[ones, ones]] * 2, rate)[0]
    odd = {"learning_rate": 1.0, "weight_decay": 0.0}
    return {
        **rules.of_odd_gradients(student.AdamW, tiny, **odd),
        "moved while the gradient was missing": pausing[26:28],
        "the other moved": [bool(step) for step in np.ravel(other[26:28] != 0)],
        # Less the decay; the correction is over by then, whichever steps it counts.
        "its step afterwards, in rates": pausing[28] + weight_decay * before,
        "w while its first gradients are missing": waiting,
        "grad that was missing": left,
        "its second step, in rates": late[1],
    }


def what_adamw_is_given_stays(student: Student, rows: list[Any], values: list[float]) -> Values:
    """Arguments are kept, t counts calls; gradients stay; every parameter has its moments."""
    names = ["learning_rate", "beta1", "beta2", "epsilon", "weight_decay"]
    parameters = [Variable(1.0), Variable(2.0)]
    optimizer, counts = student.AdamW(parameters), []
    for row in ([1.0, 1.0], [None, 1.0], [None, None]):
        counts.append(optimizer.t)
        rules.steps_of(optimizer, parameters, [row])
        optimizer.zero_grad()
    return {
        "t after 0, 1, 2, 3 calls": [*counts, optimizer.t],
        **rules.of_arguments(student.AdamW, names, values),
        **rules.of_what_stays(student.AdamW, ["m", "v"], rows),
    }
