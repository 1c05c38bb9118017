"""`tito release`: the students' notebook."""

from __future__ import annotations

import click

from tito.authoring import release as releasing
from tito.commands._shared import console, pass_module
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
    console.print(f"released: {path.relative_to(course.root)}", markup=False)
    if outdated := records.stale(course, module):
        told = f"{len(outdated)} {records.EARLIER}, to be graded anew: {', '.join(outdated)}"
        console.print(told, markup=False, soft_wrap=True)
    for student, above in scores.marks_above_maximum(course, module).items():
        console.print(f"{student}: {'; '.join(above)}", markup=False, soft_wrap=True)
