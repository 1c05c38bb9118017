"""A folder that whoever grades may not enter, which root may; so somebody else grades here."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.ordinary import as_ordinary_user, give
from tests.tito.small_course import copy_of, submit

TITO = Path(sys.executable).with_name("tito")


@pytest.fixture
def tito(template):
    """Call the command line, as an ordinary user, on a class in which Ann's folder is closed."""
    home = Path(tempfile.mkdtemp(prefix="tito-tests-", dir="/tmp"))
    course = copy_of(template, home / "course")
    submit(course, "ann")
    submit(course, "ben")
    (course.root / "roster.csv").write_text("student_id\nann\nben\n")
    (home / "download" / "ann").mkdir(parents=True)
    (home / "download" / "ann" / "optimizers_dev.ipynb").write_text("{}")
    closed = course.submitted / "ann"
    if os.geteuid() == 0:
        give(home)
    closed.chmod(0)
    env = {"HOME": str(home), "OPENBLAS_NUM_THREADS": "1", "PATH": os.environ["PATH"]}
    env |= {"PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}

    def call(*arguments):
        command = [str(TITO), *arguments]
        if os.geteuid() == 0:
            command = as_ordinary_user(*command, cwd=course.root)
        return subprocess.run(
            command, cwd=course.root, env=env, capture_output=True, text=True, check=False
        )

    yield call
    closed.chmod(0o700)
    shutil.rmtree(home)


def test_a_closed_folder_fails_alone_and_every_command_goes_on(tito):
    remedy = "submitted/ann: chmod -R u+rX makes it readable."
    before = tito("scores", "08")
    assert (before.returncode, before.stderr) == (0, "")
    assert "2 not graded yet: ann, ben" in before.stdout
    graded = tito("grade", "08")
    assert (graded.returncode, graded.stderr) == (1, "")
    assert "1 graded, 0 unchanged, 1 not graded" in graded.stdout
    assert "not graded: ann: ann cannot be read (Permission denied)." in graded.stdout
    assert remedy in graded.stdout
    said = {}
    for command in ("scores", "status", "feedback", "overview"):
        answer = tito(command, *([] if command == "status" else ["08"]))
        assert (answer.returncode, answer.stderr) == (0, ""), command
        said[command] = answer.stdout
    assert remedy in said["scores"]
    counts = said["status"].splitlines()[1].split()
    assert counts[3:6] == ["2", "1", "1"], "submitted, graded, failed"
    taken = tito("collect", "08", "../download")
    assert (taken.returncode, taken.stderr) == (1, "")
    assert "not taken: ann:" in taken.stdout and "chmod -R u+rX" in taken.stdout
