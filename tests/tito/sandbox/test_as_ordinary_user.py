"""Root runs these tests once more as somebody else, since the sandbox is not the same for both."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinytorch.tito.sandbox.bubblewrap import find_bwrap, program

ROOT = Path(__file__).parents[3]
USER = "12345"


def whole_machine(needed: list[Path]) -> list[str]:
    """Return bubblewrap's options for all of the machine, where anybody may enter `needed`."""
    args = ["--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--bind", "/proc", "/proc"]
    for path in needed:
        closed = [parent for parent in path.parents if not parent.stat().st_mode & 0o001]
        if closed:
            args += ["--perms", "0755", "--tmpfs", str(closed[-1])]
            for parent in reversed(path.parents):
                if parent.is_relative_to(closed[-1]) and parent != closed[-1]:
                    args += ["--perms", "0755", "--dir", str(parent)]
            args += ["--ro-bind", str(path), str(path)]
    return args


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
def test_all_of_this_holds_for_an_ordinary_user(tmp_path):
    home = Path("/tmp") / f"tito-tests-{os.getpid()}"
    home.mkdir(mode=0o700)
    os.chown(home, int(USER), int(USER))
    become = [program("setpriv"), f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
    names = ("bubblewrap", "levels", "provisioner")
    tests = [str(Path(__file__).with_name(f"test_{name}.py")) for name in names]
    options = ["-q", "-p", "no:cacheprovider", f"--basetemp={home}/pytest"]
    command = [
        *(str(find_bwrap()), *whole_machine([Path(sys.base_prefix), Path(sys.prefix), ROOT])),
        *("--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"),
        *("--", *become, "--inh-caps=-all", sys.executable, "-m", "pytest", *options, *tests),
    ]
    env = {
        "HOME": str(home),
        "OPENBLAS_NUM_THREADS": "1",
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        done = subprocess.run(
            command, env=env, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-1000:]
        assert " passed" in done.stdout
    finally:
        subprocess.run(["rm", "-rf", str(home)], check=True)
