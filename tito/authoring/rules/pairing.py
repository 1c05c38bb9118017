"""Solution cells and graded cells belong together."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbformat import NotebookNode

from tito.authoring.rules.each_cell import Fault, Kind, id_of, kind_of, of_kind, parsed
from tito.authoring.rules.regions import defined_by


def faults(notebook: NotebookNode) -> Iterator[Fault]:
    """Look for solutions that nothing grades, and graded cells that grade no solution."""
    yield from _untested(notebook)
    cells = of_kind(notebook, Kind.SOLUTION, Kind.GRADED)
    defined: set[str] = set()
    for position, cell in enumerate(cells):
        if kind_of(cell) is Kind.SOLUTION:
            following = cells[position + 1 : position + 2]
            if not following or kind_of(following[0]) is not Kind.GRADED:
                yield Fault(cell, "a graded cell must follow before the next solution cell")
            if not defined_by(cell):
                yield Fault(cell, "a solution cell defines a public function or class")
            defined |= defined_by(cell)
        elif not defined & _names_in(cell):
            yield Fault(cell, "a graded cell must use what a solution cell above it defines")


def _untested(notebook: NotebookNode) -> Iterator[Fault]:
    used: set[str] = set()
    for cell in reversed(of_kind(notebook, Kind.SOLUTION, Kind.GRADED)):
        if kind_of(cell) is Kind.GRADED:
            used |= _names_in(cell)
        elif defined_by(cell) - used:
            names = ", ".join(sorted(defined_by(cell) - used))
            yield Fault(cell, f"no graded cell after {id_of(cell)} uses {names}")


def _names_in(cell: NotebookNode) -> set[str]:
    return {node.id for node in ast.walk(parsed(cell)) if isinstance(node, ast.Name)}
