"""Steps of an optimizer, for the exercises of more than one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.checks.observe import snapshot
from tinytorch.core.autograd import Variable


def steps_of(
    optimizer: Any, parameters: Sequence[Variable], gradients: Sequence[Any], rate: float = 1.0
) -> list[np.ndarray]:
    """Call step() with each of these rows of gradients; return each parameter's steps, in rates."""
    paths = [[snapshot(parameter)] for parameter in parameters]
    for row in gradients:
        for parameter, gradient in zip(parameters, row, strict=True):
            parameter.grad = None if gradient is None else Variable(gradient)
        optimizer.step()
        for parameter, path in zip(parameters, paths, strict=True):
            path.append(snapshot(parameter))
    return [np.diff(np.array(path, dtype=np.float64), axis=0) / rate for path in paths]
