"""The student's `tito`, on a machine that has never seen the course."""

import os
import shutil
import signal
import subprocess

import pytest

from tests.student import Machine
from tests.submissions.notebook import Work

NOTEBOOK, SECOND = "optimizers_dev.ipynb", "modern_optimizers_dev.ipynb"


@pytest.fixture
def work(real_course):
    return Work(real_course, real_course.module("08_optimizers"))


@pytest.fixture
def desk(machine, tmp_path):
    """The same machine with a folder of its own."""
    shutil.copy(machine.folder / NOTEBOOK, tmp_path)
    return Machine(tmp_path, machine.environment)


def test_shows_a_typo_with_expected_got_and_line(desk, work):
    work.solve()
    cell = work.cell("sgd-class")
    cell.source = cell.source.replace("self.velocity[index]", "self.velocty[index]")
    (desk.folder / NOTEBOOK).write_text(work.text())
    before = os.times()
    answer = desk.run("tito", "test")
    after = os.times()
    # Of the processor: how long it takes on the wall depends on what else the machine is doing.
    seconds = sum(after[2:4]) - sum(before[2:4])
    shown = " ".join(answer.stdout.split())
    assert answer.returncode == 1 and seconds < 1
    for piece in (
        "no test-sgd: 2 of 15",
        "no 0/8 Velocity is a decaying sum of gradients alone: with g = 1 and momentum 0.7",
        "expected {'first momentum': [[-0.1 , -1. ], [-0.27 , -2.7 ], [-0.289, -4.09 ]]",
        "got AttributeError: 'SGD' object has no attribute 'velocty'",
        "of your cell sgd-class, in SGD.step: v = self.velocty[index]",
        "first test-sgd (2 of 15 points), which is about SGD",
        "ok test-gradient-descent: 10 of 10 all 5 parts hold",
    ):
        assert piece in shown


def test_whole_solution_passes_exports_and_imports(desk, work):
    (desk.folder / NOTEBOOK).write_text(work.solve().text())
    passed = desk.run("tito", "test", "08_optimizers")
    assert (passed.returncode, passed.stdout.splitlines()[-1]) == (0, "170 of 170 points")
    alone = desk.run("tito", "test", "test-sgd", NOTEBOOK)
    told = ["ok    test-sgd: 15 of 15  all 8 parts hold", "15 of 15 points"]
    assert alone.stdout.splitlines() == told
    try:
        made = desk.run("tito", "export")
        assert made.returncode == 0 and "still open" not in made.stdout
        code = "from tinytorch.core.optimizers import SGD, Adam; print(SGD, Adam)"
        assert "tinytorch.core.optimizers.Adam" in desk.run("python", "-c", code).stdout
        sent = desk.run("tito", "submit")
        assert "question-1-optimizer-memory: no answer is written" in sent.stdout
        assert "hand in: hand-in/optimizers_dev.ipynb" in sent.stdout
    finally:
        for path in desk.environment.glob("lib/*/site-packages/tinytorch/core/optimizers.py"):
            path.unlink()


def test_the_second_assignment_is_tested_exported_and_handed_in(
    second_machine, real_course, tmp_path
):
    desk = Machine(tmp_path, second_machine.environment)
    work = Work(real_course, real_course.module("10_modern_optimizers"))
    work.solve().put_wrong("adamw-class", "decay_in_the_gradient")
    (tmp_path / SECOND).write_text(work.text())
    answer = desk.run("tito", "test")
    assert (answer.returncode, answer.stdout.splitlines()[-1]) == (1, "87 of 100 points")
    assert "ok    test-sharded-adamw: 10 of 10  all 5 parts hold" in answer.stdout
    try:
        assert desk.run("tito", "export").returncode == 0
        code = "from tinytorch.core.modern_optimizers import Muon; print(Muon)"
        assert "tinytorch.core.modern_optimizers.Muon" in desk.run("python", "-c", code).stdout
    finally:
        for path in desk.environment.glob("lib/*/site-packages/tinytorch/core/modern_*.py"):
            path.unlink()
    sent = desk.run("tito", "submit")
    assert "question-2-more-machines: no answer is written" in sent.stdout
    assert f"hand in: hand-in/{SECOND}" in sent.stdout


def test_watching_runs_again_on_every_save(desk, work):
    command = [desk.environment / "bin" / "tito", "test", "--watch"]
    with subprocess.Popen(
        command, cwd=desk.folder, env=desk.variables, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            first = [process.stdout.readline() for _ in range(10)]
            (desk.folder / "draft").write_text(work.solve("gradient-descent-function").text())
            (desk.folder / "draft").replace(desk.folder / NOTEBOOK)  # as Jupyter saves
            second = [process.stdout.readline() for _ in range(3)]
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 1
        finally:
            process.kill()
    assert first[8:] == ["0 of 170 points\n", "waiting for the next save; Ctrl-C ends this\n"]
    assert second[1].startswith("ok    test-gradient-descent: 10 of 10")
    assert second[2] == "10 of 170 points\n"  # the cells that do not depend on it are not shown


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["test", "nowhere.ipynb"], 2, "nowhere.ipynb is neither a notebook nor 08_optimizers"),
        (["test", "tests-sgd"], 2, "nor one of its graded cells, test-gradient-descent, test-sgd"),
        (["test", "a.ipynb", "b.ipynb"], 2, "One notebook can be tested, got a.ipynb and b.ipynb"),
        (["grade"], 2, "No such command 'grade'"),
        (["test", "README.md"], 1, "README.md is not a notebook"),
    ],
)
def test_wrong_use_is_told_without_a_traceback(machine, arguments, code, message):
    answer = machine.run("tito", *arguments)
    assert answer.returncode == code and message in answer.stderr
    assert "Traceback" not in answer.stderr


def test_outside_the_bundle_it_says_where_to_go(machine, tmp_path):
    answer = machine.run("tito", "test", folder=tmp_path)
    assert answer.returncode == 2
    assert "optimizers_dev.ipynb is not in" in answer.stderr
    assert "tito test PATH" in answer.stderr


def test_a_file_in_the_place_of_the_folder_is_named(desk):
    (desk.folder / "hand-in").write_text("notes")
    answer = desk.run("tito", "submit")
    assert answer.returncode == 1
    assert answer.stderr == (
        "tito: hand-in: File exists. Look at the path, at its permissions and at the room on its "
        "disk, and try again.\n"
    )
