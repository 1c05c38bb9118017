"""`tito feedback`: the pages that go back to students."""

from __future__ import annotations

import click

from tinytorch.tito.commands._shared import console, pass_module
from tinytorch.tito.course import Course, Module
from tinytorch.tito.grading import feedback


@click.command("feedback")
@pass_module
def command(module: Module) -> None:
    """Write a page for each student of MODULE: points, what failed, comments."""
    course = Course.find()
    with console.status("writing feedback"):
        pages = feedback.write(course, module)
    console.print(
        f"{len(pages)} pages: {course.feedback.relative_to(course.root)}/STUDENT/{module.name}/",
        markup=False,
    )
