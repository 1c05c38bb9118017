"""`tito feedback`: the pages that go back to students."""

from __future__ import annotations

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tito.commands._shared import console, pass_assignment, print_line
from tito.course import Course, Module
from tito.errors import UsageError
from tito.gradebook import records
from tito.pages import feedback


@click.command("feedback")
@pass_assignment
@click.option("--student", "students", multiple=True, help="Only this student; may be repeated.")
def command(modules: list[Module], students: tuple[str, ...]) -> None:
    """Write a page for each student of MODULE: points, what failed, plots, comments.

    A page is one HTML file that needs no network: send it, or put it where students find it.
    """
    course = Course.find()
    graded = [feedback.students_of(course, module) for module in modules]
    for student in set(students).difference(*graded):
        name = modules[0].name
        raise UsageError(
            f"nothing of {name} by {student} was graded; grade with "
            f"'tito grade {name} --student {student}'."
        )
    for module, known in zip(modules, graded, strict=True):
        _write(course, module, [one for one in known if not students or one in students])


def _write(course: Course, module: Module, students: list[str]) -> None:
    """Write the pages of one notebook."""
    with Progress(
        TextColumn("writing {task.fields[student]}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,  # what the command says in the end stays
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("", total=None, student="")

        def show(done: int, total: int, student: str) -> None:
            bar.update(task, completed=done, total=total, student=student)

        pages = feedback.write(course, module, show, students)
    for student in records.stale(course, module, students):
        print_line(f"left out: {student}: {records.EARLIER}: run 'tito grade {module.name}'")
    print_line(
        f"{len(pages)} pages: {course.feedback.relative_to(course.root)}/STUDENT/{module.name}/"
    )
