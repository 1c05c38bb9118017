"""`tito release`: the students' notebook."""

from __future__ import annotations

import click

from tinytorch.tito import release as releasing
from tinytorch.tito.commands._shared import console, pass_module
from tinytorch.tito.course import Course, Module


@click.command("release")
@pass_module
def command(module: Module) -> None:
    """Make the students' notebook of MODULE: no solution, no rubric, locked checks."""
    course = Course.find()
    path = releasing.release(course, module)
    console.print(f"released: {path.relative_to(course.root)}", markup=False)
