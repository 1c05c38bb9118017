"""`tito lint`: the rules of the sources."""

from __future__ import annotations

import sys

import click

from tito.authoring import rules
from tito.authoring.source import read_source
from tito.commands._shared import console, print_line
from tito.course import Course


@click.command("lint")
@click.argument("modules", nargs=-1, metavar="[MODULE]...")
def command(modules: tuple[str, ...]) -> None:
    """Check the rules of the sources of MODULE, or of all modules.

    Each line names the cell, what is wrong and the remedy. Exits with 1 if a rule is broken.
    """
    course = Course.find()
    count = 0
    for module in [course.module(name) for name in modules] or course.modules:
        source = read_source(module.source, course.checks(module))
        for fault in rules.faults_of(module, source):
            count += 1
            path = module.source.relative_to(course.root)
            print_line(f"{path}: {fault}")
    if count:
        console.print(f"{count} rule{'s' if count > 1 else ''} broken")
    sys.exit(1 if count else 0)
