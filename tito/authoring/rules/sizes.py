"""How much a cell may hold: one idea, on one screen.

The style guide's aims are lower (160 words, 15 and 40 lines); these are the limits
past which a cell is two cells.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbformat import NotebookNode

from tito.authoring.rules.each_cell import REGION, Fault, Kind, functions, kind_of, parsed

WORDS = 200
DEMONSTRATION = 30
GRADED = 25
#: Lines of a function, docstring included, by the kind of cell it stands in.
FUNCTION = {Kind.SOLUTION: 80}


def faults(notebook: NotebookNode) -> Iterator[Fault]:
    """Measure every cell; rubrics and model answers are not counted, students never see them."""
    for cell in notebook.cells:
        kind = kind_of(cell)
        if cell.cell_type == "markdown":
            words = len(REGION.sub("", cell.source).split())
            if words > WORDS:
                yield Fault(cell, f"{words} words of text; at most {WORDS} in a cell")
        elif kind is Kind.PLAIN and not cell.source.startswith("#| export"):
            lines = len(cell.source.split("\n"))
            if lines > DEMONSTRATION:
                yield Fault(cell, f"{lines} lines of demonstration; at most {DEMONSTRATION}")
        elif kind is Kind.GRADED:
            lines = len(cell.source.split("\n"))
            if lines > GRADED:
                text = (
                    f"{lines} lines; at most {GRADED} in a graded cell: its parts stand in modules"
                )
                yield Fault(cell, text)
        elif kind in FUNCTION:
            for name, node in functions(parsed(cell)):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION[kind]:
                    yield Fault(cell, f"{name}: {lines} lines; at most {FUNCTION[kind]}")
