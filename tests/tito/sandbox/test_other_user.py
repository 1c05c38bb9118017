"""Another user instead of a sandbox: who it is, what it may, and that all of it ends."""

import os
import pwd
import subprocess
import time

import pytest

from tito.errors import TitoError
from tito.sandbox import Settings, levels
from tito.sandbox.bubblewrap import limit_processes
from tito.sandbox.other_user import become, end_all, new_user, processes_of

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")


def run(user: int, *command: str) -> str:
    words = [*limit_processes(Settings(processes=9)), *become(user), *command]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_a_new_user_has_no_name_and_no_process():
    user = new_user()
    assert processes_of(user) == []
    with pytest.raises(KeyError):
        pwd.getpwuid(user)


def test_processes_of_a_user_are_listed_without_those_that_have_ended():
    ended = subprocess.Popen(["true"])
    time.sleep(0.2)
    listed = processes_of(os.getuid())
    assert os.getpid() in listed and ended.pid not in listed
    ended.wait()


@as_root
def test_another_user_has_no_rights_groups_or_way_to_more():
    said = run(user := new_user(), "cat", "/proc/self/status", "/proc/self/limits")
    lines = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
    assert lines["Uid"].split() == lines["Gid"].split() == [str(user)] * 4
    assert lines["Groups"].split() == [] and lines["NoNewPrivs"].strip() == "1"
    assert {int(lines[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
    (processes,) = (line.split()[2] for line in said.splitlines() if "Max processes" in line)
    assert processes == "9"


@as_root
def test_processes_end_also_where_they_left_their_session_and_hear_no_signal():
    user = new_user()
    run(
        user,
        "sh",
        "-c",
        "trap '' TERM INT HUP; exec >/dev/null 2>&1; setsid -f sleep 60; setsid -f sleep 60",
    )
    others = processes_of(os.getuid())
    assert len(processes_of(user)) == 2
    end_all(user)
    assert processes_of(user) == []
    assert os.getpid() in others and os.getpid() in processes_of(os.getuid())


@pytest.mark.parametrize(
    ("leaks", "level"),
    [
        ((), "user"),
        (("sees 3 other processes", "connects to the machine's servers"), "user"),
        (("reads files in /autograder/source",), "limits"),
        (("imports tinytorch.core.optimizers",), "limits"),
        (("writes to /autograder/results",), "limits"),
        (("writes_files was not decided",), "limits"),
        (("leaves processes behind",), "limits"),
        (None, "limits"),
    ],
)
def test_the_level_user_holds_only_where_marks_can_be_trusted(monkeypatch, leaks, level):
    class Probe:
        def __init__(self, sandboxed, settings, package, secret, answers, user=None):
            self.user = user

        def leaks(self):
            if self.user is not None and leaks is None:
                raise TitoError("Python does not start")
            return ("everything",) if self.user is None else leaks

    monkeypatch.setattr(levels, "IsolationProbe", Probe)
    monkeypatch.setattr(levels, "find_bwrap", lambda: None)
    monkeypatch.setattr(levels.os, "geteuid", lambda: 0)
    found = levels.examine()
    assert found.level == level
    assert found.leaks[1:] == (leaks if level == "user" else ("everything",))
    assert (found.user != 0) == (level == "user")
