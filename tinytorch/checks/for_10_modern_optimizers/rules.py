"""What is expected of every optimizer of the chapter; see `exercises.rules`."""

from __future__ import annotations

from typing import Any

#: What `exercises.rules` returns, by its function.
OF_GROUPS: dict[str, Any] = {
    "steps in groups less those of an optimizer a group": [0.0, 0.0],
    "groups that move": [True, True],
    "moves once the rate of the first group is 0": [False, True],
    "moves once learning_rate is 0": [False, False],
    "grad after zero_grad()": [None, None],
    "steps with options set later, less those with the same from the start": 0.0,
}
OF_MISSING_GRADIENTS: dict[str, Any] = {
    "moved while the gradient was missing": 0.0,
    "steps before and after, less those without a gap": 0.0,
    "moved before": True,
    "grad that was missing": None,
    "the one without a gap moves in each step": [True] * 4,
}


def what_stays(shapes: list[list[int]], states: int) -> dict[str, Any]:
    """Return what is expected of parameters of some shapes and so many lists of state."""
    count = len(shapes)
    return {
        "moves": [True] * count,
        "largest change of a gradient": 0.0,
        "grad is the one given": [True] * count,
        "data is a Tensor": [True] * count,
        "shapes": shapes,
        "entries of the state": [count] * states,
        "starts from assigned data": [True] * count,
        "moves from assigned data": [True] * count,
        "steps of a second optimizer, less those of a third from the same weights, but new": [0.0]
        * count,
    }


def arguments(defaults: list[float], values: list[float]) -> dict[str, Any]:
    """Return what is expected of an optimizer with these defaults that is given other values."""
    return {
        "defaults": defaults,
        "options as given": values,
        "options where 0 is given": [0.0] * len(values),
        "parameters are those given": [True, True],
    }
