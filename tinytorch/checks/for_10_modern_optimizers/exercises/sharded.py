"""Exercises of `test-sharded-adamw`: ShardedAdamW, its ranks as threads of one process."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.checks.observe import snapshot
from tinytorch.checks.student import Student, Values
from tinytorch.core.autograd import Variable
from tinytorch.core.tensor import Tensor
from tinytorch.parallel.threads import run_threads

#: By step, by rank, by parameter.
Gradients = list[list[list[Any]]]


def a_rank_keeps_the_state_of_its_part(
    student: Student, shapes: list[list[int]], sizes: list[int], gradients: list[float]
) -> Values:
    """Part of a rank: ceil(n / size) numbers of both moments, and a step by the mean gradient."""

    def work(communicator: Any) -> list[Any]:
        parameters = [Variable(np.full(shape, float(i))) for i, shape in enumerate(shapes)]
        optimizer = student.ShardedAdamW(
            parameters, communicator, learning_rate=0.1, epsilon=1.0, weight_decay=0.0
        )
        for parameter in parameters:
            parameter.grad = Variable(np.full(parameter.data.shape, gradients[communicator.rank]))
        optimizer.step()
        steps = [i - snapshot(parameter) for i, parameter in enumerate(parameters)]
        extremes = [min(map(np.min, steps)), max(map(np.max, steps))]
        return [_count(optimizer.m), _count(optimizer.v), *map(float, extremes)]

    columns = [list(zip(*run_threads(work, size), strict=True)) for size in sizes]
    return {
        "largest sizes of m and v of a rank": [[max(m), max(v)] for m, v, _, _ in columns],
        "least and largest step of any rank": [
            [min(low), max(high)] for _, _, low, high in columns
        ],
    }


def all_ranks_hold_the_weights_of_adamw(
    student: Student, starts: list[Any], gradients: Gradients, options: dict[str, float]
) -> Values:
    """Weights: on every rank those of AdamW, given the mean of all gradients."""

    def work(communicator: Any) -> list[Any]:
        parameters = [Variable(start) for start in starts]
        optimizer = student.ShardedAdamW(parameters, communicator, **options)
        for of_ranks in gradients:
            _give(parameters, of_ranks[communicator.rank])
            optimizer.step()
        return [snapshot(parameter) for parameter in parameters]

    return {"weights by rank": run_threads(work, len(gradients[0]))}


def options_and_weights_are_read_at_each_step(
    student: Student, gradients: Gradients, rates: list[float], assigned: float, tiny: float
) -> Values:
    """Each step calls each method once, reads the options, and starts from what data is now."""

    def work(communicator: Any) -> list[Any]:
        parameters = [Variable([[0.0, 0.0, 0.0]]), Variable(0.0)]
        counting = _CountingCommunicator(communicator)
        optimizer = student.ShardedAdamW(
            parameters, counting, beta1=0.5, beta2=0.5, epsilon=1.0, weight_decay=0.5
        )
        counting.calls.clear()
        for rate, of_ranks in zip(rates, gradients, strict=True):
            _give(parameters, of_ranks[communicator.rank])
            optimizer.learning_rate = rate
            optimizer.step()
            optimizer.groups[0].update(beta1=0.0, beta2=0.0, epsilon=1e-8, weight_decay=0.0)
        after = snapshot(parameters[1])
        parameters[1].data = Tensor(assigned)
        optimizer.step()
        return [after, snapshot(parameters[1]), sorted(counting.calls)]

    def single(communicator: Any) -> Any:
        w = Variable(0.0)
        optimizer = student.ShardedAdamW([w], communicator, learning_rate=0.5, weight_decay=0.0)
        _give([w], [tiny])
        optimizer.step()
        optimizer.step()
        return snapshot(w)

    return {
        "w, w once assigned, and calls in three steps, by rank": run_threads(
            work, len(gradients[0])
        ),
        "a single number on four ranks, after two steps": run_threads(single, 4),
    }


def a_missing_gradient_skips_the_parameter_on_all_ranks(
    student: Student, starts: list[Any], gradients: Gradients, rate: float
) -> Values:
    """Without a gradient on any rank a parameter is skipped: no decay, no coasting."""
    # So many steps that both ways to count them after a gap correct by a factor of 1.
    rows = [*gradients[:1] * 30, *gradients[1:]]
    # Epsilon is large, so that a step shows whose moments it was made of.
    options = {"beta1": 0.5, "beta2": 0.5, "epsilon": 1.0, "weight_decay": 0.5}

    def work(communicator: Any) -> list[Any]:
        parameters = [Variable(start) for start in starts]
        optimizer = student.ShardedAdamW(parameters, communicator, learning_rate=rate, **options)
        steps = []
        for of_ranks in rows:
            optimizer.zero_grad()  # as in a training loop
            before = [snapshot(parameter) for parameter in parameters]
            _give(parameters, of_ranks[communicator.rank])
            optimizer.step()
            after = [snapshot(parameter) for parameter in parameters]
            steps.append([(old - new) / rate for old, new in zip(before, after, strict=True)])
        return steps[29:]

    def late(communicator: Any) -> list[bool]:
        parameters = [Variable(start) for start in starts]
        optimizer = student.ShardedAdamW(parameters, communicator, learning_rate=rate)
        moved = []
        for of_ranks in (gradients[1], gradients[0]):
            before = snapshot(parameters[0])
            _give(parameters, of_ranks[communicator.rank])
            optimizer.step()
            moved.append(bool(np.any(snapshot(parameters[0]) != before)))
        return moved

    size = len(gradients[0])
    return {
        "w after a gradient of NaN and 0": _after_odd_gradients(student, size),
        "steps in learning rates, by rank, before, in and after the gaps": run_threads(work, size),
        "moved in a first step without a gradient, and in the next with one": run_threads(
            late, size
        ),
    }


def _after_odd_gradients(student: Student, size: int) -> list[Any]:
    """Take a step with a gradient that is NaN in part; return the weights by rank."""

    def odd(communicator: Any) -> Any:
        w = Variable([1.0, 2.0])
        optimizer = student.ShardedAdamW([w], communicator, learning_rate=0.5, weight_decay=0.5)
        _give([w], [[np.nan, 0.0]])
        optimizer.step()
        return snapshot(w)

    return run_threads(odd, size)


def what_sharded_adamw_is_given_stays(student: Student, gradients: Gradients) -> Values:
    """Gradients stay on every rank, data stays a Tensor of its shape, and t counts the steps."""

    def work(communicator: Any) -> list[Any]:
        parameters = [Variable(np.zeros(np.shape(gradient))) for gradient in gradients[0][0]]
        optimizer = student.ShardedAdamW(parameters, communicator)
        counts = [optimizer.t]
        rows = [of_ranks[communicator.rank] for of_ranks in gradients]
        kept = [True] * len(parameters)
        for row in ([None] * len(parameters), *rows):
            _give(parameters, row)
            given = [parameter.grad for parameter in parameters]
            optimizer.step()
            counts.append(optimizer.t)
            same = [p.grad is gradient for p, gradient in zip(parameters, given, strict=True)]
            kept = [one and other for one, other in zip(kept, same, strict=True)]
        optimizer.zero_grad()
        return [
            [snapshot(gradient) for gradient in given],
            kept,
            [isinstance(parameter.data, Tensor) for parameter in parameters],
            [list(parameter.data.shape) for parameter in parameters],
            counts,
            [snapshot(parameter.grad) for parameter in parameters],
        ]

    def options(communicator: Any) -> dict[str, float]:
        (group,) = student.ShardedAdamW([Variable(0.0)], communicator).groups
        return {name: value for name, value in group.items() if name != "parameters"}

    return {
        "gradients, whether they are those given, Tensors, shapes, t, after zero_grad()": (
            run_threads(work, len(gradients[0]))
        ),
        "options by default": run_threads(options, 1),
    }


class _CountingCommunicator:
    """A communicator that keeps the names of what it was asked for."""

    def __init__(self, communicator: Any) -> None:
        self._communicator = communicator
        self.rank, self.size = communicator.rank, communicator.size
        self.calls: list[str] = []

    def reduce_scatter_mean(self, array: np.ndarray) -> np.ndarray:
        self.calls.append("reduce_scatter_mean")
        return self._communicator.reduce_scatter_mean(array)

    def all_gather(self, part: np.ndarray) -> np.ndarray:
        self.calls.append("all_gather")
        return self._communicator.all_gather(part)


def _give(parameters: list[Variable], gradients: list[Any]) -> None:
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = None if gradient is None else Variable(gradient)


def _count(state: Any) -> int:
    """Return how many numbers a state holds: an array, or a list or dict of arrays."""
    values = list(state.values()) if isinstance(state, dict) else state
    if isinstance(values, (list, tuple)):
        return sum(_count(value) for value in values)
    return math.prod(np.shape(snapshot(values)))
