"""`tito feedback`: the pages that go back to students."""

from __future__ import annotations

import click

from tito.commands._progress import progress
from tito.commands._shared import console, pass_module
from tito.course import Course, Module
from tito.gradebook import records
from tito.pages import feedback


@click.command("feedback")
@pass_module
def command(module: Module) -> None:
    """Write a page for each student of MODULE: points, what failed, plots, comments.

    A page is one HTML file that needs no network: send it, or put it where students find it.
    """
    course = Course.find()
    with progress("writing") as show:
        pages = feedback.write(course, module, show)
    for student in records.stale(course, module):
        told = f"left out: {student}: {records.EARLIER}: run 'tito grade {module.name}'"
        console.print(told, markup=False, soft_wrap=True)
    console.print(
        f"{len(pages)} pages: {course.feedback.relative_to(course.root)}/STUDENT/{module.name}/",
        markup=False,
    )
