"""`tito new`: a skeleton of a module."""

from __future__ import annotations

import click

from tito.authoring import new
from tito.commands._shared import print_line
from tito.course import Course


@click.command("new")
@click.argument("name")
def command(name: str) -> None:
    """Make the source of a new module NAME: a skeleton that passes all checks.

    NAME is like schedules, which gets the next free number, or like 09_schedules.
    """
    course = Course.find()
    module = new.create(course, name)
    print_line(f"new: {module.source.relative_to(course.root)}")
    print_line(
        f"Edit it cell by cell, then: tito lint {module.name}, tito export {module.name}, "
        f"tito test {module.name}, tito release {module.name}"
    )
