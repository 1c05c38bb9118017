"""What is left of a start that was cut off ends with the next run."""

import os
import subprocess

from tests.tito.sandbox.starting import wait_for
from tito.sandbox.abandoned import end_abandoned, mark
from tito.sandbox.bubblewrap import find_bwrap, program


def start(pid: int) -> subprocess.Popen:
    """Start a bubblewrap as if that process had."""
    env = {name: text.replace(f"-{os.getpid()}", f"-{pid}") for name, text in mark().items()}
    command = [find_bwrap(), "--bind", "/", "/", "--", program("sleep"), "54324"]
    return subprocess.Popen(command, env=env)


def test_a_sandbox_is_ended_where_who_started_it_is_gone():
    gone = subprocess.Popen([program("true")])
    gone.wait()
    abandoned, held = start(gone.pid), start(os.getpid())
    try:
        end_abandoned()
        assert wait_for(lambda: abandoned.poll() == -9)
        assert held.poll() is None
    finally:
        held.kill()
        held.wait()
