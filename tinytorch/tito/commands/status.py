"""`tito status`: where each module stands."""

from __future__ import annotations

import click
from rich.table import Table

from tinytorch.tito import status
from tinytorch.tito.commands._shared import console
from tinytorch.tito.course import Course
from tinytorch.tito.grading.releases import EARLIER


@click.command("status")
def command() -> None:
    """Show for each module what is exported, released, submitted, graded and sent back.

    Counts are of students. "Changed" are submissions that are newer than their mark; "outdated"
    are pages that are older than it. Marks that an earlier release gave are named below.
    """
    names = "module exported released submitted graded failed by-hand sent-back".split()
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(
            name.replace("-", " "), justify="left" if name == "module" else "right", no_wrap=True
        )
    rows = status.modules(Course.find())
    for row in rows:
        table.add_row(
            *(row.module, row.exported, row.released, str(row.submitted)),
            _with(row.graded, row.changed, "changed"),
            *(str(row.failed), str(row.to_grade_by_hand)),
            _with(row.feedback, row.old_feedback, "outdated"),
        )
    console.print(table)
    for row in rows:
        if row.earlier:
            told = f"{row.earlier} {EARLIER}: run 'tito grade {row.module}'"
            console.print(f"{row.module}: {told}", markup=False, soft_wrap=True)


def _with(count: int, some: int, what: str) -> str:
    """Write a number, and how many of these need attention."""
    return f"{count} ({some} {what})" if some else str(count)
