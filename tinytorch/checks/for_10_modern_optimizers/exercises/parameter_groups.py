"""Exercises of `test-parameter-groups`: split_decay."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.checks.student import Student, Values
from tinytorch.core.autograd import Variable


def matrices_are_decayed_and_the_rest_is_not(
    student: Student, shapes: list[list[int]], weight_decay: float
) -> Values:
    """Matrices and kernels, of 2 dimensions or more, are decayed; everything else is not."""
    parameters = [Variable(np.ones(shape)) for shape in shapes]
    groups = student.split_decay(parameters, weight_decay)
    return {
        "decay of each parameter": [_decay_of(groups, parameter) for parameter in parameters],
    }


def every_parameter_is_in_one_group_in_order(
    student: Student, shapes: list[list[int]], weight_decay: float
) -> Values:
    """Each parameter itself, and no copy, is in one of two groups, in its order."""
    # The second is frozen for now, and belongs into its group all the same.
    parameters = [Variable(np.ones(shape), i != 1) for i, shape in enumerate(shapes)]
    found = [
        _positions(group, parameters) for group in student.split_decay(parameters, weight_decay)
    ]
    return {
        "positions in both groups, sorted": sorted(sum(found, [])),
        "in order": [one == sorted(one) for one in found],
    }


def a_group_may_be_empty(student: Student, weight_decay: float) -> Values:
    """Both groups are there where all parameters are of one kind, or the decay is 0."""
    matrix, vector = Variable([[1.0]]), Variable([1.0])
    seen = []
    for parameters, decay in (([matrix], weight_decay), ([vector], weight_decay), ([matrix], 0.0)):
        groups = student.split_decay(parameters, decay)
        student.Optimizer(groups, weight_decay=0.0)  # which refuses what it does not know
        seen.append([[len(group["parameters"]), group["weight_decay"]] for group in groups])
    return {"size and decay of both groups": seen}


def _decay_of(groups: list[dict[str, Any]], parameter: Variable) -> Any:
    """Return the decay of the group that a parameter is in, or None where it is in none."""
    for group in groups:
        if any(one is parameter for one in group["parameters"]):
            return group["weight_decay"]
    return None


def _positions(group: dict[str, Any], parameters: list[Variable]) -> list[int]:
    """Return which of the parameters a group holds, -1 for what is none of them."""
    places = {id(parameter): index for index, parameter in enumerate(parameters)}
    return [places.get(id(parameter), -1) for parameter in group["parameters"]]
