"""The ranks of a run as threads of this process: to try and to test what exchanges arrays.

Nothing is faster for it. A rank sees what it would see of others over MPI: rank, size, and two
operations that all of them call, in the same order.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.parallel.errors import ParallelError

#: Seconds that a rank waits for the others before all of them give up.
PATIENCE = 10.0


class ThreadCommunicator:
    """Connects one of the threads that :func:`run_threads` starts with the others.

    Attributes
    ----------
    rank, size : int
        The number of this rank, from 0, and how many there are.
    """

    def __init__(self, rank: int, barrier: threading.Barrier, slots: list[Any]) -> None:
        self.rank = rank
        self.size = len(slots)
        self._barrier = barrier
        self._slots = slots

    def reduce_scatter_mean(self, array: np.ndarray) -> np.ndarray:
        """Return this rank's part of the mean of all ranks' arrays, which are equally long.

        Raises
        ------
        ValueError
            If the arrays cannot be cut into equal parts.
        """
        arrays = self._exchange(np.array(array))
        if {a.shape for a in arrays} != {(len(array),)} or len(array) % self.size:
            shapes = [a.shape for a in arrays]
            raise ValueError(f"arrays must be flat, a multiple of {self.size} long, got {shapes}")
        part = len(array) // self.size
        own = slice(self.rank * part, (self.rank + 1) * part)
        return np.mean([a[own] for a in arrays], axis=0, dtype=array.dtype)

    def all_gather(self, part: np.ndarray) -> np.ndarray:
        """Return the parts of all ranks, one after another."""
        return np.concatenate(self._exchange(np.array(part)))

    def _exchange(self, array: np.ndarray) -> list[np.ndarray]:
        """Wait until every rank has put its array down, and return all of them."""
        self._slots[self.rank] = array
        self._barrier.wait()
        arrays = list(self._slots)
        self._barrier.wait()  # nobody puts the next one down before all have read
        return arrays


def run_threads(work: Callable[[ThreadCommunicator], Any], size: int) -> list[Any]:
    """Call a function as every rank of so many, each in a thread; return the results by rank.

    Raises
    ------
    ParallelError
        If a rank waits for others that do not come.
    BaseException
        What the first rank that failed has raised.
    """
    barrier = threading.Barrier(size, timeout=PATIENCE)
    slots: list[Any] = [None] * size
    results: list[Any] = [None] * size
    errors: list[BaseException] = []

    def run(rank: int) -> None:
        try:
            results[rank] = work(ThreadCommunicator(rank, barrier, slots))
        except BaseException as error:  # whatever it is, the thread that waits raises it
            errors.append(error)
            barrier.abort()

    threads = [threading.Thread(target=run, args=(rank,), daemon=True) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    causes = [error for error in errors if not isinstance(error, threading.BrokenBarrierError)]
    if causes:
        raise causes[0]
    if errors:
        raise ParallelError("a rank waited for others that did not come") from errors[0]
    return results
