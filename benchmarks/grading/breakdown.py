"""Where the time of a submission goes: `python -m benchmarks.grading.breakdown COURSE`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest import mock

from benchmarks.grading.classroom import MODULE, names
from tito.autograde import driver, grade_class, grade_submission, worker
from tito.autograde.executor_config import ExecutorConfig
from tito.autograde.executors import InlineExecutor
from tito.course import Course
from tito.gradebook.journal import Journal
from tito.gradebook.result_store import ResultStore
from tito.gradebook.writer import GradebookWriter
from tito.kernels.client import RemoteKernel
from tito.kernels.zygote_client import Zygote
from tito.sandbox.instance import SandboxInstance
from tito.submission import intake

#: What is measured, by the name in the table; each without what is measured within it.
_STAGES: dict[str, list[tuple[Any, str]]] = {
    "read the file": [(intake, "read_file")],
    "parse it": [(grade_submission, "read")],
    "rebuild, scan, restore": [(grade_submission, "rebuild")],
    "make the sandbox": [(SandboxInstance, "__init__")],
    "fork the kernel": [(Zygote, "fork_kernel")],
    "kernel ready": [(RemoteKernel, "_wait_until_ready")],
    "run the cells": [(grade_submission, "run")],
    "end the sandbox": [(SandboxInstance, "close")],
    "judge": [(grade_submission, "judge")],
    "result": [(grade_submission, "result")],
    "journal": [(Journal, "add")],
    "gradebook": [(GradebookWriter, "write")],
    "graded notebook and record": [(ResultStore, "commit")],
    "rest of the worker": [(driver, "grade")],
}


class _Here(ExecutorConfig):
    """In the process that measures."""

    @contextmanager
    def executor(
        self, jobs: int, packed: bytes, tell: Callable[[str], None]
    ) -> Iterator[InlineExecutor]:
        worker.begin(packed)
        yield InlineExecutor()


def measure(course: Course, students: int) -> dict[str, float]:
    """Grade some submissions in this process; return milliseconds a submission by stage."""
    module = course.module(MODULE)
    chosen = names(course)
    grade_class.grade(course, module, chosen[:2], True, where=_Here())  # what is done once is done
    spent: dict[str, float] = dict.fromkeys(_STAGES, 0.0)
    inner: list[float] = []

    def timed(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            began = perf_counter()
            inner.append(0.0)
            try:
                return function(*args, **kwargs)
            finally:
                total = perf_counter() - began
                spent[stage] += total - inner.pop()
                if inner:
                    inner[-1] += total

        return call

    with ExitStack() as patches:
        for stage, places in _STAGES.items():
            for owner, name in places:
                changed = timed(stage, getattr(owner, name))
                patches.enter_context(mock.patch.object(owner, name, changed))
        done = chosen[2 : students + 2]
        run = grade_class.grade(course, module, done, True, where=_Here())
    return {stage: 1000 * seconds / len(run.graded) for stage, seconds in spent.items()}


def main() -> None:
    """Print milliseconds by stage as JSON."""
    print(json.dumps(measure(Course(Path(sys.argv[1])), int(sys.argv[2]))))


if __name__ == "__main__":
    main()
