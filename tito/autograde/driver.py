"""Hand out jobs, take results, and try again what was lost with its worker."""

from __future__ import annotations

import logging
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic
from typing import Any

from tito.autograde.executors import JobExecutor, WorkerLostError
from tito.autograde.job import Job
from tito.autograde.retries import Attempts
from tito.autograde.worker import grade, reason_of
from tito.errors import TitoError
from tito.gradebook.result import Result
from tito.gradebook.result_store import ResultStore

#: How many results are entered together, of how many characters at most but for the last, and how
#: long the first of them waits for others.
_BATCH, _BATCH_SIZE, _BATCH_SECONDS = 64, 20_000_000, 1.0
#: How long to wait for a result before looking whether somebody ended the run.
POLL_INTERVAL = 0.25
_NO_MORE = "no more"
_POISON = (
    "each worker that graded it was lost ({error}); look at the notebook, and at the memory of "
    "this machine, before you grade it again"
)

Report = Callable[[Result], None]


class Driver:
    """One run over a class.

    Parameters
    ----------
    executor : JobExecutor
        Where jobs run.
    store : ResultStore
        Who writes.
    packed : bytes
        The assignment.
    log : logging.Logger
        Of the run.
    report : callable
        Called with each result that was entered.
    """

    def __init__(
        self,
        executor: JobExecutor,
        store: ResultStore,
        packed: bytes,
        log: logging.Logger,
        report: Report,
    ) -> None:
        self._executor = executor
        self._store = store
        self._packed = packed
        self._log = log
        self._report = report
        self._running: dict[Future[Any], Job] = {}
        self._attempts = Attempts()
        self._retries: deque[Job] = deque()
        self._recorded: list[Result] = []
        self._first_at = 0.0
        self._interrupted = False

    def run(self, jobs: Iterable[Job | None]) -> None:
        """Grade all; what is known when this is interrupted is entered.

        None among the jobs says that there is none for now, and may be later.
        """
        waiting = iter(jobs)
        try:
            with self._noting_interrupts():
                while not self._interrupted and self._fill(waiting):
                    self._collect()
        finally:
            # What workers do now is begun again next time.
            self._running.clear()
            self._commit()
        if self._interrupted:
            raise KeyboardInterrupt

    @contextmanager
    def _noting_interrupts(self) -> Iterator[None]:
        """Note an interrupt instead of raising it amid anything; the second one is raised.

        Where this process itself does the jobs, the first one is.
        """
        in_main_thread = threading.current_thread() is threading.main_thread()
        if self._executor.runs_here or not in_main_thread:
            yield
            return

        def note(*_: Any) -> None:
            self._interrupted = True
            signal.signal(signal.SIGINT, signal.default_int_handler)

        before = signal.signal(signal.SIGINT, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _fill(self, waiting: Iterator[Job | None]) -> bool:
        """Hand out jobs; False when none is left and none runs."""
        # One more than there are workers, so that none waits for this process.
        while len(self._running) < self._executor.workers + 1:
            job = self._retries.popleft() if self._retries else next(waiting, _NO_MORE)
            if job is None:
                if not self._running:  # somebody waits for what is known
                    self._commit()
                return True
            if isinstance(job, str):
                break
            self._running[self._executor.submit(grade, self._packed, job)] = job
        return bool(self._running)

    def _collect(self) -> None:
        done, _ = wait(self._running, timeout=POLL_INTERVAL, return_when=FIRST_COMPLETED)
        for future in done:
            self._take(future, self._running.pop(future))
        size = sum(len(result.notebook) for result in self._recorded)
        full = len(self._recorded) >= _BATCH or size > _BATCH_SIZE
        if full or (self._recorded and monotonic() > self._first_at + _BATCH_SECONDS):
            self._commit()

    def _take(self, future: Future[Any], job: Job) -> None:
        try:
            result = future.result()
        except (WorkerLostError, MemoryError) as error:
            self._worker_lost(job, error)
            return
        except Exception as error:  # a fault of the tools; it must not stop the others
            self._log.exception("%s could not be graded", job.student)
            result = Result(**job.identity, status="failed", reason=reason_of(error))
        if result.status == "refused":
            self._refused(job, result)
        elif result.status == "lost" and self._may_try_again(job, result.blame):
            self._log.warning("%s: %s; begun again", job.student, result.reason)
        else:
            for line in result.log.splitlines():
                self._log.error("%s: %s", job.student, line)
            self._record(replace(result, status="failed") if result.status == "lost" else result)

    def _may_try_again(self, job: Job, cause: str, count: int = 1) -> bool:
        """Queue a job once more, if it may be; the one place where that is decided."""
        attempted = f"{job.student} {job.digest}"
        again = self._attempts.may_try_again(attempted, cause, count)
        if again:
            tolerated = self._attempts.tolerated(attempted)
            self._retries.append(replace(job, tolerated=tolerated))
        return again

    def _worker_lost(self, job: Job, error: BaseException) -> None:
        self._log.warning("%s: %s", job.student, str(error) or type(error).__name__)
        losses = error.losses if isinstance(error, WorkerLostError) else 1
        if not self._may_try_again(job, "worker", losses):
            reason = _POISON.format(error=str(error) or type(error).__name__)
            failed = Result(**job.identity, status="failed", flags=job.flags, reason=reason)
            self._record(failed)

    def _refused(self, job: Job, result: Result) -> None:
        """Do without a worker that must not grade; end the run if no other is left."""
        self._log.warning(result.reason)
        if not self._executor.refuse(result.worker, result.reason):
            raise TitoError(f"{result.reason}; start workers of this version.")
        self._retries.append(job)

    def _record(self, result: Result) -> None:
        recorded = self._store.record(result)
        if not self._recorded:
            self._first_at = monotonic()
        self._recorded.append(recorded)

    def _commit(self) -> None:
        recorded, self._recorded = self._recorded, []
        for result in self._store.commit(recorded):
            self._report(result)
