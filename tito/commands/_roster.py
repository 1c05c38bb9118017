"""Who is in the class: the option --roster, the course's own file, or the gradebook."""

from __future__ import annotations

from pathlib import Path

import click

from tito.commands._shared import print_line
from tito.course import Course
from tito.course.gradebook import open_gradebook, people_in
from tito.course.roster import Roster
from tito.course.roster import read as read_roster

roster_option = click.option(
    "--roster",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV of the class, such as the platform's own export; roster.csv in the course's folder "
    "by default.",
)


def roster_file(course: Course, given: Path | None = None) -> Path | None:
    """Return the roster to read: the one that was named, or the course's own, if there is one."""
    return given or (course.roster if course.roster.is_file() else None)


def people_of(course: Course, given: Path | None, for_export: bool = False) -> Roster:
    """Return the class, by the file that was named, the course's own, or the gradebook."""
    file = roster_file(course, given)
    if file is None:
        with open_gradebook(course) as book:
            return Roster(tuple(people_in(book)))
    people = read_roster(file, for_export)
    print_line(f"{file.name}: {people.recognized()}")
    return people
