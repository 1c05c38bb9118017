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
    student: Student, shapes: list[list[int]], sizes: list[int]
) -> Values:
    """State: of both moments a rank keeps its part alone, ceil(n / size) numbers."""

    def work(communicator: Any) -> list[int]:
        parameters = [Variable(np.ones(shape)) for shape in shapes]
        optimizer = student.ShardedAdamW(parameters, communicator, learning_rate=0.1)
        for parameter in parameters:
            parameter.grad = Variable(np.ones(parameter.data.shape))
        optimizer.step()
        moved = all(np.all(snapshot(parameter) < 1) for parameter in parameters)
        return [_count(optimizer.m), _count(optimizer.v), optimizer.t, int(moved)]

    return {"sizes of m and v, t, and 1 if it moved": [run_threads(work, n) for n in sizes]}


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
    student: Student, gradients: Gradients, rates: list[float], assigned: float
) -> Values:
    """Each step reads the options, and starts from what parameter.data is now."""

    def work(communicator: Any) -> list[Any]:
        parameters = [Variable([[0.0, 0.0]]), Variable(0.0)]
        optimizer = student.ShardedAdamW(
            parameters, communicator, beta1=0.0, beta2=0.0, weight_decay=0.0
        )
        _give(parameters, gradients[0][communicator.rank])
        kept, before = parameters[0].grad, snapshot(parameters[0].grad)
        for rate in rates:
            optimizer.learning_rate = rate
            optimizer.step()
        after = snapshot(parameters[1])
        parameters[1].data = Tensor(assigned)
        optimizer.step()
        same = parameters[0].grad is kept and bool(np.all(snapshot(kept) == before))
        tensors = all(isinstance(parameter.data, Tensor) for parameter in parameters)
        optimizer.zero_grad()
        cleared = all(parameter.grad is None for parameter in parameters)
        return [after, snapshot(parameters[1]), same, tensors, cleared]

    return {
        "w, w once assigned, gradient kept, Tensors kept, cleared by zero_grad()": run_threads(
            work, len(gradients[0])
        )
    }


def a_missing_gradient_skips_the_parameter_on_all_ranks(
    student: Student, starts: list[Any], gradients: Gradients, rate: float
) -> Values:
    """Without a gradient on any rank a parameter is skipped: no decay, no coasting."""

    def work(communicator: Any) -> list[Any]:
        parameters = [Variable(start) for start in starts]
        optimizer = student.ShardedAdamW(parameters, communicator, learning_rate=rate)
        seen = []
        for of_ranks in gradients:
            _give(parameters, of_ranks[communicator.rank])
            before = [snapshot(parameter) for parameter in parameters]
            optimizer.step()
            after = [snapshot(parameter) for parameter in parameters]
            seen.append([bool(np.any(a != b)) for a, b in zip(after, before, strict=True)])
        return seen

    return {"which parameters move, by rank and step": run_threads(work, len(gradients[0]))}


def _give(parameters: list[Variable], gradients: list[Any]) -> None:
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = None if gradient is None else Variable(gradient)


def _count(state: Any) -> int:
    """Return how many numbers a state holds: an array, or a list or dict of arrays."""
    values = list(state.values()) if isinstance(state, dict) else state
    if isinstance(values, (list, tuple)):
        return sum(_count(value) for value in values)
    return math.prod(np.shape(snapshot(values)))
