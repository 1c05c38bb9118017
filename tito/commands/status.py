"""`tito status`: where each module stands."""

from __future__ import annotations

import click
from rich.table import Table

from tito.commands._shared import console
from tito.course import Course
from tito.gradebook import status
from tito.gradebook.records import EARLIER


@click.command("status")
def command() -> None:
    """Show for each module what is exported, released, submitted, graded and sent back.

    Counts are of students. Below the table stand the submissions that are newer than their mark,
    the marks that an earlier release gave, and the pages that are older than their mark.
    """
    rows = status.modules(Course.find())
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("module", overflow="fold")
    for name in ("exported", "released", "submitted", "graded", "failed", "by hand", "sent back"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        counts = (row.submitted, row.graded, row.failed, row.to_grade_by_hand, row.feedback)
        table.add_row(row.module, row.exported, row.released, *map(str, counts))
    console.print(table)
    for row in rows:
        for count, what in (
            (row.earlier, f"{EARLIER}: run 'tito grade"),
            (row.changed, "changed since they were graded: run 'tito grade"),
            (row.old_feedback, "have a page that is older than their mark: run 'tito feedback"),
        ):
            if count:
                console.print(f"{row.module}: {count} {what} {row.module}'", soft_wrap=True)
