"""Exercises of `test-muon`: newton_schulz and Muon."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.checks.observe import snapshot
from tinytorch.checks.student import Student, Values
from tinytorch.core.autograd import Variable

from . import rules

Matrix = list[list[float]]


def singular_values_follow_the_polynomial(student: Student, matrix: Matrix) -> Values:
    """Newton-Schulz: the matrix after one and after five steps."""
    array = np.array(matrix)
    return {
        "after 1 step": student.newton_schulz(array, 1),
        "after 5 steps": student.newton_schulz(array, 5),
        "by default": student.newton_schulz(array),
    }


def a_tall_matrix_keeps_its_shape(student: Student, matrix: Matrix) -> Values:
    """More rows than columns: the same result, transposed."""
    array = np.array(matrix)
    wide, tall = student.newton_schulz(array), student.newton_schulz(array.T.copy())
    return {
        "shapes": [list(np.shape(wide)), list(np.shape(tall))],
        "tall": tall,
        "a column": student.newton_schulz(array[:, :1].copy(), 1).ravel(),
    }


def the_size_of_the_matrix_does_not_matter(
    student: Student, matrix: Matrix, factors: list[float]
) -> Values:
    """Large or small, a matrix gives the same; zeros give zeros; it is not changed."""
    array = np.array(matrix)
    single, zeros = array.astype(np.float32), np.zeros((2, 3))
    kept = [array.copy(), single.copy()]
    of_zeros = student.newton_schulz(zeros)
    student.newton_schulz(array)
    return {
        "of multiples": [student.newton_schulz(array * factor) for factor in factors],
        "where it is float32": student.newton_schulz(single),
        "of a tiny multiple, after 1 step": student.newton_schulz(array * 1e-8, 1),
        "of zeros": of_zeros,
        "that of zeros is a new array": not np.shares_memory(np.asarray(of_zeros), zeros),
        "largest change of the matrix": [
            float(np.abs(now - then).max()) for now, then in zip([array, single], kept, strict=True)
        ],
    }


def a_step_is_equally_strong_in_all_directions(
    student: Student, gradient: Matrix, rate: float
) -> Values:
    """First step: the directions of the gradient, turned round, with strengths near 1."""
    w = Variable(np.zeros(np.shape(gradient)))
    steps = rules.steps_of(student.Muon([w], rate), [w], [[np.array(gradient)]], rate)
    left, strengths, right = np.linalg.svd(steps[0][0])
    return {"strengths, in learning rates": strengths, "directions": left @ right}


def steps_are_orthogonalized_look_aheads(
    student: Student, start: Matrix, gradients: list[Matrix], rate: float, momentum: float
) -> Values:
    """Each step is the look-ahead of the averaged gradient, orthogonalized."""
    w = Variable(np.array(start))
    optimizer = student.Muon([w], learning_rate=rate, momentum=momentum)
    steps = rules.steps_of(optimizer, [w], [[np.array(g)] for g in gradients], rate)
    return {"steps in learning rates": steps[0]}


def tall_matrices_take_longer_steps(
    student: Student, shape: list[int], start: float, rate: float
) -> Values:
    """Length of a step without iterations: sqrt(rows / columns) where there are more rows."""
    tall = start + np.cos(np.arange(float(np.prod(shape)))).reshape(shape)
    parameters = [Variable(np.zeros(array.shape)) for array in (tall, tall.T)]
    optimizer = student.Muon(parameters, learning_rate=rate, steps=0)
    steps = rules.steps_of(optimizer, parameters, [[tall, tall.T]], rate)
    return {"lengths in learning rates, tall and wide": [np.linalg.norm(step) for step in steps]}


def the_decay_of_muon_is_decoupled(
    student: Student, start: Matrix, rate: float, weight_decay: float
) -> Values:
    """Decay: a share of the weight, apart from the momentum and before the step."""
    w, zeros = Variable(start), np.zeros(np.shape(start))
    optimizer = student.Muon([w], learning_rate=rate, weight_decay=weight_decay)
    rules.steps_of(optimizer, [w], [[zeros]] * 2)
    moved = [Variable(start), Variable(start)]
    for v, decay in zip(moved, [weight_decay, 0.0], strict=True):
        optimizer = student.Muon([v], learning_rate=rate, weight_decay=decay, steps=0)
        rules.steps_of(optimizer, [v], [[np.flip(start, axis=0)]])
    return {
        "after two steps where the gradient is 0": snapshot(w),
        "a step, less that without decay": snapshot(moved[0]) - snapshot(moved[1]),
    }


def what_is_no_matrix_is_refused(student: Student, shapes: list[list[int]]) -> Values:
    """Vectors, numbers and stacks of matrices raise ValueError with the shape and a remedy."""
    told: list[list[bool | str]] = []
    for shape in [*shapes, shapes[0]]:
        matrix, other = Variable([[1.0]]), Variable(np.ones(shape))
        given: list[Any] = [matrix, other]
        if len(told) == len(shapes):
            given = [{"parameters": [matrix]}, {"parameters": [other, Variable([[2.0]])]}]
        try:
            student.Muon(given)
        except ValueError as error:
            words = (str(tuple(shape)), "AdamW")
            told.append([word if word in str(error) else "not named" for word in words])
        else:
            told.append(["nothing was raised"] * 2)
    return {"what the message names, for three shapes and for the first in a second group": told}


def groups_of_muon_have_options_of_their_own(
    student: Student, gradient: Matrix, options: list[dict[str, float]]
) -> Values:
    """Options of a group are its own, and every step reads them."""
    start = [[1.0, 2.0], [0.5, -1.0]]
    groups = [{"parameters": [Variable(start)], **own} for own in options]
    w, v, zeros = Variable(start), Variable(start), np.zeros((2, 2))
    later = {"learning_rate": 0.05, "momentum": 0.5, "weight_decay": 0.5, "steps": 2}
    optimizer = student.Muon([w], learning_rate=0.0, momentum=0.0)
    rules.steps_of(optimizer, [w], [[gradient]])
    optimizer.groups[0].update(later)
    # The velocity is then a multiple of the first gradient, and the second is zero.
    decay = later["learning_rate"] * later["weight_decay"] * np.array(start)
    step = rules.steps_of(optimizer, [w], [[zeros]])[0][0] + decay
    other = rules.steps_of(student.Muon([v], **later), [v], [[gradient]])[0][0] + decay
    apart = later["learning_rate"] * (_direction(step) - _direction(other))
    return {
        "step along the velocity, with options set later, less one along its gradient": apart,
        **rules.of_groups(student.Muon, start, gradient, options),
        "options of the groups": [
            {name: value for name, value in group.items() if name != "parameters"}
            for group in student.Muon(groups).groups
        ],
    }


def a_missing_gradient_skips_the_parameter_in_muon(
    student: Student, start: Matrix, gradient: Matrix, tiny: float
) -> Values:
    """Without a gradient a matrix is skipped: no decay, no coasting, its velocity waits."""

    def make(parameters: list[Variable]) -> Any:
        return student.Muon(parameters, 0.1, weight_decay=0.5, steps=1)

    w = Variable(start)
    make([w]).step()
    directions = []
    for size in (tiny, 1.0):
        one = Variable(np.zeros((2, 2)))
        optimizer = student.Muon([one], learning_rate=1.0, steps=1)
        step = rules.steps_of(optimizer, [one], [[size * np.array(gradient)]])[0][0]
        directions.append(_direction(step))
    return {
        "direction where the gradient is tiny, less that where it is not": np.diff(
            directions, axis=0
        )[0],
        **rules.of_missing_gradients(make, np.ones((2, 2)), gradient),
        "where it never has a gradient": snapshot(w),
    }


def what_muon_is_given_stays(student: Student, rows: list[Any], values: list[float]) -> Values:
    """Arguments are kept; gradients stay; every matrix has a velocity and stays a Tensor."""
    names = ["learning_rate", "momentum", "weight_decay", "steps"]
    return {
        **rules.of_arguments(student.Muon, names, values),
        **rules.of_what_stays(student.Muon, ["velocity"], rows),
    }


def _direction(step: np.ndarray) -> np.ndarray:
    """Return a step with the length 1, or zeros where there is none."""
    return step / max(float(np.linalg.norm(step)), 1e-12)
