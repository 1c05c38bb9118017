"""`tito status`: where each module stands."""

from __future__ import annotations

import click
from rich.table import Table

from tinytorch.tito import status
from tinytorch.tito.commands._shared import console
from tinytorch.tito.course import Course


@click.command("status")
def command() -> None:
    """Show for each module what is exported, released, submitted, graded and sent back."""
    table = Table(box=None, pad_edge=False)
    for name in ("module", "exported", "released", "submitted", "graded", "by hand", "feedback"):
        table.add_column(name, justify="left" if name == "module" else "right")
    for row in status.modules(Course.find()):
        table.add_row(
            row.module,
            row.exported,
            row.released,
            *(str(n) for n in (row.submitted, row.graded, row.to_grade_by_hand, row.feedback)),
        )
    console.print(table)
