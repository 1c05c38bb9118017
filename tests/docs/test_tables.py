"""What the guides say of limits and attempts is what the code does."""

import re
from pathlib import Path

import pytest

from tito.autograde.limits import ExecuteSubmission
from tito.autograde.retries import ATTEMPTS, WORKER_STARTS
from tito.gradebook.writer import LOCK_TIMEOUT
from tito.sandbox.settings import GB, MB, Settings

ROOT = Path(__file__).resolve().parents[2]
BUILT = (ROOT / "docs" / "how_it_is_built.md").read_text()
SANDBOX = (ROOT / "docs" / "inside_the_sandbox.md").read_text()


def row(text: str, start: str) -> str:
    """Return the rest of a row of a table."""
    return re.search(rf"^\| {re.escape(start)}[^|]*\|(.*)$", text, re.MULTILINE)[1].strip()


@pytest.mark.parametrize(
    ("start", "times"),
    [
        ("the worker was lost", f"{ATTEMPTS['worker']} times"),
        ("the kernel died", f"{ATTEMPTS['unknown']} times"),
        ("the sandbox was killed", f"{ATTEMPTS['machine']} times"),
        ("a worker was lost before", f"{WORKER_STARTS} in a row"),
        ("a cell took its kernel", f"{ExecuteSubmission().max_restarts} kernels"),
    ],
)
def test_attempts(start, times):
    assert row(BUILT, start).startswith(times)
    assert LOCK_TIMEOUT == 60 and "a minute each" in BUILT


def test_limits():
    limits, cells = Settings(), ExecuteSubmission()
    sizes = {limits.home_size, limits.tmp_size, limits.shm_size}
    for start, said in {
        "memory of all": f"{limits.memory // GB} GB, looked at every {limits.interval * 1000:g} ms",
        "address space": f"{limits.address_space // GB} GB",
        "processes and": f"{limits.processes}",
        "each of its": f"{sizes.pop() // MB} MB; {limits.entries:,}",
        "sockets;": f"{limits.sockets}; {limits.locks:,}",
        "processor time": f"{cells.timeout:g} s; {cells.submission_timeout:g} s, and by the clock",
        "what a cell prints": f"{cells.max_output:,} characters",
    }.items():
        assert row(SANDBOX, start).startswith(said)
    assert not sizes and cells.patience == 4


def test_tests_that_are_named_exist():
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", SANDBOX)
    assert len(named) >= 20
    for path, test in named:
        assert f"def {test or 'test'}" in (ROOT / path).read_text() or not test, (path, test)
