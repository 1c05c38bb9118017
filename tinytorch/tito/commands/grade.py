"""`tito grade`: mark a class."""

from __future__ import annotations

import sys

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tinytorch.tito.commands._shared import console, pass_module
from tinytorch.tito.course import Course, Module
from tinytorch.tito.grading import pipeline
from tinytorch.tito.sandbox import LEVELS, Isolation


@click.command("grade")
@pass_module
@click.option("--student", "students", multiple=True, help="Only this student; may be repeated.")
@click.option("--force", is_flag=True, help="Grade again what has not changed.")
@click.option("--seed", type=int, help="Repeat the fresh inputs of an earlier run.")
@click.option(
    "--isolation",
    type=click.Choice(LEVELS),
    help="Accept isolation of students' code down to this level; 'tito doctor' says which it is.",
)
def command(
    module: Module,
    students: tuple[str, ...],
    force: bool,
    seed: int | None,
    isolation: str | None,
) -> None:
    """Grade the submissions of MODULE that are new or have changed.

    A submission that cannot be graded is named and never stops the others; the command then
    exits with 1.
    """
    bar = Progress(
        TextColumn("grading {task.fields[student]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,  # the summary stays
    )
    with bar:
        task = bar.add_task("grade", total=None, student="")

        def show(done: int, total: int, student: str) -> None:
            bar.update(task, completed=done, total=total, student=student)

        run = pipeline.grade(Course.find(), module, students or None, force, show, seed, isolation)
    for outcome in run.failed:
        line = f"not graded: {outcome.student}: {outcome.reason}"
        console.print(line, style="red", markup=False, soft_wrap=True)
    console.print(
        f"{len(run.graded)} graded, {len(run.skipped)} unchanged, {len(run.failed)} not graded",
    )
    console.print(_told(run.isolation), markup=False, soft_wrap=True)
    sys.exit(1 if run.failed else 0)


def _told(isolation: Isolation) -> str:
    """Say what kept students' code apart, and what did not."""
    by = f" (bubblewrap {isolation.version})" if isolation.bwrap else ""
    leaks = "".join(f"\n  - {leak}" for leak in isolation.leaks)
    return f"isolation: {isolation.level}{by}{leaks}"
