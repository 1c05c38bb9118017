"""A sandbox is ended by who holds it and by nobody in it, and leaves nothing behind."""

import os
import signal
from contextlib import closing

import pytest

from tito.errors import NotStartedError
from tito.sandbox.instance import SandboxInstance
from tito.sandbox.settings import Settings

from .starting import SLEEP, break_start, held_by_this_process, sleeping, wait_for

#: To be entered, and with a program of its own.
KINDS = {"entered": {}, "program": {"program": ["/bin/sh", "-c", " ".join(SLEEP)]}}


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def test_who_killed_a_sandbox_is_known(kind):
    with closing(SandboxInstance(Settings(), None, **kind)) as sandbox:
        os.kill(sandbox.watchdog.inner, signal.SIGKILL)
        assert sandbox.was_killed


@pytest.mark.parametrize("script", ["exit 0", "exit 137", "kill -9 $$"])
def test_a_program_that_ends_has_not_been_killed_from_outside(script):
    program = ["/bin/sh", "-c", f"/bin/sleep 0.5; {script}"]
    with closing(SandboxInstance(Settings(), None, program=program)) as sandbox:
        assert wait_for(lambda: not sandbox.is_occupied)
        assert not sandbox.was_killed


def test_a_sandbox_that_waits_and_ends_by_itself_was_not_killed():
    with closing(SandboxInstance(Settings(), None)) as sandbox:
        assert not sandbox.was_killed
        sandbox.process.stdin.close()
        sandbox.process.wait(10)
        assert not sandbox.was_killed


def test_an_interrupt_reaches_what_the_program_waits_for():
    waits = ["/bin/sh", "-c", f"exec setsid /bin/sh -c '{' '.join(SLEEP)}; exit 3'"]
    with closing(SandboxInstance(Settings(), None, program=waits)) as sandbox:
        assert wait_for(sleeping)
        wait_for(lambda: os.getsid(sandbox.guest_pid) == sandbox.guest_pid)
        # Again: one that comes while the shell starts the program may pass both of them by.
        assert wait_for(lambda: sandbox.interrupt() or not sleeping(), seconds=10)


def test_closing_leaves_neither_processes_nor_files(kind):
    SandboxInstance(Settings(), None).close()  # what is made once, is made
    before = held_by_this_process()
    sandbox = SandboxInstance(Settings(), None, **kind)
    sandbox.close()
    assert held_by_this_process() <= before
    assert sleeping() == []
    sandbox.close()


@pytest.mark.parametrize(
    ("where", "call"),
    [("bubblewrap", 1), ("Popen", 1), ("pidfd_open", 1), ("pidfd_open", 2), ("readlink", 1)],
)
def test_a_sandbox_that_is_not_made_leaves_nothing_open(monkeypatch, kind, where, call):
    SandboxInstance(Settings(), None).close()
    before = held_by_this_process()
    with monkeypatch.context() as patch:
        break_start(patch, where, call)
        with pytest.raises((NotStartedError, OSError), match="did not start|Too many open files"):
            SandboxInstance(Settings(), None, **kind)
    assert held_by_this_process() <= before


def test_a_sandbox_that_does_not_start_says_why(monkeypatch, kind):
    break_start(monkeypatch, "bubblewrap")
    with pytest.raises(NotStartedError, match="did not start a sandbox: .*/no/such"):
        SandboxInstance(Settings(), None, **kind)
