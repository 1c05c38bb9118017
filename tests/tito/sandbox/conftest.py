"""Kernels in the real sandbox."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import tinytorch
from tests.ordinary import ROOT, USER, as_ordinary_user
from tito.sandbox.bubblewrap import find_bwrap


@pytest.fixture(scope="session", autouse=True)
def _bubblewrap() -> None:
    if find_bwrap() is None:
        pytest.fail("these tests need bubblewrap: run 'make setup', or install it for the system")


@pytest.fixture(scope="session", autouse=True)
def unprivileged(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str] | None]:
    """Run these tests as an ordinary user too, beside those that run as root."""
    wanted = any("unprivileged" in item.nodeid for item in request.session.items)
    if os.geteuid() != 0 or not wanted:
        yield None
        return
    home = Path(tempfile.mkdtemp(prefix="tito-tests-", dir="/tmp"))
    os.chown(home, USER, USER)
    here = Path(__file__).parent
    tests = [str(here / f"test_{name}.py") for name in ("levels", "instance")]
    tests += [str(here.parent / "kernels" / "test_surroundings.py")]
    forked = "test_kernels_are_forks_of_one_process_each_in_its_own_namespaces"
    tests.append(f"{here.parent / 'kernels' / 'test_zygote_client.py'}::{forked}")
    options = ["-q", "-p", "no:cacheprovider", f"--basetemp={home}/pytest"]
    command = as_ordinary_user(sys.executable, "-m", "pytest", *options, *tests, cwd=ROOT)
    env = {"HOME": str(home), "OPENBLAS_NUM_THREADS": "1", "PATH": os.environ["PATH"]}
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    pipe, both = subprocess.PIPE, subprocess.STDOUT
    with subprocess.Popen(command, env=env, stdout=pipe, stderr=both, text=True) as run:
        yield run
        run.kill()
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def package(tmp_path_factory) -> Path:
    """The package before 08_optimizers, which whoever runs students' code may enter."""
    folder = tmp_path_factory.mktemp("package")
    for name in ("__init__.py", "core/__init__.py", "core/tensor.py", "core/autograd.py"):
        target = folder / "tinytorch" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(tinytorch.__file__).parent / name, target)
    folder.chmod(0o755)
    return folder
