"""Grading by the workers of a Dask scheduler: separate processes, on loopback."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tinytorch

from .conftest import start_tito
from .test_faults import marks

pytest.importorskip("distributed")
_ENV = {
    **os.environ,
    "OPENBLAS_NUM_THREADS": "1",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s",
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
}


class Cluster:
    """A scheduler and workers that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.folder, self.address = folder, f"tcp://127.0.0.1:{self.port}"
        self.processes: list[subprocess.Popen] = []
        self.scheduler = self.start_scheduler()

    def _start(self, *words: str, **env: str) -> subprocess.Popen:
        log = (self.folder / f"{len(self.processes)}.log").open("w")
        with log:
            made = subprocess.Popen(
                [sys.executable, "-m", "dask", *words], cwd=self.folder, env={**_ENV, **env},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.processes.append(made)
        return made

    def start_scheduler(self) -> subprocess.Popen:
        words = ("--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard", "--no-show")
        return self._start("scheduler", *words)

    def start_worker(self, **env: str) -> subprocess.Popen:
        words = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "120")
        local = str(self.folder / f"worker-{len(self.processes)}")
        return self._start("worker", self.address, *words, "--local-directory", local, **env)

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path)
    yield made
    made.close()


def wait_for_marks(course, number: int, seconds: float = 90) -> None:
    """Wait until some graded notebooks are in their places."""
    deadline = time.monotonic() + seconds
    while len(list(course.autograded.glob("*/*/*.ipynb"))) < number:
        assert time.monotonic() < deadline, "nothing is graded"
        time.sleep(0.1)


def test_workers_may_be_killed_join_late_and_be_of_another_version(
    course, module, class_of, cluster, tmp_path
):
    expected = class_of(12)
    other = tmp_path / "other" / "tinytorch"
    shutil.copytree(Path(tinytorch.__file__).parent, other)
    (other / "tito" / "errors.py").write_text((other / "tito" / "errors.py").read_text() + "\n")
    cluster.start_worker(PYTHONPATH=str(other.parent))
    run = start_tito(course.root, "grade", "08", "--scheduler", cluster.address)
    _, error = run.communicate(timeout=120)
    assert run.returncode == 1 and "has another version: course" in error
    assert marks(course, module)["student-000"] == (None, None)

    cluster.start_worker(PYTHONPATH=str(other.parent))
    first = cluster.start_worker()
    run = start_tito(course.root, "grade", "08", "--scheduler", cluster.address)
    wait_for_marks(course, 2)
    first.send_signal(signal.SIGKILL)
    cluster.start_worker()
    out, error = run.communicate(timeout=180)
    assert run.returncode == 0, out + error
    assert marks(course, module) == expected


def test_a_scheduler_may_be_started_again(course, module, class_of, cluster):
    expected = class_of(8)
    cluster.start_worker()
    run = start_tito(course.root, "grade", "08", "--scheduler", cluster.address)
    wait_for_marks(course, 2)
    cluster.scheduler.kill()
    cluster.scheduler.wait()
    cluster.start_scheduler()
    cluster.start_worker()
    out, error = run.communicate(timeout=180)
    if run.returncode:  # it could not be reached in time, and the run said how to go on
        assert "goes on from here" in error
        again = start_tito(course.root, "grade", "08", "--scheduler", cluster.address)
        assert again.wait(180) == 0
    assert marks(course, module) == expected
