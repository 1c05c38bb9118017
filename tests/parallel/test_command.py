"""`python -m tinytorch.parallel`: train, fail, resume, measure."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tinytorch.parallel.__main__ import main
from tinytorch.parallel.cost import CostModel
from tinytorch.parallel.launch import mpi_command


def command(*arguments: str, ranks: int | None = None) -> subprocess.CompletedProcess:
    """Run the command; with `ranks`, under mpiexec as on a cluster."""
    line = ["-m", "tinytorch.parallel", *arguments]
    line = [sys.executable, *line] if ranks is None else mpi_command(line, ranks)
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)


def weights_of(done: subprocess.CompletedProcess) -> str:
    assert done.returncode == 0, done.stderr
    assert "replicas equal after every step: yes" in done.stdout
    return re.search(r"weights (\w+)", done.stdout)[1]


@pytest.mark.parametrize("resumed", [["--sharded"], []])
def test_a_killed_run_ends_and_resumes_bit_by_bit_sharded_or_not(tmp_path: Path, resumed):
    path = tmp_path / "run.npz"
    run = ("train", "--ranks", "2", "--epochs", "1")
    checkpoint = (*run, "--checkpoint", str(path), "--every", "15")
    failed = command(*checkpoint, "--sharded", "--die", "1:40")
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1] == (
        "Error: the run of 2 processes failed: a process was killed by SIGKILL, and the others "
        f"were ended with it. {path} holds its last checkpoint; go on with --resume."
    )
    done = command(*checkpoint, *resumed, "--resume")
    assert "14 steps" in done.stdout
    assert weights_of(done) == weights_of(command("train", "--epochs", "1", ranks=2))


def test_a_checkpoint_of_two_ranks_goes_on_with_three(tmp_path: Path):
    run = ("train", "--epochs", "1", "--optimizer", "sgd", "--rate", "0.1")
    checkpoint = (*run, "--checkpoint", str(tmp_path / "run.npz"), "--every", "30")
    weights_of(command(*checkpoint, "--sharded", ranks=2))
    done = command(*checkpoint, "--sharded", "--resume", ranks=3)
    weights_of(done)
    whole = command(*run)
    losses = [re.search(r"loss of the last batch (\S+),", run.stdout)[1] for run in (done, whole)]
    np.testing.assert_allclose(*map(float, losses), rtol=1e-3)


def test_resuming_needs_a_checkpoint(tmp_path: Path):
    done = command("train", "--checkpoint", str(tmp_path / "none.npz"), "--resume")
    assert done.returncode == 1
    assert done.stderr == f"Error: there is no checkpoint {tmp_path / 'none.npz'} to resume from\n"


def test_measurements_stand_beside_the_model():
    done = command("measure", "--ranks", "2")
    assert done.returncode == 0, done.stderr
    assert re.search(r"all-reduce of 2 ranks: +\d+\.\d us, \d+\.\d\d GB/s out of each", done.stdout)
    whole, sharded = map(float, re.findall(r"(\d+\.\d\d) \(\d", done.stdout))
    assert whole == pytest.approx(8, abs=0.05)
    assert sharded == pytest.approx(4, abs=0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--ranks", "0"], "must be a whole number of at least 1, got '0'"),
        (["train", "--die", "3"], "must look like 1:30 (rank 1, step 30), got '3'"),
        (["train", "--optimizer", "lion"], "invalid choice: 'lion'"),
        (["train", "--resume"], "--resume needs --checkpoint FILE"),
        ([], "COMMAND"),
    ],
)
def test_wrong_use_exits_with_2_and_says_what_was_got(arguments, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_a_fit_finds_the_latency_and_the_bandwidth_it_was_made_of():
    truth = CostModel(ranks=4, latency=2e-5, bandwidth=3e9)
    nbytes = [4, 400, 40_000, 4_000_000]
    fitted = CostModel.fit(4, nbytes, [truth.seconds(count) for count in nbytes])
    assert (fitted.latency, fitted.bandwidth) == pytest.approx((2e-5, 3e9))
    assert truth.seconds(3e9) == pytest.approx(1.5 + 2e-5)  # 2 * 3/4 of the bytes go out
