"""What grades the same class in turns, and what it took."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.grading.classroom import make
from benchmarks.grading.meter import Meter, Used
from benchmarks.grading.programs import PROGRAMS, autograde, environment, grade, make_before
from benchmarks.grading.steady import Steady, steady_part_of
from tito.course import Course

OURS, NBGRADER, BEFORE = "tito grade", "nbgrader autograde", "tito grade before"


@dataclass(frozen=True)
class Taken:
    """What one run took: all of it; its steady part, and the processor time of that.

    Attributes
    ----------
    students : int
        How many were graded.
    used : Used
        For all of them.
    steady : Steady or None
        Its steady part; None where the run is too short to have one.
    rate, cpu_each : float or None
        Of the steady part: submissions a second, and seconds of processor time for each.
    """

    students: int
    used: Used
    steady: Steady | None = None
    rate: float | None = None
    cpu_each: float | None = None


@dataclass
class Grader:
    """A command that grades some of a class, in a course of its own."""

    course: Course
    meter: Meter
    command: Callable[[list[str]], list[str]]
    programs: Path = PROGRAMS
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.course.root.with_suffix(".log")

    def used(self, command: list[str]) -> Used:
        """Run any command in the course."""
        return self.meter.run(command, self.course.root, self.log, environment(self.programs))

    def grade(self, students: list[str], *before: str) -> Taken:
        """Grade some students, with words before the command where they are given."""
        used = self.used([*before, *self.command(students)])
        steady = steady_part_of(self.course, students)
        if steady is None:
            return Taken(len(students), used)
        cpu = self.meter.cpu_between(steady.begin, steady.end)
        return Taken(len(students), used, steady, steady.rate, cpu / len(steady.students))


def graders(
    folder: Path, students: int, whole: bool, before: Path | None, open_ones: ExitStack
) -> dict[str, Grader]:
    """Make a class and a course for each grader; the meters are closed with `open_ones`."""

    def meter(name: str) -> Meter:
        return open_ones.enter_context(closing(Meter(f"{folder.name}-{name}")))

    course = make(folder, students, whole)
    theirs = Course(shutil.copytree(course.root, folder / "b", symlinks=True))
    made = {
        OURS: Grader(course, meter("ours"), grade),
        NBGRADER: Grader(theirs, meter("nbgrader"), lambda part: autograde(theirs, part)),
    }
    if before is not None:
        programs = before / ".venv/bin"
        old = make_before(before, folder / "before", students, whole)
        command = lambda part: grade(part, programs=programs)  # noqa: E731
        made[BEFORE] = Grader(old, meter("before"), command, programs)
    return made
