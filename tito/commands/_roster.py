"""The option with which commands are told who is in the class."""

from __future__ import annotations

from pathlib import Path

import click

from tito.commands._shared import console
from tito.course import Course, Module
from tito.course.roster import Roster
from tito.course.roster import read as read_roster
from tito.gradebook import platforms

roster_option = click.option(
    "--roster",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV of the class, such as the platform's own export; roster.csv in the course's folder "
    "by default.",
)


def roster_file(course: Course, given: Path | None = None) -> Path | None:
    """Return the roster to read: the one that was named, or the course's own, if there is one."""
    return given or (course.roster if course.roster.is_file() else None)


def people_of(
    course: Course, module: Module, given: Path | None, for_export: bool = False
) -> Roster:
    """Return who is in the class: by the file that was named, the course's own, or the gradebook.

    Of a file it is said by which of its columns students are known.
    """
    file = roster_file(course, given)
    if file is None:
        return platforms.roster_of_gradebook(course, module)
    people = read_roster(file, for_export)
    console.print(f"{file.name}: {people.recognized()}", markup=False, soft_wrap=True)
    return people
