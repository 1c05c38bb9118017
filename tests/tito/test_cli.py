"""The command line: exit codes and messages."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tito.authoring.nbdev_export import export_module
from tito.authoring.source import read_source

COMMANDS = [
    *("new", "lint", "export", "test", "release", "bundle", "autograder", "collect"),
    *("extend", "drop", "grade", "feedback", "scores", "overview", "status", "doctor"),
]


def test_help_lists_the_commands(tito):
    listed = tito("--help").stdout.split("Commands:")[1].split("\n")
    assert [line.split()[0] for line in listed if line.strip()] == COMMANDS


@pytest.mark.parametrize("command", [*COMMANDS[2:7], *COMMANDS[10:14]])
def test_unknown_module_lists_the_modules(tito, command):
    answer = tito(command, "09_conv")
    assert answer.returncode == 2
    assert "no module '09_conv'. The modules are: 01_first, 02_second." in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("arguments", [["nonsense"], ["grade"], ["test", "02", "--what"]])
def test_wrong_use_exits_with_2(tito, arguments):
    answer = tito(*arguments)
    assert answer.returncode == 2 and "Usage:" in answer.stderr


def test_installed_command_outside_a_course(tmp_path):
    command = Path(sys.executable).with_name("tito")
    answer = subprocess.run([command, "status"], cwd=tmp_path, capture_output=True, text=True)
    assert answer.returncode == 1
    assert answer.stderr.startswith("tito: ") and "is not inside a course" in answer.stderr


@pytest.mark.parametrize("arguments", [[], ["01", "--all"], ["--all", "--notebook", "x.ipynb"]])
def test_export_needs_one_way_to_say_what(course, tito, arguments):
    (course.root / "x.ipynb").write_text("{}")
    assert tito("export", *arguments).returncode == 2


def test_wrong_notebook_shows_expected_values(course, tito):
    export_module(course, course.module("first"))
    notebook = read_source(course.module("second").source)
    for cell in notebook.cells:
        cell.source = cell.source.replace("41 + ONE", "41")
    nbformat.write(notebook, course.root / "mine.ipynb")
    answer = tito("test", "second", "--notebook", "mine.ipynb")
    assert answer.returncode == 1
    words = " ".join(answer.stdout.split())
    for piece in ("2 of 5 points", "The answer is 42.", "expected 42", "got 41", "hint Add."):
        assert piece in words


def test_raising_source_names_the_cell(course, tito):
    export_module(course, course.module("first"))
    source = course.module("second").source
    source.write_text(source.read_text() + "\n# %%\n1 / 0\n")
    answer = tito("test", "second")
    assert answer.returncode == 1
    assert "cell-004: ZeroDivisionError: division by zero" in answer.stdout


def test_a_missing_notebook_is_wrong_use(tito):
    answer = tito("test", "second", "--notebook", "nowhere.ipynb")
    assert answer.returncode == 2 and "nowhere.ipynb" in answer.stderr


@pytest.mark.parametrize("command", ["test", "export"])
@pytest.mark.parametrize("folder", ["submitted", "autograded"])
def test_submitted_notebook_never_runs_unsandboxed(course, tito, command, folder):
    export_module(course, course.module("second"))
    before = course.module("second").files_in(course.package)[0].read_bytes()
    notebook = read_source(course.module("second").source)
    notebook.cells.insert(0, nbformat.v4.new_code_cell("#| export\nopen('ran', 'w')"))
    theirs = course.root / "modules" / folder / "eve" / "02_second" / "second_dev.ipynb"
    theirs.parent.mkdir(parents=True)
    nbformat.write(notebook, theirs)
    (course.root / "link.ipynb").symlink_to(theirs)
    for path in (theirs.relative_to(course.root), "link.ipynb"):
        answer = tito(command, "second", "--notebook", str(path))
        assert answer.returncode == 2
        assert "tito grade 02_second --force --student eve" in " ".join(answer.stderr.split())
    assert course.module("second").files_in(course.package)[0].read_bytes() == before
    assert not list(course.root.rglob("ran"))


def test_status_and_doctor_tell_outdated_exports(course, tito):
    assert "no" in tito("status").stdout.splitlines()[1].split()
    exported = tito("export", "--all")
    assert "tinytorch.core.second: tinytorch/core/second.py" in exported.stdout
    row = tito("status").stdout.splitlines()[2].split()
    assert row == ["02_second", "yes", "no", "0", "0", "0", "0", "0"]
    healthy = tito("doctor")
    assert healthy.returncode == 0, healthy.stdout
    source = course.module("second").source
    source.write_text(source.read_text().replace("41", "40"))
    assert tito("status").stdout.splitlines()[2].split()[1] == "outdated"
    ill = tito("doctor")
    assert ill.returncode == 1 and "fix: tito export 02_second" in ill.stdout
