"""`tito test`: the graded checks of a notebook, part by part."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from tinytorch.checks import Report
from tinytorch.tito import testing
from tinytorch.tito.commands._shared import console, notebook_option, pass_module
from tinytorch.tito.course import Course, Module


@click.command("test")
@pass_module
@notebook_option
def command(module: Module, notebook: Path | None) -> None:
    """Run the checks of MODULE on its source, or on a student's notebook.

    Exits with 1 while a part that counts does not hold.
    """
    with console.status("running the notebook"):
        result = testing.run_checks(Course.find(), module, notebook)
    for report in result.reports:
        _show(report)
    for failure in result.failures:
        console.print(f"[red]{escape(failure)}[/red]", soft_wrap=True)
    earned = sum(report.earned for report in result.reports)
    points = sum(report.points for report in result.reports)
    if points:
        console.print(f"{earned} of {points} points")
    else:
        console.print(
            f"{module.name}: every cell ran" if result.passed else f"{module.name}: failed"
        )
    sys.exit(0 if result.passed else 1)


def _show(report: Report) -> None:
    if all(part.unfinished for part in report.parts):
        todo = report.parts[0].details()[0][1]
        console.print(f"{report.grade_id}: 0 of {report.points}  {todo}", markup=False)
        return
    table = Table(title=f"{report.grade_id}: {report.earned} of {report.points}", box=None)
    table.title_justify = "left"
    for name in ("", "points", "behaviour"):
        table.add_column(name, overflow="fold")
    for part in report.parts:
        colour = "green" if part.problem is None else "yellow" if part.unfinished else "red"
        details = "".join(f"\n{name}: {text}" for name, text in part.details())
        table.add_row(f"[{colour}]{part.mark}[/{colour}]", part.score, escape(part.title + details))
    console.print(table)
