"""The programs that are measured, and those that help to measure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.grading.classroom import MODULE
from tito.course import Course

PROGRAMS = Path(sys.executable).parent
#: All ask the same: a wrong idea that hardly shows may cost a part on some inputs only.
_SEED = 4
#: Makes a class with the tools of another checkout, whose `make` may also make pairs of classes.
_MAKE = """
import inspect, sys
from pathlib import Path
from benchmarks.grading.classroom import make
options = {"pair": False} if "pair" in inspect.signature(make).parameters else {}
make(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "True", **options)
"""


def environment(programs: Path = PROGRAMS) -> dict[str, str]:
    """Return the environment of what is measured."""
    kept = {"OPENBLAS_NUM_THREADS": "1", "LANG": "C.UTF-8", "HOME": os.environ.get("HOME", "/")}
    return {**kept, "PATH": f"{programs}:{os.environ['PATH']}"}


def grade(students: list[str], *options: str, programs: Path = PROGRAMS) -> list[str]:
    """Return the command of `tito grade` for some students, or for all."""
    chosen = [word for one in students for word in ("--student", one)]
    return [str(programs / "tito"), "grade", MODULE, f"--seed={_SEED}", *options, *chosen]


#: nbgrader's own steps: a kernel is started for each submission, nothing isolates it, and each cell
#: judges itself.
_STOCK = [
    "--Autograde.exporter_class=nbconvert.exporters.NotebookExporter",
    *(
        f"--Autograde.sanitize_preprocessors=nbgrader.preprocessors.{name}"
        for name in ("ClearOutput", "DeduplicateIds", "OverwriteKernelspec", "OverwriteCells")
    ),
    *(
        f"--Autograde.autograde_preprocessors=nbgrader.preprocessors.{name}"
        for name in ("Execute", "LimitOutput", "SaveAutoGrades", "AssignLatePenalties")
    ),
]


def autograde(course: Course, students: list[str]) -> list[str]:
    """Return the command of stock `nbgrader autograde` for some students.

    It is one process for all of them; it takes all students of a folder, or a single one: they are
    moved to a folder of theirs.
    """
    folder = f"from-{students[0]}"
    apart = course.submitted.with_name(folder)
    apart.mkdir()
    for student in students:
        (course.submitted / student).rename(apart / student)
    where = f"--CourseDirectory.submitted_directory=modules/{folder}"
    return [str(PROGRAMS / "nbgrader"), "autograde", MODULE, where, *_STOCK]


def make_before(before: Path, folder: Path, students: int, whole: bool) -> Course:
    """Make the class of another checkout, by its own tools."""
    folder.mkdir()
    command = [before / ".venv/bin/python", "-c", _MAKE, folder, students, whole]
    _output(command, environment(before / ".venv/bin"), before)
    return Course(folder / "a")


def python(module: str, *arguments: Any) -> str:
    """Run a module in a process of its own; return what it printed."""
    return _output([sys.executable, "-m", module, *arguments], environment())


def _output(command: list[Any], env: dict[str, str], cwd: Path | None = None) -> str:
    words = list(map(str, command))
    done = subprocess.run(words, env=env, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stderr}")
    return done.stdout
