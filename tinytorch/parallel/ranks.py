"""The processes of a run, and what they say to each other."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import numpy as np

from tinytorch.parallel.errors import ParallelError

#: Seconds that a rank waits for the others before it ends all of them.
PATIENCE = 60.0


class Ranks:
    """The N processes of a run, seen from one of them.

    Parameters
    ----------
    communicator : mpi4py.MPI.Comm
        Connects the processes.
    patience : float, default 60
        Seconds that one collective operation may take. After that a rank must be lost (hung, or
        gone without a word), and all are ended with a message. 0 waits for ever.

    Attributes
    ----------
    rank : int
        The number of this process, from 0.
    size : int
        The number of processes.

    Notes
    -----
    Used as a context, an exception in one rank ends all of them: otherwise the others would wait
    for ever in the next collective operation. Every method below is collective: all ranks call it,
    in the same order.
    """

    def __init__(self, communicator: Any, patience: float = PATIENCE) -> None:
        self._comm = communicator
        self._patience = patience
        self._waiting_since: float | None = None
        self.rank: int = communicator.Get_rank()
        self.size: int = communicator.Get_size()

    @classmethod
    def world(cls, patience: float = PATIENCE) -> Self:
        """Join the processes that ``mpiexec`` or ``srun`` started; alone, a world of one.

        Raises
        ------
        ParallelError
            If mpi4py, or the MPI library it needs, is not installed.
        """
        try:
            from mpi4py import MPI
        except (ImportError, RuntimeError) as error:
            raise ParallelError(
                f"MPI cannot be used here ({error}). Run: python -m pip install mpi4py mpich"
            ) from error
        return cls(MPI.COMM_WORLD, patience)

    def __enter__(self) -> Self:
        if self._patience and self.size > 1:
            threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        # SystemExit too: a rank that leaves early would wait in MPI's own farewell for the others.
        if error is not None and self.size > 1:
            if not isinstance(error, ParallelError):
                traceback.print_exception(error)
            self.abort(f"{type(error).__name__}: {error}")

    def abort(self, reason: str) -> None:
        """End all ranks at once, with a message that names this one."""
        message = f"rank {self.rank} of {self.size} ends all ranks: {reason}"
        print(message, file=sys.stderr, flush=True)
        self._comm.Abort(1)

    def chunk(self, size: int, rank: int | None = None) -> slice:
        """Return the part of `size` elements that is a rank's own: equal parts, up to one."""
        rank = self.rank if rank is None else rank
        return slice(size * rank // self.size, size * (rank + 1) // self.size)

    def reduce_scatter(self, array: np.ndarray, own: np.ndarray) -> None:
        """Add up an array over all ranks; each rank gets its own chunk of the sum, in `own`."""
        with self._patiently():
            self._comm.Reduce_scatter(array, own, self._counts(array.size))

    def all_gather(self, own: np.ndarray, array: np.ndarray) -> None:
        """Put the chunks of all ranks together; each rank gets the whole, in `array`."""
        with self._patiently():
            self._comm.Allgatherv(own, [array, self._counts(array.size)])

    def all_reduce(self, array: np.ndarray, own: np.ndarray | None = None) -> None:
        """Add up an array over all ranks; each rank gets the whole sum, in the same array.

        Parameters
        ----------
        array : numpy.ndarray
            Of the same shape and dtype on all ranks.
        own : numpy.ndarray, optional
            Scratch of the size of this rank's chunk; saves making one at each call.

        Notes
        -----
        A reduce-scatter, then an all-gather: 2 (N - 1) / N of the array goes out of each rank,
        and no algorithm needs less (Patarasuk and Yuan, 2009). Each element is added up by one
        rank alone, so that all get the same bits. MPI's own Allreduce need not promise that.
        """
        if own is None:
            own = np.empty_like(array[self.chunk(array.size)])
        self.reduce_scatter(array, own)
        self.all_gather(own, array)

    def total(self, counts: Sequence[int]) -> list[int]:
        """Add up whole numbers over all ranks; each rank gets all sums."""
        own, total = np.array(counts, dtype=np.int64), np.empty(len(counts), dtype=np.int64)
        with self._patiently():
            self._comm.Allreduce(own, total)
        return total.tolist()

    def broadcast(self, array: np.ndarray) -> None:
        """Overwrite an array with that of rank 0."""
        with self._patiently():
            self._comm.Bcast(array, root=0)

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all ranks, in their order, to each rank."""
        with self._patiently():
            return self._comm.allgather(value)

    def barrier(self) -> None:
        """Wait until all ranks are here."""
        with self._patiently():
            self._comm.Barrier()

    def agree(self, arrays: Iterable[np.ndarray]) -> bool:
        """Tell whether all ranks hold the same arrays, bit by bit."""
        digest = hashlib.blake2b(digest_size=16)
        for array in arrays:
            digest.update(array.tobytes())
        return len(set(self.gather(digest.digest()))) == 1

    def _counts(self, size: int) -> list[int]:
        chunks = (self.chunk(size, rank) for rank in range(self.size))
        return [chunk.stop - chunk.start for chunk in chunks]

    @contextmanager
    def _patiently(self) -> Iterator[None]:
        self._waiting_since = time.monotonic()
        yield
        self._waiting_since = None

    def _watch(self) -> None:
        """End all ranks when this one has waited too long; a wait in MPI cannot be interrupted."""
        while True:
            time.sleep(min(0.5, self._patience / 4))
            since = self._waiting_since
            if since is not None and time.monotonic() - since > self._patience:
                print(
                    f"rank {self.rank} of {self.size} has waited {self._patience:g} s for the "
                    "others and ends all ranks",
                    file=sys.stderr,
                    flush=True,
                )
                # Not MPI's Abort: it may want the lock that the waiting thread holds.
                os._exit(1)
