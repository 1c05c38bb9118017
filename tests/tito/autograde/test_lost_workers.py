"""Workers are lost, by what they grade or by what ends them; the others are graded."""

import os
import re
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tito.autograde import executor_config, executors
from tito.autograde.driver import grade
from tito.autograde.executor_config import ExecutorConfig
from tito.errors import TitoError
from tito.sandbox.instance import SandboxInstance

#: Valid and small enough to be taken; the wide character makes all others take four bytes.
LARGE = '{"cells": [], "much": "😀' + "x" * 15_000_000 + '"}'
_MEMORY = 30_000_000


class Fated:
    """Grades as a worker does, but first something befalls the worker that meets one student."""

    def __init__(self, student: str, met: Path) -> None:
        self.student, self.met = student, met

    def __call__(self, packed, job):
        if job.student == self.student:
            with self.met.open("a") as file:
                file.write(f"{os.getpid()} ")
            self.befall()
        return grade(packed, job)

    def befall(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class OutOfAddresses(Fated):
    """The worker may use little more memory than it does; Python raises MemoryError."""

    def befall(self) -> None:
        size = int(re.search(r"VmSize:\s+(\d+)", Path("/proc/self/status").read_text())[1])
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (1024 * size + _MEMORY, hard))


class OutOfGroup(Fated):
    """The worker is one of a group that has little memory; the system kills it."""

    group: Path

    def befall(self) -> None:
        (self.group / "cgroup.procs").write_text(str(os.getpid()))


@pytest.fixture
def small_group() -> Iterator[Path]:
    """A control group of processes with little memory, in either version of the interface."""
    top, name = Path("/sys/fs/cgroup"), f"tito-test-{os.getpid()}"
    old, new = top / "memory" / name, top / name
    group, limit = (old, "memory.limit_in_bytes") if old.parent.is_dir() else (new, "memory.max")
    try:
        group.mkdir()
        (group / limit).write_text(str(_MEMORY))
        swap = group / "memory.swap.max"
        if swap.exists():
            swap.write_text("0")
    except OSError as error:
        pytest.skip(f"no control group of this machine can be made: {error}")
    yield group
    group.rmdir()


@pytest.fixture
def meets(course, class_of, hand_in, grade, marks, monkeypatch):
    """Grade a class of which one submission is fatal to workers."""

    def run(fate: type[Fated], large: bool, **more) -> str:
        expected = class_of(4)
        if large:
            hand_in("student-001", LARGE)
        fated = fate("student-001", course.root / "met")
        vars(fated).update(more)
        monkeypatch.setattr("tito.autograde.driver.grade", fated)
        run = grade(where=ExecutorConfig(workers=2))
        assert [outcome.student for outcome in run.failed] == ["student-001"]
        first, second = fated.met.read_text().split()
        assert first != second, "tried once more, by another worker, and not for ever"
        expected["student-001"] = (None, None)
        assert marks() == expected
        return run.failed[0].reason

    return run


GIVEN_UP = "each worker that graded it was lost (the worker was killed); look at the notebook"


def test_a_submission_that_kills_its_workers_is_given_up(meets):
    assert meets(Fated, large=False).startswith(GIVEN_UP)


def test_a_worker_that_runs_out_of_memory_costs_a_retry(meets):
    assert "(the worker ran out of memory)" in meets(OutOfAddresses, large=True)


def test_a_worker_that_the_system_kills_for_its_memory_costs_a_retry(meets, small_group):
    assert meets(OutOfGroup, large=True, group=small_group).startswith(GIVEN_UP)


def test_workers_that_cannot_begin_are_no_fault_of_submissions(class_of, grade, rows, monkeypatch):
    class_of(2)
    monkeypatch.setattr(executor_config, "begin", _end)
    told = f"{executors.WORKER_STARTS} workers in a row were lost before"
    with pytest.raises(TitoError, match=told):
        grade(where=ExecutorConfig(workers=2))
    assert {row.status for row in rows().values()} == {"not graded"}
    monkeypatch.undo()
    assert len(grade().graded) == 2


def _end(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_sandbox_that_is_killed_while_it_starts_costs_a_start(hand_in, grade, monkeypatch):
    class KilledOnce(SandboxInstance):
        killed: list[int] = []

        def _wait_until_ready(self) -> None:
            if not self.killed:
                self.killed.append(self.process.pid)
                self.process.kill()
            super()._wait_until_ready()

    monkeypatch.setattr("tito.kernels.client.SandboxInstance", KilledOnce)
    hand_in("ada")
    run = grade()
    assert [outcome.status for outcome in run.outcomes] == ["graded"]
    assert "did not start a sandbox: no message; begun again" in run.log.read_text()
