"""Grade a plain nbgrader course with `tito grade` and with `nbgrader autograde`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic

import click
from nbformat import NotebookNode

from tests.tito.plain_course import (
    code,
    locked,
    make_plain,
    marks_in,
    put,
    released,
    solution,
    test_cell,
)
from tests.tito.small_course import cell
from tito.course import Course

_TITO = [sys.executable, "-c", "from tito.cli import main; main()", "grade", "ps1"]
_NBGRADER = [sys.executable, "-m", "nbgrader", "autograde", "ps1"]
_TASKS = 12


def _notebook() -> list[NotebookNode]:
    """Return a problem set of twelve functions on NumPy, each with a try and a hidden test."""
    cells = [locked("setup", "import numpy as np")]
    for number in range(_TASKS):
        body = f"### BEGIN SOLUTION\n    return np.sum(x) * {number}\n    ### END SOLUTION"
        hidden = f"assert f{number}(np.ones(3)) == {3 * number}"
        tests = f"assert f{number}([1]) == {number}\n### BEGIN HIDDEN TESTS\n{hidden}"
        cells += [
            solution(f"f{number}", f"def f{number}(x):\n    {body}"),
            code(f"f{number}([1, 2])"),
            test_cell(f"test-f{number}", 1, f"{tests}\n### END HIDDEN TESTS"),
        ]
    return cells


def make(root: Path, students: int) -> Course:
    """Make a course with a class, in which everybody has some function wrong."""
    course = make_plain(root, {"ps1": {"p1": _notebook()}})
    for student in range(students):
        nb = released(course, "ps1", "p1")
        for number in range(_TASKS):
            factor = number + 1 if number == 1 + student % (_TASKS - 1) else number
            source = f"def f{number}(x):\n    return np.sum(x) * {factor}"
            cell(nb, f"f{number}").source = source
        put(course, f"student-{student:03}", "ps1", "p1", nb)
    return course


def _seconds(command: list[str], course: Course) -> float:
    began = monotonic()
    subprocess.run(command, cwd=course.root, check=False, capture_output=True)
    return monotonic() - began


@click.command()
@click.option("--students", default=120, help="In the class.")
@click.option("--compared", default=20, help="Of them, graded by nbgrader, which takes long.")
def main(students: int, compared: int) -> None:
    """Print what a submission takes in either way; marks must be equal."""
    with tempfile.TemporaryDirectory(prefix="tito-plain-") as folder:
        ours = make(Path(folder, "ours"), students)
        theirs = Course.find(shutil.copytree(ours.root, Path(folder, "theirs")))
        for student in sorted(theirs.submitted.iterdir())[compared:]:
            shutil.rmtree(student)
        taken = {"tito grade": (students, _seconds(_TITO, ours))}
        taken["nbgrader autograde"] = (compared, _seconds(_NBGRADER, theirs))
        marks, wanted = marks_in(ours, "ps1"), marks_in(theirs, "ps1")
    if len(wanted) != compared or any(marks[name] != mark for name, mark in wanted.items()):
        raise click.ClickException("the marks are not the same")
    for name, (count, seconds) in taken.items():
        print(
            f"{name:20} {count:4} submissions in {seconds:6.1f} s: "
            f"{60 * count / seconds:6.1f} a minute"
        )
    rates = [count / seconds for count, seconds in taken.values()]
    print(f"{rates[0] / rates[1]:.1f} times the throughput, with the start of either command")


if __name__ == "__main__":
    main()
