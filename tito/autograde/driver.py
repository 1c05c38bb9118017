"""Hand out jobs, take results, and try again what was lost with its worker."""

from __future__ import annotations

import logging
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from time import monotonic
from typing import Any

from tito.autograde.executors import InlineExecutor, WorkerLostError
from tito.autograde.job import Job
from tito.autograde.worker import grade, reason_of
from tito.errors import TitoError
from tito.gradebook.result import Result
from tito.gradebook.settle import Ledger

#: How many results are entered together, of how many characters at most but for the last, and how
#: long the first of them waits for others.
_BATCH, _BATCH_SIZE, _BATCH_SECONDS = 64, 20_000_000, 1.0
#: How long to wait for a result before looking whether somebody ended the run.
_LOOK_SECONDS = 0.25
#: How often a submission is tried: whatever it does to a worker, it does it to two at most.
_TRIES = 2
_POISON = (
    "each worker that graded it was lost ({error}); look at the notebook, and at the memory of "
    "this machine, before you grade it again"
)

Report = Callable[[Result], None]


class Driver:
    """One run over a class.

    Parameters
    ----------
    executor : Executor
        Where jobs run; with an attribute `workers` if it does several at once.
    ledger : Ledger
        Who writes.
    packed : bytes
        The assignment.
    log : logging.Logger
        Of the run.
    report : callable
        Called with each result that was entered.
    """

    def __init__(
        self, executor: Executor, ledger: Ledger, packed: bytes, log: logging.Logger, report: Report
    ) -> None:
        self._executor = executor
        self._ledger = ledger
        self._packed = packed
        self._log = log
        self._report = report
        self._running: dict[Future[Any], Job] = {}
        self._losses: dict[str, int] = {}
        self._again: deque[Job] = deque()
        self._kept: list[Result] = []
        self._kept_since = 0.0
        self._interrupted = False

    def run(self, jobs: Iterable[Job]) -> None:
        """Grade all; what is known when this is interrupted is entered."""
        waiting = iter(jobs)
        try:
            with self._noting_interrupts():
                while not self._interrupted and self._fill(waiting):
                    self._collect()
        finally:
            # What workers do now is begun again next time.
            self._running.clear()
            self._enter()
        if self._interrupted:
            raise KeyboardInterrupt

    @contextmanager
    def _noting_interrupts(self) -> Iterator[None]:
        """Note an interrupt instead of raising it amid anything; the second one is raised.

        Where this process itself does the jobs, the first one is.
        """
        in_main_thread = threading.current_thread() is threading.main_thread()
        if isinstance(self._executor, InlineExecutor) or not in_main_thread:
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

    def _fill(self, waiting: Iterator[Job]) -> bool:
        """Hand out jobs; False when none is left and none runs."""
        # One more than there are workers, so that none waits for this process.
        while len(self._running) < getattr(self._executor, "workers", 0) + 1:
            job = self._again.popleft() if self._again else next(waiting, None)
            if job is None:
                break
            self._running[self._executor.submit(grade, self._packed, job)] = job
        return bool(self._running)

    def _collect(self) -> None:
        done, _ = wait(self._running, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            self._take(future, self._running.pop(future))
        size = sum(len(result.notebook) for result in self._kept)
        full = len(self._kept) >= _BATCH or size > _BATCH_SIZE
        if full or (self._kept and monotonic() > self._kept_since + _BATCH_SECONDS):
            self._enter()

    def _take(self, future: Future[Any], job: Job) -> None:
        try:
            result = future.result()
        except (WorkerLostError, MemoryError) as error:
            self._lost(job, error)
            return
        except Exception as error:  # a fault of the tools; it must not stop the others
            self._log.exception("%s could not be graded", job.student)
            result = Result(job.student, job.digest, "failed", reason=reason_of(error))
        if result.status == "refused":
            self._refused(job, result)
            return
        for line in result.log.splitlines():
            self._log.info("%s: %s", job.student, line)
        self._keep(result)

    def _lost(self, job: Job, error: BaseException) -> None:
        losses = self._losses.get(job.student, 0) + getattr(error, "losses", 1)
        self._losses[job.student] = losses
        self._log.warning("%s: %s; lost with %s workers", job.student, error, losses)
        if losses < _TRIES:
            self._again.append(job)
            return
        reason = _POISON.format(error=str(error) or type(error).__name__)
        self._keep(Result(job.student, job.digest, "failed", flags=job.flags, reason=reason))

    def _refused(self, job: Job, result: Result) -> None:
        """Do without a worker that must not grade; end the run if no other is left."""
        self._log.warning(result.reason)
        refuse = getattr(self._executor, "refuse", None)
        if refuse is None or not refuse(result.worker, result.reason):
            raise TitoError(f"{result.reason}; start workers of this version.")
        self._again.append(job)

    def _keep(self, result: Result) -> None:
        kept = self._ledger.keep(result)
        if not self._kept:
            self._kept_since = monotonic()
        self._kept.append(kept)

    def _enter(self) -> None:
        kept, self._kept = self._kept, []
        for result in self._ledger.enter(kept):
            self._report(result)
