"""What all optimizers of the chapter have in common, put to the test for any of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.checks.observe import snapshot
from tinytorch.checks.student import Values
from tinytorch.core.autograd import Variable
from tinytorch.core.tensor import Tensor


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


def _in_groups(
    make: Callable[..., Any], start: Any, options: Sequence[dict[str, float]]
) -> tuple[Any, list[Variable]]:
    """Return an optimizer with a parameter in each group, and these."""
    parameters = [Variable(start) for _ in options]
    pairs = zip(parameters, options, strict=True)
    return make([{"parameters": [w], **own} for w, own in pairs]), parameters


def of_groups(
    make: Callable[..., Any], start: Any, gradient: Any, options: Sequence[dict[str, float]]
) -> Values:
    """Compare two groups with optimizers that have the options of one of them for all."""
    optimizer, together = _in_groups(make, start, options)
    alone = [Variable(start), Variable(start)]
    rows = [[gradient, gradient]] * 3
    steps = steps_of(optimizer, together, rows)
    expected = [
        steps_of(make([w], **own), [w], [[gradient]] * 3)[0]
        for w, own in zip(alone, options, strict=True)
    ]
    optimizer.groups[0]["learning_rate"] = 0.0
    still, on = steps_of(optimizer, together, rows[:1])
    optimizer.learning_rate = 0.0
    halted = steps_of(optimizer, together, rows[:1])
    optimizer.zero_grad()
    optimizer, idle = _in_groups(make, start, options)
    optimizer.learning_rate = 0.0
    steps_of(optimizer, idle, rows[:1])
    optimizer, alike = _in_groups(make, start, options)
    for name in set().union(*options):
        optimizer.groups[0][name] = optimizer.groups[1][name]
    others = [[g, g] for g in (gradient, np.flip(gradient, axis=0), gradient)]
    changed, given = steps_of(optimizer, alike, others)
    return {
        "steps in groups less those of an optimizer a group": [
            float(np.abs(ours - theirs).max()) for ours, theirs in zip(steps, expected, strict=True)
        ],
        "groups that move": [bool(np.any(path)) for path in steps],
        "moves once the rate of the first group is 0": [bool(np.any(still)), bool(np.any(on))],
        "moves once learning_rate is 0": [bool(np.any(path)) for path in halted],
        "grad after zero_grad()": [snapshot(w.grad) for w in together],
        "w where learning_rate is 0 from the first step": [snapshot(w) for w in idle],
        "steps with options set later, less those with the same from the start": float(
            np.abs(changed - given).max()
        ),
    }


def of_missing_gradients(make: Callable[..., Any], start: Any, gradient: Any) -> Values:
    """Leave gradients of two parameters out; compare with one that had no gap."""
    parameters, steady = [Variable(start) for _ in range(3)], Variable(start)
    g, optimizer = gradient, make(parameters)
    h = np.flip(gradient, axis=0)  # another one, so that a step shows the state before it
    first = steps_of(optimizer, parameters, [[g, None, g]])
    waiting, left = snapshot(parameters[1]), snapshot(parameters[1].grad)
    rest = steps_of(optimizer, parameters, [[None, g, g], [None, h, g], [h, g, g]])
    pausing, late, other = (np.concatenate(pair) for pair in zip(first, rest, strict=True))
    expected = steps_of(make([steady]), [steady], [[g], [h]])[0]
    missing, present = [*pausing[1:3], late[0]], [*pausing[[0, 3]], *late[1:3]]
    return {
        "moved while the gradient was missing": float(np.abs(missing).max()),
        "steps before and after, less those without a gap": float(
            np.abs(np.array(present) - [*expected, *expected]).max()
        ),
        "moved before": bool(np.any(pausing[0])),
        "w while its first gradient is missing": waiting,
        "grad that was missing": left,
        "the one without a gap moves in each step": [bool(np.any(step)) for step in other],
    }


def of_odd_gradients(make: Callable[..., Any], tiny: float, **options: float) -> Values:
    """Take two steps with a tiny gradient, and one with a gradient that is NaN in part."""
    small, broken = Variable([0.0]), Variable([1.0, 2.0])
    steps = steps_of(make([small], **options), [small], [[[tiny]]] * 2)[0]
    steps_of(make([broken]), [broken], [[[np.nan, 1.0]]])
    return {
        "steps where the gradient is tiny": steps,
        "is NaN after a gradient of NaN and 1": [bool(n) for n in np.isnan(snapshot(broken))],
    }


def _assign(parameters: Sequence[Variable], values: Sequence[Any]) -> None:
    for parameter, value in zip(parameters, values, strict=True):
        parameter.data = Tensor(value)


def of_what_stays(make: Callable[..., Any], state: Sequence[str], rows: Sequence[Any]) -> Values:
    """Take steps; look at gradients, types, the entries of the state, and assigned data."""
    parameters = [Variable(np.ones(np.shape(gradient))) for gradient in rows[0]]
    optimizer = make(parameters)
    given = [[Variable(gradient) for gradient in row] for row in rows]
    for row in given:
        for parameter, gradient in zip(parameters, row, strict=True):
            parameter.grad = gradient
        optimizer.step()
    kept = [p.grad is gradient for p, gradient in zip(parameters, given[-1], strict=True)]
    changed = [
        float(np.abs(snapshot(gradient) - np.asarray(value)).max())
        for row, values in zip(given, rows, strict=True)
        for gradient, value in zip(row, values, strict=True)
    ]
    moved = [bool(np.any(snapshot(parameter) != 1)) for parameter in parameters]
    assigned = [snapshot(parameter) + 1000.0 for parameter in parameters]
    _assign(parameters, assigned)
    optimizer.step()
    after = [snapshot(parameter) for parameter in parameters]
    unused = [Variable(value) for value in assigned]
    _assign(parameters, assigned)
    second, third = make(parameters), make(unused)  # made before either takes a step
    steps, new = steps_of(second, parameters, rows), [steps_of(third, unused, rows[:1])]
    third.zero_grad()  # as in a training loop
    new.append(steps_of(third, unused, rows[1:]))
    pairs = zip(steps, map(np.concatenate, zip(*new, strict=True)), strict=True)
    return {
        "moves": moved,
        "largest change of a gradient": max(changed),
        "grad is the one given": kept,
        "data is a Tensor": [isinstance(p.data, Tensor) for p in parameters],
        "shapes": [list(snapshot(p).shape) for p in parameters],
        "entries of the state": [len(getattr(optimizer, name)) for name in state],
        "starts from assigned data": [bool(np.all(value > 500)) for value in after],
        "moves from assigned data": [
            bool(np.any(one != other)) for one, other in zip(after, assigned, strict=True)
        ],
        "steps of a second optimizer, less those of a third from the same weights, but new": [
            float(np.abs(one - other).max()) for one, other in pairs
        ],
    }


def of_arguments(make: Callable[..., Any], names: Sequence[str], values: Sequence[float]) -> Values:
    """Give no options, all by position, and zeros; return what the group then has."""
    parameters = [Variable([[1.0, 2.0]]), Variable([[3.0], [4.0]])]

    def options(*given: float) -> list[Any]:
        (group,) = make(parameters, *given).groups
        return [group[name] for name in names]

    (group,) = make(parameters).groups
    parts = [one is other for one, other in zip(group["parameters"], parameters, strict=True)]
    return {
        "defaults": options(),
        "options as given": options(*values),
        "options where 0 is given": options(*([0.0] * len(values))),
        "parameters are those given": parts,
    }
