"""`tito release`: the students' notebook."""

from __future__ import annotations

from pathlib import Path

import click

from tito.authoring import nbgrader_release
from tito.authoring import release as releasing
from tito.authoring.source import read_source
from tito.commands._shared import pass_assignment, print_line
from tito.course import Course, Module
from tito.errors import TitoError
from tito.gradebook import records, scores
from tito.scoring.independence import dependent_parts


@click.command("release")
@pass_assignment
def command(modules: list[Module]) -> None:
    """Make the students' notebook of MODULE: no solution, no rubric, locked checks.

    Says whose marks are of an earlier release from now on, and which marks by hand are above a
    maximum that was lowered.
    """
    course = Course.find()
    path = _MAKERS[course.judged_by](course, modules)
    print_line(f"released: {path.relative_to(course.root)}")
    for module in modules:
        of = f"{module.title}: " if module.siblings else ""
        if outdated := records.stale(course, module):
            names = ", ".join(outdated)
            print_line(f"{of}{len(outdated)} {records.EARLIER}, to be graded anew: {names}")
        for student, above in scores.marks_above_maximum(course, module).items():
            print_line(f"{of}{student}: {'; '.join(above)}")


def _release(course: Course, modules: list[Module]) -> Path:
    """Make the release of a chapter."""
    [module] = modules
    _refuse_dependence(course, module)
    return releasing.release(course, module)


def _refuse_dependence(course: Course, module: Module) -> None:
    """Refuse a chapter whose marks depend on cells that grading may leave out."""
    dependent = dependent_parts(read_source(module.source, course.checks(module)))
    if dependent:
        raise TitoError(
            f"{module.name} cannot be released: what graded cells see of the reference is "
            f"different where the demonstrations have not run: {'; '.join(dependent[:3])}. Name "
            "and lock the cells that it depends on."
        )


#: Who makes a release, by how its graded cells are judged.
_MAKERS = {"parts": _release, "asserts": nbgrader_release.release}
