"""Where the jobs of a run are done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from tito.autograde.cluster import DaskExecutor
from tito.autograde.executors import InlineExecutor, JobExecutor, LocalExecutor, warm_up
from tito.autograde.worker import begin, shared_zygote

#: So few submissions are graded in this process: workers would take longer to start.
_FEW = 2


@dataclass(frozen=True)
class ExecutorConfig:
    """Where jobs run.

    Attributes
    ----------
    workers : int or None
        Processes of this machine; half as many again as it has processors, and one, by default.
    scheduler : str or None
        The address of a Dask scheduler, whose workers are used instead.
    """

    workers: int | None = None
    scheduler: str | None = None

    def warm_up(self, jobs: int) -> None:
        """Let workers of this machine begin to start, while this process does something else."""
        if self.scheduler is None and jobs > _FEW:
            warm_up()

    @contextmanager
    def executor(
        self, jobs: int, packed: bytes, tell: Callable[[str], None]
    ) -> Iterator[JobExecutor]:
        """Give the executor for a number of jobs of an assignment; it tells what it waits for."""
        if self.scheduler is not None:
            with DaskExecutor(self.scheduler, tell) as cluster:
                yield cluster
        elif jobs <= _FEW and self.workers is None:
            with InlineExecutor() as here:
                yield here
        else:
            with shared_zygote(packed) as zygote:
                with LocalExecutor(self.workers, partial(begin, packed, zygote)) as local:
                    yield local
