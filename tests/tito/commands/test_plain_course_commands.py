"""The commands in a plain course of nbgrader's, made by its own `nbgrader quickstart`."""

import shutil
import signal
import subprocess
import sys

import pytest

from tests.tito.autograde.processes import line_of, start_tito
from tests.tito.conftest import tito as tito
from tests.tito.course.test_roster import write
from tests.tito.plain_course import code, make_plain, put, released, solution, test_cell
from tests.tito.small_course import cell
from tests.tito.submission.downloads import CLASS, zipped
from tito.course import Course, roster
from tito.submission.collect import collect


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory):
    """A course as nbgrader makes it, and nothing else."""
    root = tmp_path_factory.mktemp("quickstart")
    command = [sys.executable, "-m", "nbgrader", "quickstart", "demo"]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return Course.find(root / "demo")


@pytest.fixture
def course(quickstart):
    return quickstart


def test_five_commands_take_a_course_of_nbgraders_from_release_to_marks(course, tito):
    assert tito("release", "ps1")[:2] == (0, "released: release/ps1\n")
    assert tito("lint", "ps1")[:2] == (0, "")
    nb = released(course, "ps1", "problem1")
    cell(nb, "squares").source = "def squares(n):\n    return [i * i for i in range(1, n + 1)]"
    cell(nb, "sum_of_squares").source = "def sum_of_squares(n):\n    return sum(squares(n))"
    put(course, "ada", "ps1", "problem1", nb)
    graded = tito("grade", "ps1")
    assert graded.returncode == 0
    lines = [line.partition(", in")[0] for line in graded.stdout.splitlines() if "graded," in line]
    assert lines == [f"problem{number}: 1 graded, 0 unchanged, 0 not graded" for number in (1, 2)]
    shown = tito("scores", "ps1").stdout.splitlines()
    assert "    3 problem1/correct_sum_of_squares (0.5)" in shown
    [row] = [line.split() for line in shown if line.startswith("ada ")]
    assert row == ["ada", "1", "0", "0.5", "0.5", "0", "0", "?", "0", "0", "2+?", "1"]
    assert tito("feedback", "ps1").returncode == 0
    pages = sorted(path.name for path in (course.feedback / "ada" / "ps1").iterdir())
    assert pages == ["problem1.html", "problem2.html"]
    assert "ps1/problem1        -      yes         1      1" in tito("status").stdout
    assert tito("doctor").stdout.count("can be written to") == 1


def test_what_needs_a_package_says_that_there_is_none(course, tito):
    before = {path: path.stat().st_mtime_ns for path in course.root.rglob("*")}
    for command in ("autograder", "bundle", "test", "export", "new"):
        answer = tito(command, "ps1")
        assert answer.returncode == 2, command
        assert "a plain course of nbgrader's, without a package" in answer.stderr
    assert {path: path.stat().st_mtime_ns for path in course.root.rglob("*")} == before


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    """Two notebooks; a cell of the second asks for nothing."""
    one = [solution("f", "### BEGIN SOLUTION\ndef f(): return 1\n### END SOLUTION")]
    asks = [*one, test_cell("test-f", 1, "assert f() == 1")]
    asks_nothing = [*one, code("1"), test_cell("test-g", 2, "def g():\n    assert f() == 1")]
    root = tmp_path_factory.mktemp("two") / "course"
    return make_plain(root, {"ps1": {"a": asks, "b": asks_nothing}})


@pytest.fixture
def two(made_once, tmp_path):
    return Course.find(shutil.copytree(made_once.root, tmp_path / "course"))


def test_lint_names_the_cells_that_an_empty_submission_passes(two, tito_in):
    answer = tito_in(two.root, "lint", "ps1")
    assert answer.returncode == 1
    assert answer.stdout.splitlines() == [
        "source/ps1/b.ipynb: test-g: an empty submission earns 2 of its 2 points; let it fail "
        "before the solution is written",
        "1 rule broken",
    ]
    assert not two.submitted.exists()
    shutil.copytree(two.root / "source/ps1", two.root / "source/ps0")
    answer = tito_in(two.root, "lint")
    assert answer.returncode == 1
    assert answer.stdout.count("source/ps0/b.ipynb: not looked at: ") == 1
    assert answer.stdout.count("source/ps1/b.ipynb: test-g: an empty submission") == 1


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("source/ps1/b.ipynb", "source/ps1/b.ipynb is not a notebook: Notebook does not appear"),
        ("release/ps1/b.ipynb", "release/ps1/b.ipynb is not a notebook: Notebook does not appear"),
        ("gradebook.db", "the gradebook cannot be used: file is not a database."),
    ],
)
def test_a_broken_file_is_told_in_one_line(two, tito_in, path, told):
    (two.root / path).write_text("{" * 200)
    answer = tito_in(two.root, "scores", "ps1")
    assert answer.returncode == 1
    [line] = answer.stderr.splitlines()
    assert told in line


def test_watching_grades_all_notebooks_of_who_hands_in(two):
    process = start_tito(two.root, "grade", "ps1", "--watch")
    try:
        watching = {line_of(process.stderr).split(" for ")[1] for _ in range(2)}
        assert watching == {f"ps1/{name}; end it with Ctrl-C\n" for name in "ab"}
        for name in "ab":
            put(two, "ada", "ps1", name, released(two, "ps1", name))
        lines = [line_of(process.stdout) for _ in range(2)]
        assert all(" ada: graded in " in line for line in lines)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
    assert process.returncode == 0
    pages = (two.feedback / "ada" / "ps1").iterdir()
    assert sorted(path.name for path in pages) == ["a.html", "b.html"]


def test_notebooks_with_numbers_are_collected_from_canvas(tmp_path):
    f = [solution("f", "### BEGIN SOLUTION\ndef f(): return 1\n### END SOLUTION")]
    course = make_plain(tmp_path / "course", {"ps1": {"hw-1": f, "hw-2": f}})
    names = "hw-1.ipynb", "hw-1-1.ipynb", "hw-2.ipynb"
    files = {f"lovelaceada_12345_{n}_{name}": name.encode() for n, name in enumerate(names)}
    class_of = roster.read(write(tmp_path, CLASS))
    report = collect(course, course.module("ps1"), zipped(tmp_path, files), class_of)
    place = course.submitted / "ada" / "ps1"
    assert {path.name: path.read_text() for path in place.iterdir()} == {
        "hw-1.ipynb": "hw-1-1.ipynb",  # the later one, as Canvas names it
        "hw-2.ipynb": "hw-2.ipynb",
    }
    assert report.duplicates == {"ada": "not taken: lovelaceada_12345_0_hw-1.ipynb"}
