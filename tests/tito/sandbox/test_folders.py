"""Folders that end with their process: what a killed one leaves is deleted by the next."""

import os
import subprocess
import sys

import pytest

from tito.course.folders import make_folder, own_folder, remove_abandoned

KILLED = """
import os, signal, sys
from pathlib import Path
from tito.course.folders import own_folder
with own_folder(".try-", Path(sys.argv[1])) as folder:
    (folder / "inside").mkdir()
    (folder / "inside" / "file").write_text("text")
    (folder / "inside").chmod(0o500)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_folder_ends_with_its_block_and_nobody_else_may_look_into_it(tmp_path):
    with pytest.raises(ZeroDivisionError), own_folder(place=tmp_path) as folder:
        (folder / "file").write_text("text")
        assert folder.parent == tmp_path and folder.stat().st_mode & 0o777 == 0o700
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_leaves_goes_when_the_next_folder_is_made(tmp_path):
    command = [sys.executable, "-c", KILLED, tmp_path]
    killed = subprocess.Popen(command)
    os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)  # not collected: still in /proc
    (left,) = tmp_path.iterdir()
    assert f"-{killed.pid}-" in left.name and (left / "inside" / "file").is_file()
    other = make_folder(".else-", tmp_path)
    assert left.exists(), "it is of another kind"
    made = make_folder(".try-", tmp_path)
    assert set(tmp_path.iterdir()) == {made, other}
    assert killed.wait() == -9


def test_what_others_use_stays(tmp_path):
    with subprocess.Popen(["sleep", "60"]) as alive, subprocess.Popen(["true"]) as ended:
        ended.wait()
        name = make_folder(place=tmp_path).name.replace
        ours, pid = str(os.getpid()), str(ended.pid)
        running = tmp_path / name(ours, str(alive.pid))
        elsewhere = tmp_path / name("tito-", "tito-0").replace(ours, pid)  # of another machine
        not_a_folder_of_ours = tmp_path / f"tito-{pid}-mine"
        link = tmp_path / name(ours, pid)
        for folder in (running, elsewhere, not_a_folder_of_ours):
            folder.mkdir()
        link.symlink_to(running)
        before = set(tmp_path.iterdir())
        remove_abandoned(place=tmp_path)
        alive.kill()
    assert set(tmp_path.iterdir()) == before
