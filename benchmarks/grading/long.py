"""A long run: `python -m benchmarks.grading.long --students 10000`, as root.

All of it is real: every submission has a kernel and a sandbox of its own. What each thousand
takes tells whether cost grows with the class, and memory with the run.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from statistics import mean
from threading import Event, Thread
from time import time

import click

from benchmarks.grading import targets
from benchmarks.grading.classroom import make, names
from benchmarks.grading.meter import Meter, memory_of
from benchmarks.grading.programs import environment, grade, python
from benchmarks.grading.targets import Row
from tito.course import Course

_LOOK_SECONDS = 0.5
#: Of so many the bare cells are run: enough for a mean.
_RAW = 100


class Witness:
    """Notes when each so many submissions are graded, and how much memory the driver has then."""

    def __init__(self, course: Course, every: int) -> None:
        self.rows: list[tuple[int, float, float, float]] = []
        self._course, self._every, self._over = course, every, Event()
        self._thread = Thread(target=self._watch)

    def __enter__(self) -> Witness:
        self._began = time()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        due = self._every
        while not self._over.wait(_LOOK_SECONDS):
            done = _count(self._course.autograded)
            if done >= due:
                size = (self._course.root / "gradebook.db").stat().st_size / 2**20
                self.rows.append((done, time(), _most_memory("tito"), size))
                due = done - done % self._every + self._every


def _count(folder: Path) -> int:
    """Count the entries of a folder, and nothing below: looking must not take a processor."""
    return len(os.listdir(folder)) if folder.is_dir() else 0


def _most_memory(name: str) -> float:
    """Return the megabytes of the process of that name that has most."""
    found = [0.0]
    for path in Path("/proc").glob("[0-9]*/comm"):
        with suppress(OSError, IndexError):  # it may end meanwhile
            if path.read_text().strip() == name:
                found.append(memory_of(path.parent.name))
    return max(found)


@click.command()
@click.option("--students", default=10_000)
@click.option("--every", default=1000, help="Submissions to a line of the table.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file for the table, besides the screen.",
)
def main(students: int, every: int, output: Path | None) -> None:
    """Grade a class with `tito grade`, and say what each thousand took."""
    folder, meter = Path(tempfile.mkdtemp(prefix="tito-long-")), Meter("long")
    try:
        course = make(folder, students, whole=False)
        some = names(course)[:_RAW]
        bare = json.loads(python("benchmarks.grading.raw", course.root, *some))
        raw = mean(cpu for cpu, _ in bare.values())
        with Witness(course, every) as witness:
            log = folder / "long.log"
            used = meter.run(grade([]), course.root, log, environment())
        lines = table(witness, meter, raw)
        each, peak = used.cpu / students, used.memory / 2**20
        lines.append(
            f"all {students}: {used.wall:.0f} s, {each:.3f} CPU s each, {each / raw:.2f} x raw "
            f"cells ({raw:.3f}), peak {peak:.0f} MB"
        )
        lines += ["", *targets.table(rows(witness, meter))]
    finally:
        meter.close()
        shutil.rmtree(folder, ignore_errors=True)
    text = "\n".join(lines)
    print(text)
    if output is not None:
        output.write_text(f"# Grading a class of {students}\n\n```\n{text}\n```\n")


def table(witness: Witness, meter: Meter, raw: float) -> list[str]:
    """Return what was seen, a line for each thousand."""
    head = f"{'graded':>8}{'a minute':>10}{'CPU s each':>12}{'x raw':>7}{'driver MB':>11}"
    lines = [f"{head}{'gradebook MB':>14}"]
    spent = spent_each(witness, meter)
    for (done, _, memory, size), (seconds, cpu) in zip(witness.rows, spent, strict=True):
        rate = 60 / seconds
        lines.append(f"{done:8}{rate:10.0f}{cpu:12.3f}{cpu / raw:7.2f}{memory:11.0f}{size:14.1f}")
    return lines


def spent_each(witness: Witness, meter: Meter) -> list[tuple[float, float]]:
    """Return the seconds and the processor time that a submission took, by the thousand."""
    ends = [(0, witness._began), *((done, now) for done, now, *_ in witness.rows)]
    return [
        ((now - then) / (done - before), meter.cpu_between(then, now) / (done - before))
        for (before, then), (done, now) in pairwise(ends)
    ]


def rows(witness: Witness, meter: Meter) -> list[Row]:
    """Return the targets: time of the last thousand and most memory, against the first."""
    spent = spent_each(witness, meter)
    (first, first_cpu), (last, last_cpu) = spent[0], spent[-1]
    memory = [row[2] for row in witness.rows]
    return [
        Row("time of the last thousand, against the first", last / first, 1.05),
        Row("the same, processor time", last_cpu / first_cpu, 1.05),
        Row("most memory of the driver, against the first thousand", max(memory) / memory[0], 1.05),
    ]


if __name__ == "__main__":
    main()
