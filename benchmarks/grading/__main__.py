"""Grade equal halves of a class with `tito grade` and with `nbgrader autograde`, in turns."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import click
import numpy as np

from benchmarks.grading import report
from benchmarks.grading.classroom import MODULE, make, names
from benchmarks.grading.meter import Meter, Used
from benchmarks.grading.programs import autograde, environment, grade, python
from tito.course import Course
from tito.gradebook.scores import table

#: Seconds between two notebooks that are put in place together, at most.
_WITHIN_A_BATCH = 0.2
#: Submissions that keep the workers of a usual machine busy; a smaller class has no steady part.
_STILL_TO_DO = 10
#: Ways of `nbgrader autograde`, and whether nbgrader's own steps are used. What others are compared
#: with is the first, as nbgrader is wherever it is installed.
_STOCK = {"nbgrader, stock": True, "nbgrader autograde": False}


@click.command()
@click.option("--students", default=200, help="In both halves together.")
@click.option("--turns", default=2, help="How often each grader has its turn.")
@click.option("--whole", is_flag=True, help="With the chapter's demonstrations and figures.")
@click.option("--alone", is_flag=True, help="Only tito grade, with all students.")
@click.option("--adapter", is_flag=True, help="Also nbgrader autograde with our adapter.")
@click.option("--keep", type=click.Path(path_type=Path), help="Where to leave the courses.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(__file__).parents[1] / "results",
    help="Where tables and pictures go.",
)
def main(
    students: int,
    turns: int,
    whole: bool,
    alone: bool,
    adapter: bool,
    keep: Path | None,
    output: Path,
) -> None:
    """Measure grading and compare the marks one by one; the figures go to benchmarks/results/."""
    folder = keep or Path(tempfile.mkdtemp(prefix="tito-bench-"))
    graders = ["tito grade"] if alone else ["tito grade", *(list(_STOCK)[: 1 + adapter])]
    meters = {name: Meter(f"bench-{number}") for number, name in enumerate(graders)}
    try:
        found = _measure(folder, students, turns, whole, meters)
    finally:
        for meter in meters.values():
            meter.close()
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    output.mkdir(parents=True, exist_ok=True)
    name = f"grading-{'whole-' if whole else ''}{students}"
    shown = report.text(found)
    print(shown)
    (output / f"{name}.md").write_text(f"{report.heading(students, whole)}\n```\n{shown}\n```\n")
    report.plot(found, output / f"{name}.png")
    sys.exit(1 if found["differences"] else 0)


def _measure(
    folder: Path, students: int, turns: int, whole: bool, meters: dict[str, Meter]
) -> dict[str, Any]:
    first, theirs = make(folder, students, whole, pair=len(meters) > 1)
    everybody = names(first)
    commands: dict[str, tuple[Course, Any]] = {"tito grade": (first, _ours)}
    for name in list(meters)[1:]:
        commands[name] = (theirs, partial(_theirs, stock=_STOCK[name]))
        if len(commands) < len(meters):
            theirs = Course(shutil.copytree(theirs.root, folder / "c", symlinks=True))
    used = {name: Used() for name in commands}
    for turn in range(turns):
        part = everybody[turn::turns]
        # Each grader begins as often as the other: what else the machine does changes slowly.
        order = list(commands) if turn % 2 == 0 else list(commands)[::-1]
        for name in order:
            course, command = commands[name]
            log = folder / f"{name}.log"
            line = command(course, part, turn)
            run = meters[name].run(line, course.root, log, environment())
            run.intervals, begin, end = _steady_part(course, part)
            run.steady, run.steady_cpu = end - begin, meters[name].cpu_between(begin, end)
            used[name] += run
    # Now: the breakdown grades some of them once more, with another seed.
    marks = _marks(first)
    # Stock nbgrader knows no fresh inputs.
    others = [_marks(c) for name, (c, _) in commands.items() if not _STOCK.get(name, True)]
    differences = [line for other in others for line in _differences(marks, other)]
    raw = json.loads(python("benchmarks.grading.raw", first.root))
    stages = json.loads(
        python("benchmarks.grading.breakdown", first.root, min(20, len(everybody) - 2))
    )
    return {
        "students": len(everybody),
        "processors": len(os.sched_getaffinity(0)),
        "used": {name: vars(sum_) for name, sum_ in used.items()},
        "raw_cpu": mean(raw),
        "stages": stages,
        "marks": len(marks),
        "differences": differences,
    }


def _steady_part(course: Course, students: list[str]) -> tuple[int, float, float]:
    """Return how many submissions were graded while all workers had work, from when to when.

    Graded notebooks are put in place in batches. Counted is from the end of the first batch to the
    end of one after which there was still enough to do: at both some submissions were half done.
    """
    times = sorted(
        path.stat().st_mtime
        for student in students
        for path in (course.autograded / student).rglob("*.ipynb")
    )
    ends = [n for n, gap in enumerate(np.diff(times)) if gap > _WITHIN_A_BATCH]
    first, last = ends[0], max(n for n in ends if n < max(len(times) - _STILL_TO_DO, ends[1] + 1))
    return last - first, times[first], times[last]


def _ours(course: Course, students: list[str], turn: int) -> list[str]:
    return grade(course, [] if len(students) == len(names(course)) else students)


def _theirs(course: Course, students: list[str], turn: int, stock: bool) -> list[str]:
    return autograde(course, students, f"turn-{turn}", stock)


def _marks(course: Course) -> dict[tuple[str, str], float | None]:
    rows = table(course, course.module(MODULE))
    return {(row.student, cell): points for row in rows for cell, points in row.points.items()}


def _differences(ours: dict[Any, Any], theirs: dict[Any, Any]) -> list[str]:
    places = sorted({*ours, *theirs})
    return [
        f"{student}, {cell}: {ours.get((student, cell))}, {theirs.get((student, cell))}"
        for student, cell in places
        if ours.get((student, cell), -1) != theirs.get((student, cell), -1)
    ]


if __name__ == "__main__":
    main()
