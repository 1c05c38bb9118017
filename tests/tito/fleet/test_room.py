"""A sandbox is ended by who holds it, and by nobody in it."""

import os
import signal
from contextlib import closing

import pytest

from tito.course.cells import flags
from tito.sandbox.instance import SandboxInstance
from tito.sandbox.settings import Settings

from ..grading.test_execute import errors, text
from .test_kernels import run

#: Opens what belongs to the first process, and signals it as far as that is allowed.
REACH = """
import os, signal, time
opened = []
for name in ("mem", "fd/0", "fd/1", "environ", "maps", "root", "cwd", "oom_score_adj"):
    for flags in (os.O_RDWR, os.O_WRONLY) + (() if "oom" in name else (os.O_RDONLY,)):
        try:
            opened.append((name, os.open(f"/proc/1/{name}", flags | os.O_NONBLOCK)))
        except OSError:
            pass
for number in signal.Signals:
    os.kill(1, number)
if os.fork() == 0:  # a child that nobody waits for
    if os.fork():
        os._exit(0)
    time.sleep(0.1)
    os._exit(0)
time.sleep(0.3)
print(opened)
"""


@pytest.mark.parametrize("forks", [True, False], ids=["forked", "started"])
def test_nothing_in_a_sandbox_reaches_or_ends_its_first_process(forks):
    nb = run(forks, "a = 1", REACH, "print(a)")
    assert text(nb.cells[1]) == "[]\n"
    assert text(nb.cells[2]) == "1\n" and flags(nb) == []


def test_a_sandbox_that_ended_by_itself_was_not_killed():
    with closing(SandboxInstance(Settings(), None)) as room:
        assert not room.was_killed
        room.process.stdin.close()
        room.process.wait(10)
        assert not room.was_killed
    with closing(SandboxInstance(Settings(), None)) as room:
        os.kill(room.watchdog.inner, signal.SIGKILL)
        room.process.wait(10)
        assert room.was_killed


@pytest.mark.parametrize("forks", [True, False], ids=["forked", "started"])
def test_file_locks_are_bounded(forks):
    locks = """
import fcntl, time
file = open("locked", "wb")
for start in range({}):
    fcntl.lockf(file, fcntl.LOCK_EX, 1, 2 * start)
time.sleep(0.5)
"""
    nb = run(forks, "a = 1", locks.format(900), locks.format(3_000), "print(a)")
    assert [errors(cell) for cell in nb.cells] == [[], [], ["LimitHit"], []]
    assert flags(nb) == [
        "limit hit: it locked more than 1000 ranges of files: a cell at the beginning"
    ]
    assert text(nb.cells[3]) == "1\n"
