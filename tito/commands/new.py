"""`tito new`: a skeleton of a module."""

from __future__ import annotations

import click

from tito.authoring import new
from tito.commands._shared import console
from tito.course import Course


@click.command("new")
@click.argument("name")
def command(name: str) -> None:
    """Make the source of a new module NAME: a skeleton that passes all checks.

    NAME is like schedules, which gets the next free number, or like 09_schedules.
    """
    course = Course.find()
    module = new.create(course, name)
    console.print(f"new: {module.source.relative_to(course.root)}", markup=False)
    console.print(
        f"Edit it cell by cell, then: tito lint {module.name}, tito export {module.name}, "
        f"tito test {module.name}, tito release {module.name}",
        markup=False,
        soft_wrap=True,
    )
