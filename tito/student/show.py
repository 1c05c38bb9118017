"""What the commands of students and of the course print, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from tinytorch.checks import Report
from tinytorch.checks.report import PartVerdict
from tito.errors import TitoError
from tito.student.testing import Result
from tito.text import printable

if TYPE_CHECKING:
    from tito.student.export import Exported
    from tito.student.submit import HandIn


class _Console(Console):
    """A console that shows names and texts of others escaped, whatever prints them."""

    def render_str(self, text: str, **how: Any) -> Text:
        """Make a text of what is to be printed, and of what stands in a table."""
        return super().render_str(printable(text, keep=_KEPT), **how)


console = _Console(highlight=False)

_COLOURS = {"ok": "green", "todo": "yellow", "no": "red", "note": "yellow"}

#: Our own texts have several lines.
_KEPT = "\n\t"
_LOOK = "Look at the path, at its permissions and at the room on its disk, and try again."


def say(text: str) -> None:
    """Print a line to the standard error."""
    click.echo(f"tito: {printable(text, keep=_KEPT)}", err=True)


def run(command: click.Command) -> None:
    """Run a command line; exit with 0 (done), 1 (the work failed) or 2 (wrong use)."""
    try:
        command()
    except TitoError as error:
        say(str(error))
        sys.exit(error.exit_code)
    except OSError as error:
        # Wherever a command reads or writes: the path is the user's, or the machine is in the way.
        reason = error.strerror or str(error)
        where = f"{error.filename}: " if error.filename else ""
        say(f"{where}{reason}. {_LOOK}")
        sys.exit(1)


def show_result(
    result: Result, every: bool = False, checked: Collection[str] | None = None
) -> None:
    """Print what failed of a notebook, which may explain the rest, and its reports.

    With `every`, the parts of a cell in which all hold are listed, too. Where it is known which
    graded cells were `checked`, the others are only counted.
    """
    for failure in result.failures:
        console.print(f"[red]failed[/red]  {escape(failure)}", soft_wrap=True)
    for report in result.reports:
        if checked is None or report.grade_id in checked:
            _show_report(report, every)
    if checked is not None and not checked:
        console.print("nothing that is checked depends on what has changed")
    if not result.passed:
        for note in result.notes:
            console.print(f"[yellow]note[/yellow]    {escape(note)}", soft_wrap=True)
    points = sum(report.points for report in result.reports)
    if points:
        earned = sum(report.earned for report in result.reports)
        console.print(f"{earned} of {points} points")


def show_export(exported: Exported) -> None:
    """Print what an export made."""
    for module, path in exported.files.items():
        console.print(f"{module}: {path}", markup=False, soft_wrap=True)
    for line in exported.unfinished:
        console.print(f"  {line}", markup=False, soft_wrap=True)


def show_hand_in(hand_in: HandIn) -> None:
    """Print what is ready to be handed in, and what to look at first."""
    for warning in hand_in.warnings:
        console.print(f"[yellow]look at[/yellow]  {escape(warning)}", soft_wrap=True)
    if not hand_in.warnings:
        console.print("nothing is missing, and what is graded runs from top to bottom")
    reports = hand_in.result.reports
    earned, points = (sum(getattr(r, name) for r in reports) for name in ("earned", "points"))
    console.print(f"{earned} of {points} points by machine, on the public inputs")
    console.print(f"hand in: {hand_in.path}", markup=False, soft_wrap=True)
    console.print(f"SHA-256: {hand_in.digest}", style="dim")


def _show_report(report: Report, every: bool) -> None:
    head = f"{report.grade_id}: {report.earned} of {report.points}"
    states = {part.mark for part in report.parts}
    if states == {"ok"} and not every:
        count = len(report.parts)
        console.print(f"[green]{'ok':<6}[/green]{head}  [dim]all {count} parts hold[/dim]")
        return
    if states == {"todo"} and not every:
        todo = report.parts[0].details()[0][1]
        console.print(f"[yellow]{'todo':<6}[/yellow]{head}  {escape(todo)}", soft_wrap=True)
        return
    parts = list(report.explained())
    if len(parts) == 1 and parts[0][0].missing:
        console.print(f"[red]{'no':<6}[/red]{head}  {escape(parts[0][0].title)}", soft_wrap=True)
        return
    worst = "no" if "no" in states else "todo" if "todo" in states else "ok"
    console.print(f"[{_COLOURS[worst]}]{worst:<6}[/]{head}")
    for part, details in parts:
        _show_part(part, details)


def _show_part(part: PartVerdict, details: list[tuple[str, str]]) -> None:
    colour = _COLOURS[part.mark]
    _print_row(f"  [{colour}]{part.mark:<4}[/]", f"{part.score:>4}", escape(part.title))
    for name, text in details:
        _print_row(" " * 12, f"[dim]{name:<8}[/]", escape(text))


def _print_row(*texts: str) -> None:
    """Print texts side by side; a long one is continued below itself."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_row(*texts)
    console.print(grid)
