"""The command line: exit codes and messages."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tinytorch.tito.export import export_module
from tinytorch.tito.source import read_source

TITO = Path(sys.executable).with_name("tito")
COMMANDS = ["export", "test", "release", "grade", "feedback", "scores", "status", "doctor"]


def tito(*arguments, cwd):
    return subprocess.run([TITO, *arguments], cwd=cwd, capture_output=True, text=True)


def test_help_lists_the_commands(course):
    answer = tito("--help", cwd=course.root)
    listed = answer.stdout.split("Commands:")[1].split("\n")
    assert [line.split()[0] for line in listed if line.strip()] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(course, command):
    answer = tito(command, "--help", cwd=course.root)
    assert answer.returncode == 0 and len(answer.stdout.splitlines()) >= 5


@pytest.mark.parametrize("command", ["export", "test", "release", "grade", "feedback", "scores"])
def test_an_unknown_module_is_wrong_use_and_lists_the_modules(course, command):
    answer = tito(command, "09_conv", cwd=course.root)
    assert answer.returncode == 2
    assert "no module '09_conv'. The modules are: 01_first, 02_second." in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("arguments", [["nonsense"], ["grade"], ["test", "02", "--what"]])
def test_wrong_use_exits_with_2(course, arguments):
    answer = tito(*arguments, cwd=course.root)
    assert answer.returncode == 2 and "Usage:" in answer.stderr


def test_outside_a_course_work_fails_with_a_message(tmp_path):
    answer = tito("status", cwd=tmp_path)
    assert answer.returncode == 1
    assert answer.stderr.startswith("tito: ") and "is not inside a course" in answer.stderr


def test_export_all_names_what_it_wrote(course):
    answer = tito("export", "--all", cwd=course.root)
    assert answer.returncode == 0
    assert "tinytorch.core.second: tinytorch/core/second.py" in answer.stdout


@pytest.mark.parametrize("arguments", [[], ["01", "--all"], ["--all", "--notebook", "x.ipynb"]])
def test_export_needs_one_way_to_say_what(course, arguments):
    (course.root / "x.ipynb").write_text("{}")
    assert tito("export", *arguments, cwd=course.root).returncode == 2


def test_the_reference_passes_its_own_checks(course):
    export_module(course, course.module("first"))
    answer = tito("test", "second", cwd=course.root)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "5 of 5 points" in answer.stdout


def test_a_wrong_notebook_is_told_what_was_expected_and_fails(course):
    export_module(course, course.module("first"))
    notebook = read_source(course.module("second").source)
    for cell in notebook.cells:
        cell.source = cell.source.replace("41 + ONE", "41")
    nbformat.write(notebook, course.root / "mine.ipynb")
    answer = tito("test", "second", "--notebook", "mine.ipynb", cwd=course.root)
    assert answer.returncode == 1
    for piece in ("2 of 5 points", "The answer is 42.", "expected: 42", "got: 41", "hint: Add."):
        assert piece in answer.stdout


def test_a_notebook_that_raises_fails_the_test_and_names_the_cell(course):
    export_module(course, course.module("first"))
    notebook = read_source(course.module("second").source)
    notebook.cells.insert(0, nbformat.v4.new_code_cell("1 / 0", id="mine"))
    nbformat.write(notebook, course.root / "mine.ipynb")
    answer = tito("test", "second", "--notebook", "mine.ipynb", cwd=course.root)
    assert answer.returncode == 1
    assert "cell mine: ZeroDivisionError: division by zero" in answer.stdout


def test_a_missing_notebook_is_wrong_use(course):
    answer = tito("test", "second", "--notebook", "nowhere.ipynb", cwd=course.root)
    assert answer.returncode == 2 and "nowhere.ipynb" in answer.stderr


def test_status_tells_outdated_exports(course):
    assert "no" in tito("status", cwd=course.root).stdout.splitlines()[1].split()
    tito("export", "--all", cwd=course.root)
    row = tito("status", cwd=course.root).stdout.splitlines()[2].split()
    assert row == ["02_second", "yes", "no", "0", "0", "0", "0"]
    source = course.module("second").source
    source.write_text(source.read_text().replace("41", "40"))
    assert tito("status", cwd=course.root).stdout.splitlines()[2].split()[1] == "outdated"


def test_doctor_finds_an_outdated_export_and_says_how_to_mend_it(course):
    tito("export", "--all", cwd=course.root)
    healthy = tito("doctor", cwd=course.root)
    assert healthy.returncode == 0, healthy.stdout
    source = course.module("second").source
    source.write_text(source.read_text().replace("41", "40"))
    ill = tito("doctor", cwd=course.root)
    assert ill.returncode == 1
    assert "mend: tito export 02_second" in ill.stdout
