"""What several commands use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tinytorch.tito.course import Course, Module
from tinytorch.tito.student.show import console

__all__ = ["console", "notebook_option", "pass_module"]


def pass_module(function: Any) -> Any:
    """Give a command the course and the module that its MODULE argument names."""

    def convert(ctx: click.Context, param: click.Parameter, value: str) -> Module:
        return Course.find().module(value)

    return click.argument("module", callback=convert)(function)


notebook_option = click.option(
    "--notebook",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A student's notebook instead of the course's source.",
)
