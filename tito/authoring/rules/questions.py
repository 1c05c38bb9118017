"""Written questions: a prompt with its rubric, and the cell that is answered in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from nbformat import NotebookNode

from tito.authoring.rules.each_cell import REGION, Fault, Kind, id_of, kind_of

_ITEM = re.compile(r"^- \*\*(\d+) points?\b", re.MULTILINE)


def faults(notebook: NotebookNode) -> Iterator[Fault]:
    """Look at every written answer and at the prompt directly above it."""
    for above, cell in pairwise([None, *notebook.cells, None]):
        if cell is not None and kind_of(cell) is Kind.ANSWER:
            yield from _answer_faults(cell, above)
        elif above is not None and _rubric(above) is not None:
            yield Fault(above, "a rubric stands directly above the answer that it is for")


def _answer_faults(cell: NotebookNode, above: NotebookNode | None) -> Iterator[Fault]:
    if not any(match["body"].strip() for match in REGION.finditer(cell.source)):
        yield Fault(cell, "an answer needs a model answer in a solution region, for the graders")
    if REGION.sub("", cell.source).strip():
        yield Fault(cell, "text outside the solution region would appear in every answer")
    rubric = None if above is None else _rubric(above)
    if above is None or rubric is None:
        yield Fault(cell, "a locked prompt with a MARK SCHEME region must stand directly above")
        return
    worth = [int(points) for points in _ITEM.findall(rubric)]
    points = cell.metadata.nbgrader.get("points")
    if sum(worth) != points:
        yield Fault(
            cell,
            f"the rubric of {id_of(above)} must add up to {points!r} points, got {worth}; "
            "an item begins with '- **3 points, ...'",
        )


def _rubric(cell: NotebookNode) -> str | None:
    for match in REGION.finditer(cell.source):
        if match["kind"] == "MARK SCHEME" and kind_of(cell) is Kind.LOCKED:
            return match["body"]
    return None
