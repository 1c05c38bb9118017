"""What is left of a start that was cut off ends with the next run."""

import os
import subprocess

import pytest

from tests.tito.sandbox.starting import wait_for
from tito.autograde.executors import InlineExecutor
from tito.sandbox.abandoned import end_abandoned, mark
from tito.sandbox.bubblewrap import find_bwrap, program


def start(by: str | bytes) -> subprocess.Popen:
    """Start a bubblewrap as if that process had."""
    command = [find_bwrap(), "--bind", "/", "/", "--die-with-parent", program("sleep"), "54324"]
    return subprocess.Popen(command, env=dict.fromkeys(mark(), by))


@pytest.mark.parametrize("end", [end_abandoned, InlineExecutor().shutdown])
def test_a_sandbox_is_ended_where_who_started_it_is_gone(end):
    gone = subprocess.Popen([program("true")])
    gone.wait()
    (name,) = mark().values()
    abandoned = start(name.replace(f"-{os.getpid()}", f"-{gone.pid}"))
    held = [start(by) for by in (name, "nonsense", b"\xff-1")]
    try:
        end()
        assert wait_for(lambda: abandoned.poll() == -9)
        assert [one.poll() for one in held] == [None] * 3
    finally:
        for one in held:
            one.kill()
            one.wait()
