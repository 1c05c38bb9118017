"""Regions between markers: where they may stand, and what a student reads in their place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nbformat import NotebookNode

from tito.authoring.rules.each_cell import (
    BEGIN_SOLUTION,
    MARKERS,
    REGION,
    Fault,
    Kind,
    comment_above,
    function_around,
    kind_of,
)

_TODO = re.compile(r"^\s*# TODO: \S")
_HINT = re.compile(r"^\s*# Hint\b")
_MOST_HINTS = 2


def faults(notebook: NotebookNode) -> Iterator[Fault]:
    """Look at the markers of every cell."""
    for cell in notebook.cells:
        yield from _marker_faults(cell)
        yield from _place_faults(cell)
        if kind_of(cell) is Kind.SOLUTION:
            yield from _solution_faults(cell)


def _marker_faults(cell: NotebookNode) -> Iterator[Fault]:
    """Find markers that nbgrader would take for real although they are not, or are unpaired."""
    for match in MARKERS.finditer(REGION.sub("", cell.source)):
        yield Fault(cell, f"stray marker {match[0]!r}; nbgrader matches it anywhere")


def _place_faults(cell: NotebookNode) -> Iterator[Fault]:
    allowed = {
        Kind.SOLUTION: {"SOLUTION"},
        Kind.ANSWER: {"SOLUTION"},
        Kind.LOCKED: {"MARK SCHEME"} if cell.cell_type == "markdown" else set(),
    }.get(kind_of(cell), set())
    for match in REGION.finditer(cell.source):
        if match["kind"] not in allowed:
            place = {
                "SOLUTION": "a solution cell or an answer",
                "MARK SCHEME": "a locked markdown cell",
            }[match["kind"]]
            yield Fault(cell, f"a {match['kind']} region belongs in {place}")


def _solution_faults(cell: NotebookNode) -> Iterator[Fault]:
    lines = cell.source.split("\n")
    if not cell.source.startswith("#| export\n"):
        yield Fault(cell, "a solution cell begins with '#| export'")
    begins = [number for number, line in enumerate(lines) if BEGIN_SOLUTION.match(line)]
    if not begins:
        yield Fault(cell, "a solution cell needs a solution region; nbgrader would empty it")
    try:
        tree = ast.parse(cell.source)
    except SyntaxError as error:
        yield Fault(cell, f"is not valid Python, line {error.lineno}: {error.msg}")
        return
    for begin in begins:
        yield from _region_faults(cell, tree, lines, begin)


def _region_faults(
    cell: NotebookNode, tree: ast.Module, lines: list[str], begin: int
) -> Iterator[Fault]:
    """Look at one region: inside a documented function, with a TODO that says what to do."""
    name, function = function_around(tree, begin + 1)
    where = name or f"line {begin + 1} of the cell"
    if function is None:
        yield Fault(cell, f"{where}: a solution region must be in a function, whose stub raises")
    elif ast.get_docstring(function) is None and function.name != "__init__":
        yield Fault(cell, f"{where}: a function to write needs a docstring that states all rules")
    comment = lines[comment_above(lines, begin) : begin]
    if not any(_TODO.match(line) for line in comment):
        yield Fault(cell, f"{where}: a comment '# TODO: ...' must stand directly above the region")
    if sum(bool(_HINT.match(line)) for line in comment) > _MOST_HINTS:
        yield Fault(cell, f"{where}: at most {_MOST_HINTS} hints")
