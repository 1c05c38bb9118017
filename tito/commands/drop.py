"""`tito drop`: a student who left."""

from __future__ import annotations

import click

from tito.commands._shared import print_line
from tito.course import Course
from tito.gradebook import students


@click.command("drop")
@click.argument("student")
def command(student: str) -> None:
    """Take STUDENT, who left, out of the class: no more marks, lists or pages.

    Nothing is deleted: work, pages, records and the marks of the gradebook are put aside in
    modules/records/dropped. A roster that still names the student enters the name again.
    """
    course = Course.find()
    aside = students.drop(course, student).relative_to(course.root)
    print_line(f"{student}: put aside in {aside}")
