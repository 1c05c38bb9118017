"""Ctrl-C while the command line is imported."""

import signal
import subprocess
import sys

import pytest

from tito.__main__ import imports_end_quietly

ROW = "import time:"


@pytest.mark.parametrize(
    ("start", "module", "arguments"),
    [
        ("student", "rich.console", ["test"]),
        ("main", "click", ["--help"]),
        ("main", "zmq", ["grade", "08"]),
    ],
)
def test_ctrl_c_amid_imports_ends_the_command_without_a_traceback(
    tmp_path, start, module, arguments
):
    code = f"from tito.__main__ import {start}; {start}()"
    command = [sys.executable, "-X", "importtime", "-c", code, *arguments]
    out, err = subprocess.DEVNULL, subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, stdout=out, stderr=err, text=True) as run:
        # A line is written when a module has been imported.
        for line in run.stderr:
            if line.startswith(ROW) and line.rpartition("|")[2].strip().startswith(module):
                run.send_signal(signal.SIGINT)
                break
        said = [line for line in run.stderr if not line.startswith(ROW)]
    assert "".join(said).strip() == "Aborted!"
    assert run.returncode == 1


@pytest.mark.parametrize(
    ("module", "unneeded"),
    [
        ("tito.commands.grade", {"ipykernel", "jupytext"}),
        ("tito.autograde.preloaded", {"ipykernel", "jupytext", "nbconvert", "nbgrader"}),
    ],
)
def test_what_grading_does_not_need_is_not_imported(module, unneeded):
    code = f"import sys, {module}; print({unneeded} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


def test_the_server_of_workers_ignores_ctrl_c_while_it_imports_too():
    code = """
from multiprocessing import forkserver
from pathlib import Path
from tito.autograde.executors import warm_up

warm_up()
status = Path(f"/proc/{forkserver._forkserver._forkserver_pid}/status").read_text()
print(status.partition("SigIgn:")[2].split()[0])
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(said.stdout, 16) & 1 << (signal.SIGINT - 1)


def test_an_interrupt_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with imports_end_quietly():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
