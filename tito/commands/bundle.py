"""`tito bundle`: all that a student needs, in one zip."""

from __future__ import annotations

import click

from tito.authoring import bundle as bundling
from tito.commands._shared import pass_module, print_line
from tito.course import Course, Module


@click.command("bundle")
@pass_module
def command(module: Module) -> None:
    """Make the zip of MODULE for students: notebook, package, checks, commands.

    It works on a machine that has never seen this course, and holds no solution.
    """
    course = Course.find()
    path = bundling.bundle(course, module)
    print_line(f"bundle: {path.relative_to(course.root)}")
