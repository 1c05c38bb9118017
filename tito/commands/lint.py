"""`tito lint`: the rules of the sources."""

from __future__ import annotations

import sys

import click

from tito.authoring import rules
from tito.authoring.source import read_source
from tito.autograde import empty_submission
from tito.commands._shared import console, print_line
from tito.course import Course, Module
from tito.errors import TitoError


def _faults_of_source(course: Course, module: Module) -> list[str]:
    return rules.faults_of(module, read_source(module.source, course.checks(module)))


#: What is looked at, by how graded cells are judged.
_LINTERS = {"parts": _faults_of_source, "asserts": empty_submission.faults}


@click.command("lint")
@click.argument("modules", nargs=-1, metavar="[MODULE]...")
def command(modules: tuple[str, ...]) -> None:
    """Check the rules of the sources of MODULE, or of all modules.

    Each line names the cell, what is wrong and the remedy. Exits with 1 if a rule is broken. In a
    plain course of nbgrader's the release is graded, and no graded cell may give it points.
    """
    course = Course.find()
    count = 0
    chosen = [module for name in modules for module in course.assignment(name)]
    for module in chosen or course.modules:
        path = module.source.relative_to(course.root)
        try:
            faults = _LINTERS[course.judged_by](course, module)
        except TitoError as error:
            if chosen:
                raise
            faults = [f"not looked at: {error}"]
        for fault in faults:
            count += 1
            print_line(f"{path}: {fault}")
    if count:
        console.print(f"{count} rule{'s' if count > 1 else ''} broken")
    sys.exit(1 if count else 0)
