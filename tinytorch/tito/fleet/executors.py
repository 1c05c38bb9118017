"""Executors: where jobs run on this machine; :mod:`cluster` has the one for others."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from multiprocessing import forkserver
from typing import Any

from tinytorch.tito.fleet.worker import remove_abandoned

#: What the server that forks workers has imported; none of it starts a thread.
_PRELOADED = ["tinytorch.tito.fleet.worker"]


class WorkerLostError(Exception):
    """A worker was killed, or ran out of memory, while it did this job.

    Parameters
    ----------
    message : str
        What happened.
    losses : int
        How many workers that makes; none where the job had no part in it.
    """

    def __init__(self, message: str, losses: int = 1) -> None:
        super().__init__(message)
        self.losses = losses


class InlineExecutor(Executor):
    """Does each job at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do a job."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
            if not isinstance(error, Exception):
                raise
        return future


class _Slot:
    """One worker, and the job that it does."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self.job: tuple[Future[Any], Callable[..., Any], tuple[Any, ...]] | None = None
        self._pool: ProcessPoolExecutor | None = None

    def start(self, done: Callable[[_Slot, Future[Any]], None]) -> None:
        """Begin the job, with a new worker if there is none."""
        assert self.job is not None
        _, fn, args = self.job
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, self._context, initializer=_begin_worker)
        try:
            inner = self._pool.submit(fn, *args)
        except BrokenExecutor as error:  # it died while it had nothing to do
            inner = Future()
            inner.set_exception(error)
        inner.add_done_callback(lambda future: done(self, future))

    def discard(self) -> None:
        """Let go of a worker that was lost."""
        if self._pool is not None:
            self._pool.shutdown(wait=False)
            self._pool = None

    def kill(self) -> None:
        """Kill the worker."""
        if self._pool is not None:
            for process in list((self._pool._processes or {}).values()):
                process.kill()
                process.join(2)
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


class LocalExecutor(Executor):
    """Processes of this machine, each of which is replaced when it is lost.

    A process pool gives up all its jobs when one of its processes is killed, and does not say
    which job that process did. So there are as many pools as workers, of one process each.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or len(os.sched_getaffinity(0))
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_PRELOADED)
        forkserver.ensure_running()  # it imports that while this process does something else
        self._idle = [_Slot(self._context) for _ in range(self.workers)]
        self._slots = list(self._idle)
        self._waiting: deque[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = deque()
        self._lock = threading.RLock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queue a job."""
        future: Future[Any] = Future()
        with self._lock:
            self._waiting.append((future, fn, args))
            self._dispatch()
        return future

    def _dispatch(self) -> None:
        while self._idle and self._waiting:
            slot = self._idle.pop()
            slot.job = self._waiting.popleft()
            slot.start(self._done)

    def _done(self, slot: _Slot, inner: Future[Any]) -> None:
        with self._lock:
            assert slot.job is not None
            (future, *_), slot.job = slot.job, None
            if not inner.cancelled() and isinstance(inner.exception(), BrokenExecutor):
                slot.discard()
            self._idle.append(slot)
            self._dispatch()
        if inner.cancelled():
            future.cancel()
        elif isinstance(error := inner.exception(), (BrokenExecutor, MemoryError)):
            what = "ran out of memory" if isinstance(error, MemoryError) else "was killed"
            future.set_exception(WorkerLostError(f"the worker {what}"))
        elif error is not None:
            future.set_exception(error)
        else:
            future.set_result(inner.result())

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers, at once: a job that is not done is not lost, it can be done again."""
        with self._lock:
            self._waiting.clear()
            for slot in self._slots:
                slot.kill()
        remove_abandoned()


def _begin_worker() -> None:
    """Let only the driver be interrupted, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_driver, daemon=True).start()


def _end_with_driver() -> None:
    driver = multiprocessing.parent_process()
    if driver is not None:
        driver.join()
        os._exit(1)
