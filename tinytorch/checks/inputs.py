"""Fresh inputs for a part: the public ones with other numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

#: A number is multiplied by a factor from this range, so that signs and sizes stay plausible.
_FACTORS = (0.6, 1.4)


def draw(
    inputs: Mapping[str, Any],
    randomize: Sequence[str],
    choices: Mapping[str, Sequence[Any]],
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Draw inputs that nobody can know before.

    Parameters
    ----------
    inputs : mapping
        The public inputs of the part.
    randomize : sequence of str
        Inputs whose floating-point numbers, however nested, each get a factor of their own;
        integers, zeros, infinities and NaN stay.
    choices : mapping of str to sequence
        Inputs that become one of several values.
    rng : numpy.random.Generator
        Where the numbers come from; the same generator gives the same inputs.

    Returns
    -------
    dict
        New inputs of the same form.
    """
    fresh = dict(inputs)
    for name in randomize:
        fresh[name] = _scaled(inputs[name], rng)
    for name, values in choices.items():
        fresh[name] = values[int(rng.integers(len(values)))]
    return fresh


def _scaled(value: Any, rng: np.random.Generator) -> Any:
    if isinstance(value, float):
        # Six digits: inputs travel as text, and a report should show what was given.
        return float(f"{value * rng.uniform(*_FACTORS):.6g}") if math.isfinite(value) else value
    if isinstance(value, Mapping):
        return {key: _scaled(item, rng) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_scaled(item, rng) for item in value]
    return value
