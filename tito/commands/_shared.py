"""What several commands use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tito.course import Course, Module
from tito.errors import UsageError
from tito.student.show import console, say

__all__ = ["console", "notebook_option", "pass_module", "print_line", "say"]


def print_line(line: str, style: str | None = None) -> None:
    """Print a line as it is: without markup, and broken by the terminal alone."""
    console.print(line, style=style, markup=False, soft_wrap=True)


def pass_module(function: Any) -> Any:
    """Give a command the course and the module that its MODULE argument names."""

    def convert(ctx: click.Context, param: click.Parameter, value: str) -> Module:
        return Course.find().module(value)

    return click.argument("module", callback=convert)(function)


def pass_assignment(function: Any) -> Any:
    """Give a command all notebooks of the assignment that its MODULE argument names."""

    def convert(ctx: click.Context, param: click.Parameter, value: str) -> list[Module]:
        return Course.find().assignment(value)

    return click.argument("modules", metavar="MODULE", callback=convert)(function)


def _own_notebook(ctx: click.Context, param: click.Parameter, path: Path | None) -> Path | None:
    """Refuse what students handed in: its code would run, or be imported, in no sandbox."""
    if path is None:
        return None
    course = Course.find()
    for folder in (course.submitted, course.autograded):
        if path.resolve().is_relative_to(folder.resolve()):
            student, *below = path.resolve().relative_to(folder.resolve()).parts
            module = below[0] if len(below) > 1 else "MODULE"
            raise UsageError(
                f"{path} was handed in, and --notebook would run its code as you, outside of the "
                f"sandbox. Grade it: tito grade {module} --force --student {student}."
            )
    return path


notebook_option = click.option(
    "--notebook",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    callback=_own_notebook,
    help="A student's notebook instead of the course's source. Its code runs as you, in no "
    "sandbox; what was handed in is refused.",
)
