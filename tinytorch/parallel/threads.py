"""The ranks of a run as threads of this process: to try and to test what exchanges arrays.

Nothing is faster for it. A rank sees what it would see of others over MPI: rank, size, and two
operations that all of them call, in the same order.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.parallel.errors import ParallelError

#: How often a thread that shall end is told so, and seconds in between.
ATTEMPTS, PAUSE = 100, 0.05


class _RankStoppedError(BaseException):
    """Ends a thread that nobody waits for any more."""


class _Meeting:
    """Where ranks put their arrays down, and wait until all have."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._condition = threading.Condition()
        self._round = 0
        self._arrived: dict[int, np.ndarray] = {}
        self._exchanged: list[np.ndarray] = []
        self._left: set[int] = set()

    def exchange(self, rank: int, array: np.ndarray) -> list[np.ndarray]:
        """Return the arrays of all ranks, as soon as all are there."""
        with self._condition:
            current = self._round
            self._arrived[rank] = array
            if len(self._arrived) == self.size:
                self._exchanged = [self._arrived[rank] for rank in range(self.size)]
                self._arrived.clear()
                self._round += 1
                self._condition.notify_all()
            self._condition.wait_for(lambda: self._round > current or self._left)
            if self._round == current:
                raise ParallelError(f"rank {rank} waited for others that did not come")
            return self._exchanged

    def leave(self, rank: int) -> None:
        """Let nobody wait for this rank any more."""
        with self._condition:
            self._left.add(rank)
            self._condition.notify_all()

    def remaining(self) -> set[int]:
        """Return the ranks that have not left."""
        return set(range(self.size)) - self._left

    def wait_for_all(self) -> None:
        """Wait until all ranks have left."""
        with self._condition:
            self._condition.wait_for(lambda: not self.remaining())


class ThreadCommunicator:
    """Connects one of the threads that :func:`run_threads` starts with the others.

    Attributes
    ----------
    rank, size : int
        The number of this rank, from 0, and how many there are.
    """

    def __init__(self, rank: int, meeting: _Meeting) -> None:
        self.rank = rank
        self.size = meeting.size
        self._meeting = meeting

    def reduce_scatter_mean(self, array: np.ndarray) -> np.ndarray:
        """Return this rank's part of the mean of all ranks' arrays, which are equally long.

        Raises
        ------
        ValueError
            If the arrays cannot be cut into equal parts.
        """
        arrays = self._meeting.exchange(self.rank, np.array(array))
        shapes = [a.shape for a in arrays]
        if len(set(shapes)) > 1 or len(shapes[0]) != 1 or shapes[0][0] % self.size:
            raise ValueError(f"arrays must be flat, a multiple of {self.size} long, got {shapes}")
        own = np.split(np.array(arrays), self.size, axis=1)[self.rank]
        return own.mean(axis=0, dtype=arrays[self.rank].dtype)

    def all_gather(self, part: np.ndarray) -> np.ndarray:
        """Return the parts of all ranks, one after another."""
        return np.concatenate(self._meeting.exchange(self.rank, np.array(part)))


def run_threads(work: Callable[[ThreadCommunicator], Any], size: int) -> list[Any]:
    """Call a function as every rank of so many, each in a thread; return the results by rank.

    Where the wait for them is interrupted, the threads are ended.

    Raises
    ------
    ParallelError
        If a rank waits for others that have ended.
    BaseException
        What the first rank that failed has raised.
    """
    meeting = _Meeting(size)
    results: list[Any] = [None] * size
    errors: list[BaseException] = []

    def run(rank: int) -> None:
        try:
            results[rank] = work(ThreadCommunicator(rank, meeting))
        except BaseException as error:  # whatever it is, the thread that waits raises it
            errors.append(error)
        finally:
            meeting.leave(rank)

    threads = [threading.Thread(target=run, args=(rank,), daemon=True) for rank in range(size)]
    for thread in threads:
        thread.start()
    try:
        meeting.wait_for_all()  # an interrupted Thread.join() would take a thread for ended
    finally:
        if meeting.remaining():
            # In a thread of its own: what has interrupted this one may do so again.
            threading.Thread(target=_stop, args=(meeting, threads), daemon=True).start()
    for error in sorted(errors, key=lambda error: isinstance(error, ParallelError)):
        raise error
    return results


def _stop(meeting: _Meeting, threads: list[threading.Thread]) -> None:
    """Raise an exception in threads that remain, again where their code catches it and goes on."""
    error = ctypes.py_object(_RankStoppedError)
    for _ in range(ATTEMPTS):
        remaining = meeting.remaining()
        if not remaining:
            return
        for rank in remaining:
            ident = ctypes.c_ulong(threads[rank].ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, error)
        time.sleep(PAUSE)
