"""A worker outlives runs, as those of Dask do; what it keeps of them does not grow."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tito.small_course import own_folders
from tito.autograde import worker
from tito.autograde.job import Job, fingerprint, unpacked
from tito.errors import TitoError
from tito.kernels import isolation
from tito.kernels.zygote_client import end_zygotes
from tito.sandbox.watchdog import tree


@pytest.fixture(autouse=True)
def _empty():
    """Begin as a new worker."""
    worker.close_contexts()
    end_zygotes()


def zygotes() -> set[int]:
    lines = {pid: Path(f"/proc/{pid}/cmdline") for pid in tree(os.getpid())}
    return {pid for pid, path in lines.items() if b"zygote.py" in path.read_bytes()}


@pytest.fixture
def packed(monkeypatch) -> list[bytes]:
    """What the contexts of a test are made of."""
    found: list[bytes] = []
    monkeypatch.setattr(worker, "unpacked", lambda data: found.append(data) or unpacked(data))
    return found


def test_what_runs_leave_in_a_worker_is_bounded(hand_in, packed, grade):
    hand_in("ada")
    made = []
    for seed in (1, 2, 3):  # this process is the worker of so few submissions
        before = zygotes()
        run = grade(seed=seed, force=True)
        assert [outcome.status for outcome in run.outcomes] == ["graded"]
        made.append(zygotes() - before)
    assert all(made) and zygotes() == made[1] | made[2]
    second, third = worker._contexts.values()
    assert own_folders() == {second.folder, third.folder}

    assert worker.context_of(packed[1]) is second, "two runs may use a worker by turns"
    fourth = worker.context_of(replace(unpacked(packed[2]), seed=4).packed())
    assert (zygotes(), own_folders()) == (made[1], {second.folder, fourth.folder})
    worker.close_contexts()
    assert (zygotes(), own_folders()) == (set(), set())


def test_a_worker_that_cannot_grade_keeps_nothing(hand_in, packed, grade, monkeypatch):
    hand_in("ada")
    grade(seed=1)
    worker.close_contexts()
    elsewhere = replace(unpacked(packed[0]), isolation={}).packed()

    def find(*_):
        raise TitoError("isolation here is 'none', and 'full' is demanded")

    monkeypatch.setattr(isolation, "find", find)
    job = Job("ada", b"", "ada.ipynb", "x", version=fingerprint())
    refused = worker.grade(elsewhere, job)
    assert refused.status == "refused"
    assert refused.reason.endswith("cannot grade: isolation here is 'none', and 'full' is demanded")
    assert own_folders() == set()
