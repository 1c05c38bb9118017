"""What communication costs: measured, and as a model of two numbers."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytorch.core.autograd import Variable
from tinytorch.parallel.data_parallel import DataParallel
from tinytorch.parallel.ranks import Ranks
from tinytorch.parallel.sharded import ShardedOptimizer
from tinytorch.parallel.trainer import Trainer

#: Lengths of the arrays that are sent for a fit, in float32.
SIZES = (1, 100, 1_000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class CostModel:
    """The time of an all-reduce, ``latency + 2 (N - 1) / N * bytes / bandwidth``.

    Attributes
    ----------
    ranks : int
        The number of processes it was measured with.
    latency : float
        Seconds that even an empty message takes. It grows with the number of ranks.
    bandwidth : float
        Bytes a second that go out of each rank.

    References
    ----------
    R. Thakur, R. Rabenseifner, W. Gropp, Optimization of Collective Communication Operations in
    MPICH, 2005.
    """

    ranks: int
    latency: float
    bandwidth: float

    def seconds(self, nbytes: float) -> float:
        """Return how long an all-reduce of so many bytes should take."""
        return self.latency + 2 * (self.ranks - 1) / self.ranks * nbytes / self.bandwidth

    @classmethod
    def fit(cls, ranks: int, nbytes: Sequence[float], seconds: Sequence[float]) -> CostModel:
        """Choose latency and bandwidth so that the relative errors are small.

        Notes
        -----
        Least squares, each measurement divided by its own time: a microsecond counts as much for a
        short message as a millisecond for a long one.
        """
        sent = 2 * (ranks - 1) / ranks * np.asarray(nbytes, dtype=np.float64)
        times = np.asarray(seconds, dtype=np.float64)
        columns = np.stack([np.ones_like(sent), sent], axis=1) / times[:, None]
        latency, per_byte = np.linalg.lstsq(columns, np.ones_like(times), rcond=None)[0]
        return cls(ranks, max(float(latency), 0.0), 1 / float(per_byte))


def measure_all_reduce(ranks: Ranks, sizes: Sequence[int] = SIZES) -> list[float]:
    """Return the seconds of an all-reduce of float32 arrays of these lengths."""
    return [_time_all_reduce(ranks, np.ones(size, np.float32)) for size in sizes]


def _time_all_reduce(ranks: Ranks, array: np.ndarray, rounds: int = 8) -> float:
    """Return the least time per call of some rounds: others on the machine can only add to it."""
    calls = max(2, min(40, 400_000 // array.size))
    own = np.empty_like(array[ranks.chunk(array.size)])
    ranks.all_reduce(array, own)
    times = []
    for _ in range(rounds):
        array.fill(1.0)
        ranks.barrier()
        begin = time.perf_counter()
        for _ in range(calls):
            ranks.all_reduce(array, own)
        times.append(max(ranks.gather(time.perf_counter() - begin)) / calls)
    return min(times)


def measure_state(
    ranks: Ranks, make_optimizer: Callable[[list[Variable]], Any], size: int, sharded: bool
) -> float:
    """Return the bytes that an optimizer keeps on this rank for each further weight.

    Measured with `tracemalloc`, which NumPy tells of every array, at `size` and at twice as many
    weights: what does not grow with the model, as scratch for a block, does not count.
    """
    # The first time also counts what an optimizer imports and compiles.
    _, few, many = (
        _state_bytes(ranks, make_optimizer, weights, sharded) for weights in (size, size, 2 * size)
    )
    return (many - few) / size


def _state_bytes(
    ranks: Ranks, make_optimizer: Callable[[list[Variable]], Any], size: int, sharded: bool
) -> int:
    """Return the bytes that are there after a step, and were not before there was an optimizer."""
    make_trainer = ShardedOptimizer if sharded else DataParallel
    tracemalloc.start()
    try:
        weights = Variable(np.zeros(size, np.float32))
        trainer: Trainer = make_trainer([weights], ranks, lambda _: _Nothing())
        weights.grad = Variable(np.ones(size, np.float32))
        trainer.step(examples=1)  # buckets and gradients are there from now on
        before, _ = tracemalloc.get_traced_memory()
        trainer.optimizer = make_optimizer(trainer.owned)
        trainer.step(examples=1)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return after - before


class _Nothing:
    """An optimizer without a rule and without a state."""

    def step(self) -> None:
        """Leave everything as it is."""
