"""The workers of a Dask scheduler: processes of other machines, which come and go."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass
from functools import partial
from textwrap import shorten
from time import monotonic
from typing import Any

from tito.autograde.executors import WorkerLostError
from tito.autograde.job import difference, fingerprint
from tito.errors import TitoError

#: How long the first connection may take, how long a scheduler may be away later, and a try.
_CONNECT_SECONDS, AWAY_SECONDS, _TRY_SECONDS = 10.0, 60.0, 2.0
#: How long to wait before looking again who came and who went.
POLL_INTERVAL = 0.2
_FETCH_SECONDS = 60.0


@dataclass(eq=False)
class _Task:
    """A job, what its caller waits for, and what Dask has of it."""

    future: Future[Any]
    fn: Callable[..., Any]
    args: tuple[Any, ...]
    inner: Any = None


class DaskExecutor(Executor):
    """The workers of a Dask scheduler, one job at a time each.

    Dask would give the job of a worker that was lost to the next one, several times over. Here
    each job is meant for one worker, so that it is known how many were lost with it. A worker gets
    jobs when it has answered that it is of this version.

    Parameters
    ----------
    address : str
        Of the scheduler: ``tcp://HOST:8786``, or ``tls://HOST:8786``, for which Dask's own
        configuration names the certificates.
    tell : callable, optional
        Called with what somebody who waits should know.

    Raises
    ------
    TitoError
        If Dask is not installed or nobody answers.
    """

    runs_here = False

    def __init__(self, address: str, tell: Callable[[str], None] | None = None) -> None:
        try:
            import distributed
        except ImportError as error:
            raise TitoError(
                "grading on a cluster needs Dask; install 'distributed' with pip."
            ) from error
        # It prints tracebacks of a lost connection, which is told in words here.
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        self._distributed = distributed
        self.address = address
        self._tell = tell or (lambda text: None)
        self._lock = threading.RLock()
        self._waiting: deque[_Task] = deque()
        #: Workers that may grade, and what each does.
        self._busy: dict[str, _Task | None] = {}
        #: Workers that were asked for their version, and those that must not grade.
        self._asked: dict[str, Any] = {}
        self._refused: set[str] = set()
        self._looked_at = self._away_since = 0.0
        self._told_to_wait = False
        self._client = self._connect(_CONNECT_SECONDS)

    def _connect(self, seconds: float) -> Any:
        try:
            return self._distributed.Client(self.address, timeout=seconds, set_as_default=False)
        except (OSError, ValueError, TypeError, TimeoutError, RuntimeError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise TitoError(
                f"no Dask scheduler answers at {self.address}: {reason}. Start one, or grade again "
                "later: it resumes from here."
            ) from error

    @property
    def workers(self) -> int:
        """How many workers may grade, as of now."""
        if monotonic() > self._looked_at + POLL_INTERVAL:
            self._look()
            self._looked_at = monotonic()
        return len(self._busy)

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]:  # type: ignore[override]
        """Queue a job."""
        task = _Task(Future(), fn, args)
        with self._lock:
            self._waiting.append(task)
            self._dispatch()
        return task.future

    def refuse(self, worker: str, reason: str) -> bool:
        """Give a worker no more jobs; it would be done with each at once, and so take them all.

        Returns
        -------
        bool
            Whether to go on: another one may come.
        """
        with self._lock:
            self._busy.pop(worker, None)
            self._refused.add(worker)
        self._tell(f"not used: {reason}")
        return True

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the scheduler; its workers go on without this run's jobs."""
        self._client.close(timeout=2)

    # Who is there ---------------------------------------------------------------------------

    def _look(self) -> None:
        """Look who came and who went."""
        here = self._addresses()
        with self._lock:
            for address in set(self._busy) - here:
                if task := self._busy.pop(address):
                    self._fail(task, WorkerLostError(f"the worker {address} was lost"))
                    task.inner.cancel()  # or Dask would keep it for a worker of that address
            self._refused &= here
            for address in set(self._asked) - here:
                self._asked.pop(address).cancel()
                self._tell(
                    f"the worker {address} ended when it was asked for its version; is the "
                    "course's package, 'tinytorch', installed where it runs?"
                )
            for address in here - {*self._busy, *self._refused, *self._asked}:
                self._asked[address] = self._send(address, fingerprint)
            for address, answer in list(self._asked.items()):
                if answer.done():
                    del self._asked[address]
                    self._introduce(address, answer)
            self._dispatch()
        if self._busy:
            self._told_to_wait = False
        elif not (self._told_to_wait or self._asked or self._away_since):
            self._tell(f"waiting for workers: the scheduler {self.address} has none that may grade")
            self._told_to_wait = True

    def _addresses(self) -> set[str]:
        """Return the addresses of all workers; none while the scheduler is away."""
        if self._client.status != "running" and not self._is_back():
            return set()
        try:
            return set(self._client.nthreads())
        except (OSError, TimeoutError, RuntimeError):
            return set(self._busy)  # whether it was lost shows next time

    def _is_back(self) -> bool:
        """Try to reach a scheduler that was lost."""
        if not self._away_since:
            self._away_since = monotonic()
            self._tell(f"the scheduler {self.address} was lost; trying to reach it again")
            self._let_go()
        try:
            self._client = self._connect(_TRY_SECONDS)
        except TitoError:
            if monotonic() > self._away_since + AWAY_SECONDS:
                raise
            return False
        self._away_since = 0.0
        return True

    def _let_go(self) -> None:
        """Give up a scheduler with all that it had; no worker is to blame."""
        with self._lock:
            lost = [task for task in self._busy.values() if task is not None]
            self._busy.clear()
            self._asked.clear()
        for task in lost:
            self._fail(task, WorkerLostError("the scheduler was lost", losses=0))
        self._client.close(timeout=2)

    def _introduce(self, address: str, answer: Any) -> None:
        """Let a worker grade, if it is of this version."""
        try:
            theirs = answer.result(timeout=_FETCH_SECONDS) if answer.status == "finished" else ""
            error = answer.exception(timeout=_FETCH_SECONDS) if answer.status == "error" else None
        except (CancelledError, OSError, TimeoutError):
            return  # it was lost just now
        if error is not None:
            why = shorten(str(error) or type(error).__name__, 200)
            self.refuse(address, f"the worker {address} cannot grade: {why}")
        elif theirs and theirs != fingerprint():
            what = difference(theirs, fingerprint())
            self.refuse(address, f"the worker {address} has another version: {what}")
        elif theirs:
            self._busy[address] = None

    # Jobs -----------------------------------------------------------------------------------

    def _send(self, address: str, fn: Callable[..., Any], *args: Any) -> Any:
        # Pure functions of equal arguments share a result; a job that is tried again must not.
        return self._client.submit(fn, *args, workers=[address], pure=False)

    def _dispatch(self) -> None:
        """Give what waits to workers that do nothing."""
        if self._client.status != "running":
            return
        for address, doing in self._busy.items():
            if doing is None and self._waiting:
                task = self._busy[address] = self._waiting.popleft()
                task.inner = self._send(address, task.fn, *task.args)
                task.inner.add_done_callback(partial(self._done, address, task))

    def _done(self, address: str, task: _Task, inner: Any) -> None:
        with self._lock:  # the worker need not wait until its result is here
            if self._busy.get(address) is task:
                self._busy[address] = None
                self._dispatch()
        try:
            result = inner.result(timeout=_FETCH_SECONDS)
        except self._distributed.scheduler.KilledWorker as error:
            # One that came back under its address was given it again, and was killed again.
            self._fail(task, WorkerLostError(f"the worker was killed: {error}", losses=2))
        except (CancelledError, OSError, TimeoutError) as error:
            self._fail(task, WorkerLostError(f"the result was lost: {error}", losses=0))
        except BaseException as error:
            self._fail(task, error)
        else:
            with self._lock:
                if not task.future.done():
                    task.future.set_result(result)

    def _fail(self, task: _Task, error: BaseException) -> None:
        with self._lock:
            if not task.future.done():
                task.future.set_exception(error)
