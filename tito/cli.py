"""The command `tito`: one file per command in :mod:`tito.commands`."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from tinytorch import __version__
from tito.__main__ import imports_end_quietly
from tito.errors import TitoError
from tito.student.show import run

_COMMANDS = {
    "new": "Make the source of a new module, whole from the start.",
    "lint": "Check the rules of the sources.",
    "export": "Make the package's modules from the sources.",
    "test": "Run a module's checks and show them part by part.",
    "release": "Make the students' notebook.",
    "bundle": "Make the zip that students get: notebook, package, tools.",
    "autograder": "Make the zip that grades on Gradescope, at hand-in.",
    "collect": "Take in the submissions that a platform gives.",
    "extend": "Give one student more time.",
    "drop": "Take a student who left out of the class.",
    "grade": "Grade the submissions that are new or have changed.",
    "feedback": "Write the pages that go back to students.",
    "scores": "Show the marks of a class, or write them for a platform.",
    "overview": "Make a page about a class: marks, failing parts, flags.",
    "status": "Show where each module stands.",
    "doctor": "Say what is wrong on this machine, and how to fix it.",
}


class _Commands(click.Group):
    """The commands, imported when they are called: `tito --help` need not wait for nbgrader."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        with imports_end_quietly():
            return importlib.import_module(f"tito.commands.{cmd_name}").command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except _gradebook_errors() as error:
            reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
            raise TitoError(
                f"the gradebook cannot be used: {reason}. Is its server up, and is "
                "c.CourseDirectory.db_url in nbgrader_config.py right?"
            ) from error


def _gradebook_errors() -> tuple[type[Exception], ...]:
    """Return what is raised where a gradebook does not answer, if a command asked one."""
    loaded = sys.modules.get("sqlalchemy.exc")
    if loaded is None:
        return ()
    return loaded.DatabaseError, loaded.ArgumentError


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tito")
def cli() -> None:
    """Export, release and grade the modules of the course.

    MODULE is a module's name or any unambiguous part of it: 08_optimizers, 08, optimizers.
    """


def main() -> None:
    """Run the command line; exit with 0 (done), 1 (the work failed) or 2 (wrong use)."""
    run(cli)
