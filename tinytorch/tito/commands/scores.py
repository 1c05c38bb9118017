"""`tito scores`: the marks of a class."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from tinytorch.tito.commands._shared import console, pass_module
from tinytorch.tito.course import Course, Module
from tinytorch.tito.flags import evidence
from tinytorch.tito.grading import scores
from tinytorch.tito.grading.scores import Row


@click.command("scores")
@pass_module
@click.option(
    "--csv",
    "path",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the marks to this file instead.",
)
def command(module: Module, path: Path | None) -> None:
    """Show the marks of MODULE: a row a student, with what a person should look at.

    A question mark stands where a written answer waits for a person, a dash where nothing could
    be graded.
    """
    course = Course.find()
    rows = scores.table(course, module)
    if path:
        scores.write_csv(rows, path)
        console.print(f"{len(rows)} rows: {path}", markup=False)
        return
    for number, (name, points) in enumerate(rows[0].maxima.items() if rows else (), start=1):
        console.print(f"{number:5} {name} ({points:g})", markup=False)
    if rows:
        console.print(f"total of {rows[0].max:g}", markup=False)
    console.print()
    console.print(_table(rows))
    console.print()
    _print_notes(rows)
    if any(row.flags for row in rows):
        page = evidence.page_of(course, module).relative_to(course.root)
        console.print(f"evidence: {page}", markup=False)
    pages = f"{course.feedback.relative_to(course.root)}/STUDENT/{module.name}/{module.notebook}"
    console.print(f"feedback: {pages}.html", markup=False)


def _table(rows: list[Row]) -> Table:
    """Make the table of marks; its columns are numbered, since cells have long names."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("student", no_wrap=True)
    maxima = rows[0].maxima if rows else {}
    for number in range(1, len(maxima) + 1):
        table.add_column(str(number), justify="right", no_wrap=True)
    table.add_column("total", justify="right", no_wrap=True)
    table.add_column("flags", justify="right", no_wrap=True)
    for row in rows:
        cells = [_points(row, name) for name in maxima]
        flags = str(len(_notes(row)) or "")
        table.add_row(escape(row.student), *cells, _total(row), flags)
    return table


def _points(row: Row, name: str) -> str:
    points = row.points[name]
    if points is None:
        return "?" if name in row.needs_manual else "-"
    return f"{points:g}"


def _total(row: Row) -> str:
    """Return the total so far: with a question mark where somebody must still mark an answer."""
    if all(points is None for points in row.points.values()):
        return "-"
    return f"{row.total:g}{'+?' if row.needs_manual else ''}"


def _notes(row: Row) -> list[str]:
    """Return why a row has no mark, and its flags."""
    return [*([f"not graded: {row.reason}"] if row.reason else []), *row.flags]


def _print_notes(rows: list[Row]) -> None:
    """Show reasons and flags below the table: they are sentences, not numbers."""
    waiting = [row.student for row in rows if row.status == "not graded"]
    if waiting:
        names = ", ".join(waiting)
        console.print(f"{len(waiting)} not graded yet: {names}", markup=False, soft_wrap=True)
    for row in rows:
        for note in _notes(row) if row.status != "not graded" else row.flags:
            console.print(f"{row.student}: {note}", markup=False, soft_wrap=True)
