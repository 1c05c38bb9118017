"""The autograder in a container as Gradescope's: honest and hostile submissions, and bad files."""

import csv
import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from tests.submissions.notebook import Work
from tests.submissions.students import CLASSES
from tests.tito.hand_in.conftest import MODULE
from tests.tito.hand_in.container import Graded, grade, write_files
from tito.hand_in import grade_hand_in
from tito.sandbox.settings import GB, MB

as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root becomes another user, as in a container"
)
EXPECTED = Path(__file__).parents[2] / "submissions" / "expected_marks" / f"{MODULE}.csv"
FILE = "optimizers_dev.ipynb"


@pytest.fixture
def top(tmp_path_factory) -> Path:
    """The folder ``/autograder``."""
    return new_top(tmp_path_factory)


def new_top(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("autograder")
    folder.chmod(0o755)
    return folder


@pytest.fixture
def work(real_course) -> Work:
    return Work(real_course, real_course.module(MODULE)).drop_demonstrations()


def expected(student: str) -> dict[str, float]:
    """The marks of the sample class that are given by machine."""
    with EXPECTED.open(newline="") as file:
        (row,) = (row for row in csv.DictReader(file) if row["student"] == student)
    return {name: float(points) for name, points in row.items() if name.startswith("test-")}


@pytest.fixture(scope="module")
def graded_once(image, real_course, tmp_path_factory) -> Callable[[str], Graded]:
    """Grade a student of the sample class, once for all tests."""

    @functools.cache
    def run(student: str) -> Graded:
        work = Work(real_course, real_course.module(MODULE)).drop_demonstrations()
        return grade(image, new_top(tmp_path_factory), CLASSES[MODULE][student](work))

    return run


@as_root
@pytest.mark.parametrize("student", ["perfect", "rounded"])
def test_marks_are_those_of_the_sample_class(graded_once, student):
    graded = graded_once(student)
    assert graded.points == expected(student), graded.said
    assert graded.results["score"] == sum(expected(student).values())
    assert sum(test["max_score"] for test in graded.results["tests"]) == 170
    assert "isolation: user" in graded.for_the_instructor
    assert "was not decided" not in graded.for_the_instructor
    for stopped in ("takes memory", "processes behind", "system calls", "locks files"):
        assert stopped not in graded.for_the_instructor


@as_root
def test_what_came_of_fresh_inputs_waits_for_the_due_date(graded_once):
    graded = graded_once("rounded")
    tests = graded.results["tests"]
    assert "inputs: 8\n" not in graded.for_the_instructor  # the zip's seed is nobody's
    later = [test for test in tests if test["visibility"] == "after_due_date"]
    assert later and all("with other inputs" in test["output"] for test in later)
    shown = json.dumps([test for test in tests if test["visibility"] == "visible"])
    assert "with other inputs" not in shown and "not for others" in shown


def test_each_file_has_fresh_inputs_of_its_own_and_always_the_same():
    seeds = [grade_hand_in.own_seed(*given) for given in [(8, "a"), (8, "a"), (8, "b"), (9, "a")]]
    assert seeds[0] == seeds[1] and len(set(seeds)) == 3


# Bad files --------------------------------------------------------------------------------------

_EMPTY = '{"nbformat": 4, "nbformat_minor": 5, "cells": []}'


@pytest.fixture
def hand_in(image, tmp_path, capsys):
    """Hand in files that are refused before any code runs; return the results."""

    def run(files: dict[str, str | bytes], host: str = "gradescope") -> dict:
        write_files(tmp_path / "submission", files)
        results = tmp_path / "results" / "results.json"
        assignment = image.folder / "source" / "assignment"
        grade_hand_in.main([*map(str, (assignment, tmp_path / "submission", results)), host])
        assert "Traceback" not in "".join(capsys.readouterr())
        return json.loads(results.read_text())

    return run


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "the folder holds nothing"),
        ({"essay.pdf": "%PDF"}, "the folder holds essay.pdf"),
        ({"other.ipynb": _EMPTY}, "optimizers_dev.ipynb is missing"),
        ({f"a/{FILE}": "{}", f"b/{FILE}": "{}"}, "notebooks lie in several folders: a, b"),
    ],
)
def test_no_notebook_has_no_points_and_a_reason(hand_in, files, reason):
    results = hand_in(files)
    assert results["score"] == 0 and reason in results["output"]


def test_two_notebooks_that_could_be_meant_are_named(hand_in, work):
    results = hand_in({"one.ipynb": work.text(), "two.ipynb": work.text()})
    assert results["score"] == 0
    assert "several notebooks could be meant: one.ipynb, two.ipynb" in results["output"]


@as_root
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"cells": [', "is not valid JSON"),
        (_EMPTY, "no cell of the assignment is recognized"),
    ],
)
def test_a_broken_or_wrong_notebook_has_no_points_and_a_reason(image, top, text, reason):
    graded = grade(image, top, {FILE: text})
    assert graded.results["score"] == 0
    assert reason in graded.results["output"]
    assert "Traceback" not in graded.said


@as_root
def test_where_python_does_not_start_there_is_a_result(image, top):
    graded = grade(image, top, {}, **{"/opt/tito/bin/python": "/no/such/python"})
    assert graded.results["score"] == 0
    assert "Your instructor can run it again" in graded.results["output"]


@as_root
def test_where_isolation_is_not_what_was_asked_no_code_runs(image, top, work):
    """The results can be written by anybody: what another user may do is too much."""
    spoiled = {'chmod go-rwx "$(dirname "$results")"': 'chmod 777 "$(dirname "$results")"'}
    graded = grade(image, top, CLASSES[MODULE]["untouched"](work), **spoiled)
    assert graded.results["score"] == 0
    assert "can see why" in graded.results["output"]
    assert "Students' code cannot be fully isolated" in graded.for_the_instructor


@as_root
def test_another_host_takes_three_lines(image, top, work):
    lines = {
        "submission=/autograder/submission": "submission=/autograder/student",
        "results=/autograder/results/results.json": "results=/autograder/out/results.json",
        "host=gradescope": "host=prairielearn",
    }
    write_files(top / "student", CLASSES[MODULE]["untouched"](work))
    results = grade(image, top, {}, "out", **lines).results
    assert results["gradable"] is True and results["score"] == 0
    assert sum(test["max_points"] for test in results["tests"]) == 170


# Hostile submissions ----------------------------------------------------------------------------

#: Tries everything, and says in its answer what it could do.
_HOSTILE = """
import glob, importlib.util, os, signal, subprocess, sys
from contextlib import suppress

WON = []

def tries(what, attempt):
    with suppress(Exception):
        if attempt():
            WON.append(what)

def reads(pattern):
    return any(open(path, "rb").read(1) for path in glob.glob(pattern, recursive=True))

def writes(path):
    with open(path, "w") as file:
        return file.write('{"score": 170}')

TOP = "/autograder"
for path in ("source/assignment", "source/options.json", "results/results.json"):
    path = f"{TOP}/{path}"
    tries(f"reads {path}", lambda: reads(path))
    tries(f"writes {path}", lambda: writes(path))
    tries(f"moves {path}", lambda: os.rename(path, "/tmp/taken") is None)
tries("lists the source", lambda: os.listdir(f"{TOP}/source"))
tries("lists the results", lambda: os.listdir(f"{TOP}/results"))
tries("moves the results", lambda: os.rename(f"{TOP}/results", f"{TOP}/r") is None)
tries("links the results", lambda: os.symlink("/tmp/mine", f"{TOP}/results/x") is None)
tries("reads the metadata", lambda: reads(f"{TOP}/submission_metadata.json"))
tries("reads tools", lambda: reads(f"{TOP}/source/tools/**/*.py"))
tries("reads the grader's folders", lambda: reads("/tmp/tito-*/assignment*"))
PACKAGE = os.path.dirname(importlib.util.find_spec("tinytorch").origin)
tries("changes the package", lambda: writes(f"{PACKAGE}/x"))
tries("changes its program", lambda: writes(sys.path[0] + "/../site/shell.py"))
for name in ("tinytorch.core.optimizers", "tinytorch.checks.judge", "tito"):
    tries(f"imports {name}", lambda: importlib.util.find_spec(name))
for pid in filter(str.isdigit, os.listdir("/proc")):
    if int(pid) != os.getpid():
        for name in ("environ", "mem", "maps", "fd/1", "cwd/results/results.json"):
            tries(f"opens {name} of {pid}", lambda: os.open(f"/proc/{pid}/{name}", 0) >= 0)
        tries(f"kills {pid}", lambda: os.kill(int(pid), signal.SIGKILL) is None)
tries("becomes root", lambda: os.setuid(0) is None)
for command in ("su -c id", "mount -t tmpfs none /mnt", "chroot / id"):
    tries(command, lambda: not subprocess.run(command.split(), stdin=subprocess.DEVNULL).returncode)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import time
        for number in range(300):
            with suppress(OSError):
                writes(f"{TOP}/results/results.json")
            time.sleep(0.1)
    os._exit(0)
os.wait()

def gradient_descent_step(parameter, learning_rate):
    raise RuntimeError(f"won: {WON}")
"""
#: Who still runs at the end of the script, besides root.
_WHO_RUNS = "for f in /proc/[0-9]*/status; do grep -h ^Uid: $f; done | grep -v '^Uid:.0'; exit 0"


def of_cell(graded: Graded, cell: str) -> list[dict]:
    return [test for test in graded.results["tests"] if test["name"].startswith(f"{cell}:")]


@as_root
def test_code_that_reaches_for_answers_results_and_the_grader_gets_none(image, top, work):
    work.solve("sgd-class").put("gradient-descent-function", f"#| export\n{_HOSTILE}")
    graded = grade(image, top, {FILE: work.text()}, **{"exit 0": _WHO_RUNS})
    told = [test["output"] for test in of_cell(graded, "test-gradient-descent")]
    assert any("RuntimeError: won: []" in text for text in told), told
    assert graded.points == {**expected("untouched"), "test-sgd": 15.0}
    assert "Uid:" not in graded.said, "a process goes on"
    (found,) = (top / "results").iterdir()
    assert found.stat().st_uid == 0


@as_root
def test_a_forged_report_earns_nothing(image, top, work):
    forged = """
        from tinytorch.checks import publish
        shell = get_ipython()
        def forge(source):
            report = {"version": 1, "grade_id": "test-sgd", "points": 15, "earned": 15, "parts": []}
            display({"application/vnd.tinytorch.checks+json": report}, raw=True)
            print("test-sgd: 15 of 15 points")
        shell.run_source = forge
        publish.run_checks = lambda *args, **more: forge("")
    """
    graded = grade(image, top, {FILE: work.insert_first(dedent(forged)).text()})
    assert graded.points == expected("untouched")


# Parts ------------------------------------------------------------------------------------------


def test_the_notebook_is_found_in_a_folder_of_its_own(tmp_path):
    for name in ("hw/one.ipynb", "__MACOSX/hw/._one.ipynb", "hw/.ipynb_checkpoints/one.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert grade_hand_in.folder_of(tmp_path) == tmp_path / "hw"
    (tmp_path / "two.ipynb").touch()
    assert grade_hand_in.folder_of(tmp_path) == tmp_path


@pytest.mark.parametrize(
    ("limit", "memory"),
    [("max", 2 * GB), (str(8 * GB), 2 * GB), (str(768 * MB), 368 * MB), ("1", 256 * MB)],
)
def test_memory_of_kernels_is_what_the_container_leaves(tmp_path, monkeypatch, limit, memory):
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    monkeypatch.setattr(grade_hand_in, "_MEMORY_LIMITS", (tmp_path / "memory.max",))
    assert grade_hand_in.memory_for_kernels() == memory
