"""A folder that whoever grades may not enter, which root may; so somebody else grades here."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.ordinary import as_ordinary_user, give
from tests.tito.small_course import copy_of, submit

#: Calls the command line once for each list of words; says code, output and errors of each.
CALLS = """
import json, sys
from click.testing import CliRunner
from tito.cli import cli

answers = [CliRunner().invoke(cli, words) for words in json.loads(sys.argv[1])]
print(json.dumps([[a.exit_code, a.stdout, a.stderr] for a in answers]))
"""
COMMANDS = ("scores", "grade", "scores", "status", "feedback", "overview", "collect")


@pytest.fixture
def said(template):
    """Call commands, as an ordinary user, on a class in which Ann's folder is closed."""
    home = Path(tempfile.mkdtemp(prefix="tito-tests-", dir="/tmp"))
    course = copy_of(template, home / "course")
    submit(course, "ann")
    submit(course, "ben")
    (course.root / "roster.csv").write_text("student_id\nann\nben\n")
    (home / "download" / "ann").mkdir(parents=True)
    (home / "download" / "ann" / "optimizers_dev.ipynb").write_text("{}")
    closed = course.submitted / "ann"
    more = {"status": [], "collect": ["08", "../download"]}
    words = json.dumps([[name, *more.get(name, ["08"])] for name in COMMANDS])
    command = [sys.executable, "-c", CALLS, words]
    if os.geteuid() == 0:
        give(home)
        command = as_ordinary_user(*command, cwd=course.root)
    closed.chmod(0)
    env = {"HOME": str(home), "OPENBLAS_NUM_THREADS": "1", "PATH": os.environ["PATH"]}
    env |= {"PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
    done = subprocess.run(command, cwd=course.root, env=env, capture_output=True, text=True)
    closed.chmod(0o700)
    shutil.rmtree(home)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_closed_folder_fails_alone_and_every_command_goes_on(said):
    codes, printed, errors = zip(*said, strict=True)
    assert (codes, set(errors)) == ((0, 1, 0, 0, 0, 0, 1), {""})
    before, graded, scores, status, _, _, taken = printed
    remedy = "submitted/ann: chmod -R u+rX makes it readable."
    assert "2 not graded yet: ann, ben" in before
    assert "1 graded, 0 unchanged, 1 not graded" in graded
    assert "not graded: ann: ann cannot be read (Permission denied)." in graded
    assert remedy in graded and remedy in scores
    assert status.splitlines()[1].split()[3:6] == ["2", "1", "1"], "submitted, graded, failed"
    assert "not taken: ann:" in taken and "chmod -R u+rX" in taken
