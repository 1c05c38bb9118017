"""Starting processes, and what happens when one of them fails."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tinytorch.parallel import ParallelError, Ranks, launch, unavailable


def greet(ranks: Ranks, word: str) -> tuple[int, int, str]:
    return ranks.rank, ranks.size, word


def test_each_process_returns_its_own_result():
    assert launch(greet, "hello", ranks=3) == [(rank, 3, "hello") for rank in range(3)]


def test_a_function_without_a_module_travels_by_value():
    factor = 7
    assert launch(lambda ranks: factor * ranks.rank, ranks=2) == [0, 7]


def fail_on_rank_1(ranks: Ranks, how: str) -> None:
    if ranks.rank == 1:
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "exit":
            sys.exit("no more")
        if how == "hang":
            time.sleep(600)
        raise ValueError("this batch is broken")
    ranks._patience = 1.0
    ranks.barrier()  # would wait for ever


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("raise", "rank 1 of 2 failed: ValueError: this batch is broken"),
        ("exit", "rank 1 of 2 failed: SystemExit: no more"),
        ("kill", "a process was killed by SIGKILL, and the others were ended with it"),
        ("hang", "rank 0 of 2 has waited 1 s for the others and ends all ranks"),
    ],
)
def test_a_lost_rank_ends_the_others(how, message):
    with pytest.raises(ParallelError) as caught:
        launch(fail_on_rank_1, how, ranks=2, timeout=60)  # which is another message
    assert str(caught.value) == message


def unfinished(ranks: Ranks) -> None:
    raise NotImplementedError("TODO in SGD.step: update every parameter")


def test_code_still_to_be_written_fails_as_it_does_elsewhere():
    with pytest.raises(NotImplementedError, match="^TODO in SGD.step: update every parameter$"):
        launch(unfinished)


def wait_and_tell(ranks: Ranks, path: str) -> None:
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(60)


def test_no_process_survives_a_timeout(tmp_path):
    path = tmp_path / "pids"
    with pytest.raises(ParallelError, match="not done within 3 s"):
        launch(wait_and_tell, str(path), ranks=2, timeout=3)
    for pid in map(int, path.read_text().split()):
        assert not _lives(pid)


def _lives(pid: int) -> bool:
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.1)
    return True


def test_no_process_is_started_while_a_notebook_is_graded(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert unavailable().startswith("No further processes are started while a notebook is graded")
    with pytest.raises(ParallelError, match="while a notebook is graded"):
        launch(greet, "hello")


def test_what_is_missing_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert unavailable() == (
        "Starting processes needs mpiexec, not installed here: "
        "python -m pip install mpi4py mpich cloudpickle"
    )


def test_importing_the_package_does_not_start_mpi():
    code = "import sys, tinytorch.parallel; print('mpi4py' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


def test_the_number_of_ranks_is_checked():
    with pytest.raises(ValueError, match="ranks must be at least 1, got 0"):
        launch(greet, "hello", ranks=0)
