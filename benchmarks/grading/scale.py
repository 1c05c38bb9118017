"""How writing grows with a class: `python -m benchmarks.grading.scale COURSE --students 10000`.

Workers do not know how many submissions there are; the driver, the gradebook and what reads it do.
The course must be one of the benchmark's in which somebody was graded; results are copies of his.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import click
from nbgrader.api import Gradebook

from benchmarks.grading.classroom import MODULE
from benchmarks.grading.meter import memory_of
from tito.course import Course
from tito.course.gradebook import open_gradebook
from tito.gradebook import records, scores
from tito.gradebook.result import Result
from tito.gradebook.result_store import ResultStore
from tito.gradebook.writer import GradebookWriter
from tito.pages import evidence

_BATCH = 64


def result_of(course: Course, student: str) -> Result:
    """Return a result such as a worker gives, of a student who was graded."""
    module = course.module(MODULE)
    record = records.load(course, module, student)
    assert record is not None
    place = course.autograded / student / MODULE / f"{module.notebook}.ipynb"
    earned: dict[str, float | None] = {
        name: float(cell["earned"]) for name, cell in record.cells.items()
    }
    return Result(
        student, record.submission, "graded", notebook=place.read_text(), scores=earned,
        cells=record.cells, seed=record.seed, isolation=record.isolation, release=record.release,
    )  # fmt: skip


@click.command()
@click.argument("origin", type=click.Path(path_type=Path, exists=True))
@click.option("--students", default=10_000)
def main(origin: Path, students: int) -> None:
    """Enter the results of a class, a thousand after the other, and read them."""
    graded = sorted(
        path.parent.parent.name for path in Course(origin).autograded.glob("*/*/*.ipynb")
    )
    sample = result_of(Course(origin), graded[0])
    with tempfile.TemporaryDirectory(prefix="tito-scale-") as folder:
        ignored = shutil.ignore_patterns("submitted", "autograded", "records", "feedback")
        course = Course(shutil.copytree(origin, Path(folder) / "course", ignore=ignored))
        enter(course, sample, students)
        read(course, f"student-{students // 2:05}")


def enter(course: Course, sample: Result, students: int) -> None:
    """Enter copies of a result, and say what each thousand takes."""
    module = course.module(MODULE)
    config = course.nbgrader_config()
    (course.records / MODULE).mkdir(parents=True)
    print(f"{'students':>9}{'ms each':>9}{'memory MB':>11}{'gradebook MB':>14}", flush=True)
    with closing(GradebookWriter(open_gradebook(course, config), MODULE, module.notebook)) as book:
        store = ResultStore(course, module, book, "release")
        began = perf_counter()
        for first in range(0, students, _BATCH):
            numbers = range(first, min(first + _BATCH, students))
            batch = [replace(sample, student=f"student-{number:05}") for number in numbers]
            for result in batch:
                store.record(result)
            store.commit(batch)
            done = numbers[-1] + 1
            if done // 1000 > first // 1000:
                size = (course.root / "gradebook.db").stat().st_size / 2**20
                each = 1000 * (perf_counter() - began) / 1000
                print(f"{done:9}{each:9.2f}{memory_of():11.0f}{size:14.1f}", flush=True)
                began = perf_counter()


def read(course: Course, student: str) -> None:
    """Say how long those who look at the marks wait."""
    module = course.module(MODULE)

    def timed(what: str, began: float) -> None:
        print(f"{what}: {perf_counter() - began:.2f} s, memory {memory_of():.0f} MB", flush=True)

    url = course.nbgrader_config().CourseDirectory.db_url
    with Gradebook(url, course.nbgrader_config().CourseDirectory.course_id) as book:
        began = perf_counter()
        book.find_submission_notebook(module.notebook, MODULE, student)
        timed("nbgrader finds one notebook", began)
        began = perf_counter()
        book.submission_dicts(MODULE)
        timed("nbgrader lists the submissions, as formgrader shows them", began)
    began = perf_counter()
    scores.table(course, module)
    timed("tito scores", began)
    began = perf_counter()
    evidence.write(course, module)
    timed("the page of flags", began)


if __name__ == "__main__":
    main()
