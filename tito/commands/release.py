"""`tito release`: the students' notebook."""

from __future__ import annotations

import click

from tito.authoring import release as releasing
from tito.commands._shared import pass_module, print_line
from tito.course import Course, Module
from tito.gradebook import records, scores


@click.command("release")
@pass_module
def command(module: Module) -> None:
    """Make the students' notebook of MODULE: no solution, no rubric, locked checks.

    Says whose marks are of an earlier release from now on, and which marks by hand are above a
    maximum that was lowered.
    """
    course = Course.find()
    path = releasing.release(course, module)
    print_line(f"released: {path.relative_to(course.root)}")
    if outdated := records.stale(course, module):
        names = ", ".join(outdated)
        print_line(f"{len(outdated)} {records.EARLIER}, to be graded anew: {names}")
    for student, above in scores.marks_above_maximum(course, module).items():
        print_line(f"{student}: {'; '.join(above)}")
