"""The programs that are measured, and those that help to measure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.grading.classroom import MODULE
from tito.course import Course

_PROGRAMS = Path(sys.executable).parent
#: All ask the same: a wrong idea that hardly shows may cost a part on some inputs only.
_SEED = 4


def environment() -> dict[str, str]:
    """Return the environment of what is measured."""
    kept = {"OPENBLAS_NUM_THREADS": "1", "LANG": "C.UTF-8", "HOME": os.environ.get("HOME", "/")}
    return {**kept, "PATH": f"{_PROGRAMS}:{os.environ['PATH']}"}


def grade(course: Course, students: list[str]) -> list[str]:
    """Return the command of `tito grade` for some students, or for all."""
    chosen = [word for one in students for word in ("--student", one)]
    return [str(_PROGRAMS / "tito"), "grade", MODULE, f"--seed={_SEED}", *chosen]


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


def autograde(course: Course, students: list[str], folder: str, stock: bool) -> list[str]:
    """Return the command of `nbgrader autograde` for some students, moved to a folder of theirs.

    It is one process for all of them; it takes all students of a folder, or a single one. `stock`
    is nbgrader with its own steps, in the place of the one that calls our grader.
    """
    apart = course.submitted.with_name(folder)
    apart.mkdir()
    for student in students:
        (course.submitted / student).rename(apart / student)
    where = f"--CourseDirectory.submitted_directory=modules/{folder}"
    options = _STOCK if stock else [f"--ExecuteSubmission.seed={_SEED}"]
    return [str(_PROGRAMS / "nbgrader"), "autograde", MODULE, where, *options]


def python(module: str, *arguments: Any) -> str:
    """Run a module in a process of its own; return what it printed."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout
