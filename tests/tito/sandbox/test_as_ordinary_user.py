"""Root runs these tests once more as somebody else, since the sandbox is not the same for both."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ordinary import ROOT, USER, as_ordinary_user


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
def test_all_of_this_holds_for_an_ordinary_user():
    home = Path("/tmp") / f"tito-tests-{os.getpid()}"
    home.mkdir(mode=0o700)
    os.chown(home, USER, USER)
    names = ("levels", "provisioner")
    tests = [str(Path(__file__).with_name(f"test_{name}.py")) for name in names]
    options = ["-q", "-p", "no:cacheprovider", f"--basetemp={home}/pytest"]
    command = as_ordinary_user(sys.executable, "-m", "pytest", *options, *tests, cwd=ROOT)
    env = {
        "HOME": str(home),
        "OPENBLAS_NUM_THREADS": "1",
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        done = subprocess.run(
            command, env=env, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
        )
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-1000:]
        assert " passed" in done.stdout
    finally:
        subprocess.run(["rm", "-rf", str(home)], check=True)
