"""`tito scores`: the marks of a class."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from tinytorch.tito.commands._shared import console, pass_module
from tinytorch.tito.course import Course, Module
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

    A dash means that nobody has marked the cell yet; a question mark, that it waits for a person.
    """
    course = Course.find()
    rows = scores.table(course, module)
    if path:
        scores.write_csv(rows, path)
        console.print(f"{len(rows)} rows: {path}", markup=False)
        return
    console.print(_table(rows))
    _print_notes(rows)
    pages = f"{course.feedback.relative_to(course.root)}/STUDENT/{module.name}/{module.notebook}"
    console.print(f"feedback: {pages}.html", markup=False)


def _table(rows: list[Row]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("student", no_wrap=True)
    maxima = rows[0].maxima if rows else {}
    for name, points in maxima.items():
        short = name.removeprefix("test-").removeprefix("question-")
        table.add_column(f"{short} ({points:g})", justify="right", min_width=4, overflow="fold")
    table.add_column("total", justify="right", no_wrap=True)
    for row in rows:
        cells = [_points(row, name) for name in maxima]
        table.add_row(escape(row.student), *cells, f"{row.total:g}/{row.max:g}")
    return table


def _points(row: Row, name: str) -> str:
    points = row.points[name]
    if points is None:
        return "?" if name in row.needs_manual else "-"
    return f"{points:g}"


def _print_notes(rows: list[Row]) -> None:
    """Show reasons and flags below the table: they are sentences, not numbers."""
    for row in rows:
        notes = [*([f"not graded: {row.reason}"] if row.reason else []), *row.flags]
        for note in notes:
            console.print(f"{row.student}: {note}", markup=False)
