"""Grade a class with `tito grade`, `nbgrader autograde` and an earlier build, in turns."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from statistics import mean

import click

from benchmarks.grading.classroom import names
from benchmarks.grading.graders import OURS, graders
from benchmarks.grading.programs import python
from benchmarks.grading.regrade import Regraded, regrade
from benchmarks.grading.report import ClassTaken, text
from benchmarks.grading.steady import way_of
from benchmarks.grading.targets import heading

_ONE_PROCESSOR = ("taskset", "--cpu-list", "0")
#: Of whom the other half is graded on one processor; fewer have no steady part.
_BY_OURS_ALONE = 140


@click.command()
@click.option("--students", default=200, help="In the class.")
@click.option("--compared", default=40, help="Of them, graded by every grader.")
@click.option(
    "--before",
    type=click.Path(path_type=Path, exists=True, resolve_path=True),
    help="A checkout of an earlier commit, with a .venv, to compare with.",
)
@click.option("--keep", type=click.Path(path_type=Path), help="Where to leave the courses.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path(__file__).parents[1] / "results/grading.md",
    help="A file for the tables, besides the screen.",
)
def main(
    students: int, compared: int, before: Path | None, keep: Path | None, output: Path
) -> None:
    """Measure grading against the targets of the course; see benchmarks/README.md."""
    least = compared + 1 + _BY_OURS_ALONE
    if students < least:
        raise click.BadParameter(
            f"{students} are too few for a steady part beside --compared {compared}; take {least}.",
            param_hint="--students",
        )
    folder = keep or Path(tempfile.mkdtemp(prefix="tito-bench-"))
    try:
        whole, again = _measure(folder / "whole", students, compared, before)
        short, _ = _measure(folder / "short", students, compared, before)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    shown = text(whole, short, again)
    print(shown)
    output.parent.mkdir(parents=True, exist_ok=True)
    title = heading(f"Grading a class of {students}")
    output.write_text(f"{title}\n```\n{shown}\n```\n")


def _measure(
    folder: Path, students: int, compared: int, before: Path | None
) -> tuple[ClassTaken, Regraded | None]:
    """Grade a class of whole notebooks, or of what is graded of them, by the folder's name."""
    is_whole = folder.name == "whole"
    with ExitStack() as open_ones:
        made = graders(folder, students, is_whole, before, open_ones)
        ours, everybody = made[OURS], names(made[OURS].course)
        # What a machine does once a day or reads for the first time is no part of what follows.
        first = {name: one.used(one.command(everybody[:1])) for name, one in made.items()}
        part, rest = everybody[1 : compared + 1], everybody[compared + 1 :]
        taken = {name: one.grade(part) for name, one in made.items()}
        again = regrade(ours, part) if is_whole else None
        half = len(rest) // 2
        all_processors = ours.grade(rest[:half])
        one_processor = ours.grade(rest[half:], *_ONE_PROCESSOR)
        # Without a steady part its rows are "not measured", and the others are there.
        steady = all_processors.steady.students if all_processors.steady else rest[:half]
        bare = json.loads(python("benchmarks.grading.raw", ours.course.root, *steady))
    bare_cpu = mean(cpu for cpu, _ in bare.values())
    ways = Counter(way_of(ours.course, student) for student in steady)
    return ClassTaken(first[OURS], taken, all_processors, one_processor, bare_cpu, ways), again


if __name__ == "__main__":
    main()
