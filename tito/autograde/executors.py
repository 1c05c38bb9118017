"""Executors: where jobs run on this machine; :mod:`cluster` has the one for others."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import forkserver
from time import sleep
from typing import Any, Protocol

from tito.autograde.retries import RETRY_DELAY, WORKER_STARTS
from tito.course.folders import remove_abandoned
from tito.errors import TitoError
from tito.sandbox.abandoned import end_abandoned

#: What the server that forks workers has imported; none of it starts a thread.
_PRELOADED = ["tito.autograde.preloaded"]
#: How long the end waits for a thread that served a worker.
_THREAD_SECONDS = 1.0
_LOST = (BrokenExecutor, MemoryError)


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


class JobExecutor(Protocol):
    """Where jobs run; a context manager, at the end of which nothing of them runs any more.

    Attributes
    ----------
    runs_here : bool
        Whether :meth:`submit` itself does the job, in this process.
    """

    runs_here: bool

    @property
    def workers(self) -> int:
        """How many jobs it does at once, as of now."""

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Queue a job; its future raises :class:`WorkerLostError` if its worker is lost."""

    def refuse(self, worker: str, reason: str) -> bool:
        """Give a worker no more jobs; whether another one may do them."""

    def __enter__(self) -> Any: ...

    def __exit__(self, kind: Any, error: Any, trace: Any, /) -> bool | None: ...


def usual_workers() -> int:
    """Return how many keep this machine busy: each waits for a quarter of its time and more."""
    processors = len(os.sched_getaffinity(0))
    return processors + processors // 2 + 1


def warm_up() -> None:
    """Start the server that forks workers, which imports what they need meanwhile.

    Raises
    ------
    TitoError
        If it cannot be started.
    """
    multiprocessing.set_forkserver_preload(_PRELOADED)
    try:
        with _uninterrupted():  # nor the server, while it imports
            forkserver.ensure_running()
    except OSError as error:  # such as a socket whose path is too long
        raise TitoError(
            f"workers cannot be started: {error}; temporary files are in {tempfile.gettempdir()}. "
            "Set TMPDIR to another folder, whose path is short."
        ) from error


class InlineExecutor(Executor):
    """Does each job at once, in this process."""

    runs_here, workers = True, 0

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]:  # type: ignore[override]
        """Do a job."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args))
        except BaseException as error:
            future.set_exception(error)
            if not isinstance(error, Exception):
                raise
        return future

    def refuse(self, worker: str, reason: str) -> bool:
        """There is no other."""
        return False

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Remove what runs that were killed have left behind; of its own jobs nothing is left."""
        remove_abandoned()
        end_abandoned()


class _Slot:
    """One worker, and the job that it does."""

    def __init__(self, context: Any, begin: Callable[[], Any]) -> None:
        self._context = context
        self._begin = begin
        self._begun: Future[Any] | None = None
        self.job: tuple[Future[Any], Callable[..., Any], tuple[Any, ...]] | None = None
        self._pool: ProcessPoolExecutor | None = None

    def start(self, done: Callable[[_Slot, Future[Any]], None]) -> None:
        """Begin the job, with a new worker if there is none."""
        assert self.job is not None
        _, fn, args = self.job
        try:
            if self._pool is None:
                self._pool = ProcessPoolExecutor(1, self._context, initializer=_begin_worker)
                self._begun = self._pool.submit(self._begin)
            inner = self._pool.submit(fn, *args)
        except (BrokenExecutor, OSError, EOFError) as error:
            # It died while it had nothing to do, or whoever forks workers did meanwhile.
            self._begun = None
            inner = Future()
            inner.set_exception(BrokenExecutor(str(error)))
        inner.add_done_callback(lambda future: done(self, future))

    @property
    def has_begun(self) -> bool:
        """Whether the worker lived to take its job."""
        begun = self._begun
        if begun is None or not begun.done() or begun.cancelled():
            return False
        return not isinstance(begun.exception(), _LOST)

    def kill(self) -> threading.Thread | None:
        """Kill the worker; return the thread that served it, which ends soon."""
        if self._pool is None:
            return None
        for process in list((self._pool._processes or {}).values()):
            process.kill()
            process.join(2)
        served = getattr(self._pool, "_executor_manager_thread", None)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = None
        return served


class LocalExecutor(Executor):
    """Processes of this machine, each of which is replaced when it is lost.

    The standard library's pool gives up all its jobs when one of its processes is killed, as
    loky's does (3.7), and pebble's (5.2) when one is killed that has nothing to do. So there are
    as many pools as workers, of one process each.

    Parameters
    ----------
    workers : int, optional
        How many; some more than there are processors by default.
    begin : callable, optional
        What each worker does before its first job. No job is to blame if it is lost meanwhile.
    """

    runs_here = False

    def __init__(self, workers: int | None = None, begin: Callable[[], Any] = os.getpid) -> None:
        self.workers = workers or usual_workers()
        warm_up()
        self._context = multiprocessing.get_context("forkserver")
        self._idle = [_Slot(self._context, begin) for _ in range(self.workers)]
        self._slots = list(self._idle)
        self._waiting: deque[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = deque()
        self._lock = threading.RLock()
        self._failed_starts = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]:  # type: ignore[override]
        """Queue a job.

        Raises
        ------
        TitoError
            If workers do not live to take one.
        """
        future: Future[Any] = Future()
        if self._failed_starts:  # whatever ends workers, it may pass
            sleep(min(RETRY_DELAY * 2**self._failed_starts, 1.0))
        with self._lock:
            if self._failed_starts >= WORKER_STARTS:
                raise TitoError(
                    f"{WORKER_STARTS} workers in a row were lost before they had begun. Look "
                    "whether this machine has memory left, and what ends them, and grade again: "
                    "it resumes from here."
                )
            self._waiting.append((future, fn, args))
            self._dispatch()
        return future

    def refuse(self, worker: str, reason: str) -> bool:
        """All are of this version, and on this machine."""
        return False

    def _dispatch(self) -> None:
        while self._idle and self._waiting:
            slot = self._idle.pop()
            slot.job = self._waiting.popleft()
            slot.start(self._done)

    def _done(self, slot: _Slot, inner: Future[Any]) -> None:
        error = None if inner.cancelled() else inner.exception()
        with self._lock:
            assert slot.job is not None
            (future, *_), slot.job = slot.job, None
            lost, began = isinstance(error, _LOST), slot.has_begun
            self._failed_starts = self._failed_starts + 1 if lost and not began else 0
            if lost:  # also one that is alive: it may still hold the memory that others need
                slot.kill()
            self._idle.append(slot)
            self._dispatch()
        if inner.cancelled():
            future.cancel()
        elif lost:
            what = "ran out of memory" if isinstance(error, MemoryError) else "was killed"
            when = "" if began else " before it had begun"
            future.set_exception(WorkerLostError(f"the worker {what}{when}", losses=int(began)))
        elif error is not None:
            future.set_exception(error)
        else:
            future.set_result(inner.result())

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers, at once: a job that is not done is not lost, it can be done again."""
        with _uninterrupted():
            with self._lock:
                self._waiting.clear()
                served = [slot.kill() for slot in self._slots]
                remove_abandoned()
                end_abandoned()
            for thread in filter(None, served):
                # Python would wake it at its end, perhaps while it closes what it is woken by.
                thread.join(_THREAD_SECONDS)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let nobody interrupt the block: Python waits at its end for workers that nobody killed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _begin_worker() -> None:
    """Let only the driver be interrupted, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_driver, daemon=True).start()


def _end_with_driver() -> None:
    driver = multiprocessing.parent_process()
    if driver is not None:
        driver.join()
        os._exit(1)
