"""`tito feedback`: the pages that go back to students."""

from __future__ import annotations

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tito.commands._shared import console, pass_assignment, print_line
from tito.course import Course, Module
from tito.gradebook import records
from tito.pages import feedback


@click.command("feedback")
@pass_assignment
def command(modules: list[Module]) -> None:
    """Write a page for each student of MODULE: points, what failed, plots, comments.

    A page is one HTML file that needs no network: send it, or put it where students find it.
    """
    course = Course.find()
    for module in modules:
        _write(course, module)


def _write(course: Course, module: Module) -> None:
    """Write the pages of one notebook."""
    with Progress(
        TextColumn("writing {task.fields[student]}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,  # what the command says in the end stays
    ) as bar:
        task = bar.add_task("", total=None, student="")

        def show(done: int, total: int, student: str) -> None:
            bar.update(task, completed=done, total=total, student=student)

        pages = feedback.write(course, module, show)
    for student in records.stale(course, module):
        print_line(f"left out: {student}: {records.EARLIER}: run 'tito grade {module.name}'")
    print_line(
        f"{len(pages)} pages: {course.feedback.relative_to(course.root)}/STUDENT/{module.name}/"
    )
