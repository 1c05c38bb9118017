"""The option with which commands are told who is in the class."""

from __future__ import annotations

from pathlib import Path

import click

from tinytorch.tito.course import Course

roster_option = click.option(
    "--roster",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV of the class, such as the platform's own export; roster.csv in the course's folder "
    "by default.",
)


def roster_file(course: Course, given: Path | None) -> Path | None:
    """Return the roster to read: the one that was named, or the course's own, if there is one."""
    own = course.root / "roster.csv"
    return given or (own if own.is_file() else None)
