"""`tito overview`: a page about a class."""

from __future__ import annotations

from pathlib import Path

import click

from tito.commands._shared import console, pass_assignment, print_line
from tito.course import Course, Module
from tito.pages import overview


@click.command("overview")
@pass_assignment
@click.option(
    "--to",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; modules/records/MODULE/overview.html by default.",
)
def command(modules: list[Module], path: Path | None) -> None:
    """Make a page about the class of MODULE: marks, failing parts, flags, with plots.

    It names students: it is for those who teach, not for them.
    """
    course = Course.find()
    if path is not None and len(modules) > 1:
        names = ", ".join(module.title for module in modules)
        raise click.UsageError(f"--to is for one notebook; name one of {names}.")
    for module in modules:
        with console.status("drawing"):
            written = overview.write(course, module, path)
        print_line(str(written))
