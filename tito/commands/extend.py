"""`tito extend`: more time for one student."""

from __future__ import annotations

import click

from tito.commands._roster import roster_file
from tito.commands._shared import pass_module, print_line
from tito.course import Course, Module
from tito.course.roster import read as read_roster
from tito.gradebook import students


@click.command("extend")
@pass_module
@click.argument("student")
@click.option(
    "--days",
    type=click.IntRange(0, 3650),
    required=True,
    help="Days after the due date on which the work is due; 0 takes an extension back.",
)
def command(module: Module, student: str, days: int) -> None:
    """Give STUDENT more time for MODULE, before or after the work was graded.

    Penalties follow at once. The days are those of the course's clock, and take the place of an
    extension that was given before; `tito scores` shows them.
    """
    course = Course.find()
    file = roster_file(course)
    due = students.extend(course, module, student, days, read_roster(file) if file else None)
    until = f"due {due:%Y-%m-%d %H:%M %Z}" if due else "counted once the assignment has a due date"
    more = f"{days} day{'' if days == 1 else 's'} more"
    print_line(f"{student}: {more}, {until}")
