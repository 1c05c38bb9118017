"""`tito scores`: the marks of a class."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from tito.commands._roster import people_of, roster_option
from tito.commands._shared import console, pass_assignment, print_line
from tito.course import Course, Module
from tito.flags import classmates
from tito.gradebook import platforms, scores
from tito.gradebook.records import EARLIER
from tito.gradebook.scores import Row
from tito.gradebook.sheet import Sheet
from tito.pages import evidence


@click.command("scores")
@pass_assignment
@click.option(
    "--format",
    "kind",
    type=click.Choice(list(platforms.FORMATS)),
    help="Write the marks to a file, as this platform imports them.",
)
@click.option(
    "--to",
    "path",
    type=click.Path(path_type=Path),
    help="The file, for Gradescope the folder, to write; by default below modules/records, which "
    "git ignores.",
)
@roster_option
@click.option("--title", help="The assignment's name on the platform; MODULE by default.")
@click.option(
    "--provisional", is_flag=True, help="Write totals before all written answers are marked, too."
)
def command(
    modules: list[Module],
    kind: str | None,
    path: Path | None,
    roster: Path | None,
    title: str | None,
    provisional: bool,
) -> None:
    """Show the marks of MODULE: a row a student, with what a person should look at.

    A question mark stands where a written answer waits for a person, a dash where nothing could
    be graded, "missing" where nothing was handed in. With --format the marks are written to a
    file. Penalties for lateness are those of the policy in nbgrader_config.py.
    """
    course = Course.find()
    rows = scores.table_of(course, modules)
    module = modules[0]
    if kind or path:
        people = people_of(course, roster, for_export=True)
        sheet = Sheet(course, module, rows, people, title or module.name, provisional)
        of_one = len(modules) == 1 and module.siblings
        stem = f"{module.name}-{module.notebook}" if of_one else module.name
        _write(sheet, kind or "csv", path, stem)
    else:
        _show(course, modules, rows)


def _write(sheet: Sheet, kind: str, path: Path | None, stem: str) -> None:
    """Write a file, and name who is not in it."""
    if path is None:
        _, ending = platforms.FORMATS[kind]
        folder = sheet.course.records / sheet.module.name / "exports"
        path = folder / f"{stem}-{kind}{ending}"
        folder.mkdir(parents=True, exist_ok=True)
    written = platforms.write(kind, sheet, path)
    for student, reason in written.left_out.items():
        print_line(f"left out: {student}: {reason}")
    if written.warning:
        print_line(f"warning: {written.warning}")
    print_line(f"{written.students} students: {written.path}")


def _show(course: Course, modules: list[Module], rows: list[Row]) -> None:
    """Print the table."""
    for number, (name, points) in enumerate(rows[0].maxima.items() if rows else (), start=1):
        print_line(f"{number:5} {name} ({points:g})")
    if rows:
        print_line(f"total of {rows[0].max:g}")
    console.print()
    console.print(_table(rows))
    console.print()
    _print_notes(rows)
    for module in modules:
        of_class = classmates.load(course, module).flag_of_class()
        if of_class:
            print_line(of_class)
        if of_class or any(row.flags for row in rows):
            page = evidence.page_of(course, module).relative_to(course.root)
            print_line(f"evidence: {page}")
        folder = f"{course.feedback.relative_to(course.root)}/STUDENT/{module.name}"
        print_line(f"feedback: {folder}/{module.notebook}.html")


def _table(rows: list[Row]) -> Table:
    """Make the table of marks; its columns are numbered, since cells have long names."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("student", overflow="fold")  # a long id gives way, before the marks do
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
    if row.status == "missing":
        return "-"
    if points is None:
        return "?" if name in row.needs_manual else "-"
    return f"{points:g}"


def _total(row: Row) -> str:
    """Return the total so far: with a question mark where somebody must still mark an answer."""
    if row.status == "missing":
        return "missing"
    if all(points is None for points in row.points.values()):
        return "-"
    return f"{row.total:g}{'+?' if row.needs_manual else ''}"


def _notes(row: Row) -> list[str]:
    """Return why a row has no mark, and its flags."""
    return [*([f"not graded: {row.reason}"] if row.reason else []), *row.flags]


def _print_notes(rows: list[Row]) -> None:
    """Show reasons and flags below the table: they are sentences, not numbers."""
    waiting: dict[str, list[str]] = {}
    for row in rows:
        if row.status == "not graded":
            earlier = row.reason.startswith(EARLIER)
            waiting.setdefault(EARLIER if earlier else "not graded yet", []).append(row.student)
    for what, students in waiting.items():
        print_line(f"{len(students)} {what}: {', '.join(students)}")
    for row in rows:
        if row.extension:
            days = row.extension / timedelta(days=1)
            print_line(f"{row.student}: has {days:g} day{'' if days == 1 else 's'} more")
        if row.penalty and row.status != "not graded":
            print_line(f"{row.student}: late, which costs {row.penalty:g} points")
        for note in _notes(row) if row.status != "not graded" else row.flags:
            print_line(f"{row.student}: {note}")
