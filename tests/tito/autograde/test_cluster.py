"""Grading by the workers of a Dask scheduler: separate processes, on loopback."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import tinytorch
import tito
from tests.ordinary import ROOT, as_ordinary_user, give
from tests.tito.autograde.processes import line_of, start_tito
from tests.tito.sandbox.starting import wait_for
from tito.autograde.cluster import DaskExecutor
from tito.autograde.executor_config import ExecutorConfig
from tito.errors import TitoError
from tito.sandbox.watchdog import tree

from .test_lost_workers import Fated

pytest.importorskip("distributed")
AS_ROOT = os.geteuid() == 0


class Cluster:
    """A scheduler and workers that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.folder, self.scheme = folder, "tcp"
        self.processes: list[subprocess.Popen] = []

    @property
    def address(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def _start(self, *words: str, folder: Path, ordinary: bool, **env: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "dask", *words]
        with (self.folder / f"{len(self.processes)}.log").open("w") as log:
            made = subprocess.Popen(
                as_ordinary_user(*command, cwd=folder) if ordinary else command,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "HOME": str(folder), **env},
                cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.processes.append(made)
        return made

    def start_scheduler(self, **env: str) -> subprocess.Popen:
        words = ("scheduler", "--host", self.address, "--dashboard-address", "127.0.0.1:0")
        made = self._start(*words, folder=self.folder, ordinary=False, **env)
        while made.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                break
            time.sleep(0.1)
        return made

    def start_worker(
        self, *more: str, folder: Path | None = None, ordinary: bool = False, **env: str
    ) -> subprocess.Popen:
        """Start a worker, with its files in a folder and as somebody else if so wanted."""
        folder = folder or self.folder
        words = ["worker", self.address, "--nthreads", "1", *more]
        words += ["--local-directory", str(folder / f"worker-{len(self.processes)}")]
        return self._start(*words, folder=folder, ordinary=ordinary, **env)

    def close(self) -> None:
        for process in self.processes:
            kill(process)


def kill(process: subprocess.Popen) -> None:
    """Kill a process with all that it has started."""
    for pid in [*tree(process.pid), process.pid]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def cluster(tmp_path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    yield made
    made.close()


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder of somebody who, as far as root can arrange it, cannot read the course's."""
    folder = Path(tempfile.mkdtemp(prefix="tito-elsewhere-"))
    if AS_ROOT:
        give(folder)
    yield folder
    shutil.rmtree(folder)


def wait_for_notebooks(course, number: int) -> None:
    """Wait until some graded notebooks are in their places."""
    assert wait_for(lambda: len(list(course.autograded.glob("*/*/*.ipynb"))) >= number, 120)


def slow_down(course, student: str) -> None:
    """Make a submission one that takes long enough to be interrupted in."""
    [path] = (course.submitted / student).glob("*/*.ipynb")
    text = path.read_text().replace("def double(x):", "import time; time.sleep(4)\\ndef double(x):")
    path.write_text(text)


def log_of(course, module) -> str:
    return "".join(p.read_text() for p in (course.records / module.name).glob("grade-*.log"))


def test_workers_may_come_late_be_killed_and_be_of_another_version(
    course, module, class_of, cluster, tmp_path, elsewhere, marks
):
    expected = class_of(6)
    slow_down(course, "student-004")
    slow_down(course, "student-005")
    cluster.start_scheduler()
    run = start_tito(course.root, "grade", "08", "--scheduler", cluster.address)
    assert f"waiting for workers: the scheduler {cluster.address}" in line_of(run.stderr)
    other = tmp_path / "other"
    for package in (tinytorch, tito):
        shutil.copytree(Path(package.__file__).parent, other / package.__name__)
    with (other / "tito" / "errors.py").open("a") as file:
        file.write("\n")
    cluster.start_worker("--no-nanny", PYTHONPATH=str(other))
    assert "not used: the worker tcp://127.0.0.1:" in (line := line_of(run.stderr))
    assert "has another version: course" in line

    if AS_ROOT:
        readable = as_ordinary_user("test", "-r", str(course.root), cwd=elsewhere)
        assert subprocess.run(readable, check=False).returncode == 1
    first = cluster.start_worker()
    cluster.start_worker("--no-nanny", folder=elsewhere, ordinary=AS_ROOT)
    wait_for_notebooks(course, 4)
    kill(first)
    out, error = run.communicate(timeout=180)
    assert run.returncode == 0, out + error
    assert re.search(r"student-00[45]: the worker tcp://\S+ was lost", log_of(course, module))
    assert marks() == expected


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl, for certificates")
def test_a_scheduler_with_tls_may_be_started_again(course, class_of, tmp_path, cluster, marks):
    ours, theirs = certificates(tmp_path / "ours"), certificates(tmp_path / "theirs")
    expected = class_of(6)
    slow_down(course, "student-004")
    cluster.scheme = "tls"
    scheduler = cluster.start_scheduler(**ours)
    stranger = cluster.start_worker("--no-nanny", "--death-timeout", "2", **theirs)
    words = (course.root, "grade", "08", "--scheduler", cluster.address)
    run = start_tito(*words, env=ours)
    assert "waiting for workers" in line_of(run.stderr)
    assert stranger.wait(60) != 0, "its certificate is of somebody else"

    cluster.start_worker("--no-nanny", **ours)
    wait_for_notebooks(course, 4)
    kill(scheduler)
    assert "was lost; trying to reach it again" in line_of(run.stderr)
    cluster.start_scheduler(**ours)
    assert "waiting for workers" in line_of(run.stderr)
    cluster.start_worker("--no-nanny", **ours)
    out, error = run.communicate(timeout=180)
    assert run.returncode == 0, out + error
    assert marks() == expected


def certificates(folder: Path) -> dict[str, str]:
    """Make a certificate that only itself vouches for; return Dask's configuration of it."""
    folder.mkdir()
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
    command += " -subj /CN=grading -keyout key.pem -out certificate.pem"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    key, certificate = str(folder / "key.pem"), str(folder / "certificate.pem")
    comm = "DASK_DISTRIBUTED__COMM"
    made = {f"{comm}__REQUIRE_ENCRYPTION": "true", f"{comm}__TLS__CA_FILE": certificate}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        made |= {f"{comm}__TLS__{role}__CERT": certificate, f"{comm}__TLS__{role}__KEY": key}
    return made


def test_waiting_ends_with_an_interrupt_and_killing_workers_with_the_second(
    class_of, cluster, tmp_path, grade, monkeypatch
):
    class_of(1)
    tries, where = tmp_path / "tries", ExecutorConfig(scheduler=cluster.address)
    cluster.start_scheduler(PYTHONPATH=str(ROOT))
    interrupted = []

    def interrupt(run):
        if run.notices and not interrupted:
            interrupted.append(True)
            os.kill(os.getpid(), signal.SIGINT)

    run = grade(on_progress=interrupt, where=where, seed=1)
    assert run.interrupted and run.outcomes == []

    cluster.start_worker(PYTHONPATH=str(ROOT))  # its nanny starts another one each time
    monkeypatch.setattr("tito.autograde.driver.grade", Fated("student-000", tries))
    run = grade(where=where, seed=1)
    assert [outcome.student for outcome in run.failed] == ["student-000"]
    assert "each worker that graded it was lost" in run.failed[0].reason
    assert len(tries.read_text().split()) == 2, "retried once, not for ever"


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{free}", "carrier-pigeon://roof:1"])
def test_an_address_that_nobody_listens_on_is_named(address, monkeypatch):
    monkeypatch.setattr("tito.autograde.cluster._CONNECT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = address.format(free=free.getsockname()[1])
    with pytest.raises(TitoError, match=f"no Dask scheduler answers at {address}: .*resumes from"):
        DaskExecutor(address)
