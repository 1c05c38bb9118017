"""Kernels in the real sandbox."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

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
    tests = [str(here / f"test_{name}.py") for name in ("levels", "provisioner")]
    forked = "test_kernels_are_forks_of_one_process_each_in_its_own_namespaces"
    tests.append(f"{here.parent / 'fleet' / 'test_provisioner.py'}::{forked}")
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


class Manager(KernelManager):
    """A kernel manager that knows nothing of sandboxes; only its kernelspec asks for one."""

    name = ""
    asked: dict[str, Any] = {}

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(
            argv=[
                *(sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"),
                "--HistoryManager.hist_file=:memory:",
            ],
            display_name="Python 3",
            language="python",
            interrupt_mode="message",
            metadata={"kernel_provisioner": {"provisioner_name": self.name, "config": self.asked}},
        )


class Kernel:
    """A started kernel and a way to run code in it."""

    def __init__(self, name: str, folder: Path, **asked: Any) -> None:
        self.manager = Manager()
        self.manager.name, self.manager.asked = name, asked
        env = {"SECRET": "of the instructor", "HOME": str(folder), "PATH": os.defpath}
        self.manager.start_kernel(env=env)
        self.provisioner: Any = self.manager.provisioner
        self.client = self.manager.client()
        self.client.start_channels()
        try:
            self.client.wait_for_ready(timeout=20)
        except RuntimeError:
            self.stop()
            raise

    def run(self, code: str) -> str:
        """Run a cell; return what it printed, its figures' types, and its error's name."""
        said: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            content = message["content"]
            said.append(content.get("text") or content.get("ename") or "")
            said.extend(content.get("data", ()))

        self.client.execute_interactive(code, timeout=20, output_hook=hear)
        return " ".join(part.strip() for part in said if part.strip())

    def stop(self) -> None:
        """End the kernel and everything in its sandbox."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.context.destroy(linger=0)


@pytest.fixture
def provisioner() -> str:
    """The name by which kernelspecs ask for the provisioner that is tested."""
    return "tinytorch-sandbox"


@pytest.fixture
def start(tmp_path, package, provisioner) -> Iterator[Callable[..., Kernel]]:
    """Start kernels that end with the test; keywords configure the provisioner."""
    with contextlib.ExitStack() as stack:

        def start_one(**asked: Any) -> Kernel:
            kernel = Kernel(provisioner, tmp_path, **{"package": str(package), **asked})
            stack.callback(kernel.stop)
            return kernel

        yield start_one
