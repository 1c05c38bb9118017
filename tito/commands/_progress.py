"""How far a long command has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tito.commands._shared import console


@contextmanager
def progress(doing: str) -> Iterator[Callable[[int, int, str], None]]:
    """Show a bar while the block runs; call what it gives with (done, total, student)."""
    bar = Progress(
        TextColumn(f"{doing} {{task.fields[student]}}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,  # what the command says in the end stays
    )
    with bar:
        task = bar.add_task(doing, total=None, student="")

        def show(done: int, total: int, student: str) -> None:
            bar.update(task, completed=done, total=total, student=student)

        yield show
