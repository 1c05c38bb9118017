"""How long who hands in waits: `python -m benchmarks.grading.watch`.

`tito grade --watch` is warm: it has graded three submissions both ways, as it does with the first
ones. Then one after the other hands in, and then twenty at once. A wait is from the file's arrival
to the feedback page's.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from heapq import heapreplace
from pathlib import Path
from time import monotonic, sleep

import click
import numpy as np

from benchmarks.grading.classroom import make, names
from benchmarks.grading.programs import environment, grade, python
from benchmarks.grading.targets import heading
from tito.course import Course

_LOOK_SECONDS = 0.01
_PATIENCE = 300
_FIRST = 3


def queued(seconds: Sequence[float], processors: int) -> list[float]:
    """Return when tasks that arrive together end, each on the first processor that is free."""
    free, ends = [0.0] * processors, []
    for task in seconds:
        ends.append(free[0] + task)
        heapreplace(free, ends[-1])
    return ends


def waits(course: Course, aside: Path, students: Sequence[str]) -> list[float]:
    """Hand in together; return how long each waits for the page.

    Raises
    ------
    SystemExit
        If one waits for minutes.
    """
    arrived: dict[str, float] = {}
    found: dict[str, float] = {}
    for student in students:
        (aside / student).rename(course.submitted / student)
        arrived[student] = monotonic()
    while len(found) < len(students):
        for student in arrived.keys() - found.keys():
            if any((course.feedback / student).rglob("*.html")):
                found[student] = monotonic() - arrived[student]
        if monotonic() - max(arrived.values()) > _PATIENCE:
            raise SystemExit(f"no page for {sorted(arrived.keys() - found.keys())}")
        sleep(_LOOK_SECONDS)
    return list(found.values())


@contextmanager
def watching(course: Course, log: Path) -> Iterator[None]:
    """Run `tito grade --watch` meanwhile; it is ended as by Ctrl-C."""
    with log.open("w") as out:
        command = grade([], "--watch")
        running = subprocess.Popen(
            command, cwd=course.root, env=environment(), stdout=out, stderr=out
        )
        try:
            yield
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(_PATIENCE)


@click.command()
@click.option("--single", default=20, help="How many hand in alone, one after the other.")
@click.option("--together", default=20, help="How many hand in at once.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path(__file__).parents[1] / "results/watch.md",
    help="A file for the table, besides the screen.",
)
def main(single: int, together: int, output: Path) -> None:
    """Measure how long students wait for a page, beside what their cells alone take."""
    with tempfile.TemporaryDirectory(prefix="tito-watch-") as folder:
        course = make(Path(folder), _FIRST + single + together, whole=True)
        everybody = names(course)
        alone, at_once = everybody[_FIRST : _FIRST + single], everybody[_FIRST + single :]
        aside = Path(shutil.move(course.submitted, Path(folder) / "aside"))
        course.submitted.mkdir()
        with watching(course, Path(folder) / "watch.log"):
            waits(course, aside, everybody[:_FIRST])
            one = [wait for student in alone for wait in waits(course, aside, [student])]
            many = waits(course, aside, at_once)
        bare = json.loads(python("benchmarks.grading.raw", course.root, *alone, *at_once))
    processors = len(os.sched_getaffinity(0))
    cells = queued([bare[student][1] for student in at_once], processors)
    lines = [
        f"{'seconds to the page':34}{'p50':>8}{'p95':>8}",
        _line(f"1 at once, {single} times", one),
        _line("  its cells alone", [bare[student][1] for student in alone]),
        _line(f"{together} at once", many),
        _line(f"  their cells alone, {processors} at a time", cells),
    ]
    print("\n".join(lines))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(heading("Waiting for a page") + "\n```\n" + "\n".join(lines) + "\n```\n")


def _line(what: str, seconds: Sequence[float]) -> str:
    half, most = np.percentile(seconds, [50, 95])
    return f"{what:34}{half:8.2f}{most:8.2f}"


if __name__ == "__main__":
    main()
