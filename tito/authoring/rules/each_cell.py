"""What a cell is: its name, its kind, and the regions between markers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from nbformat import NotebookNode

#: What nbgrader looks for, anywhere in a line.
MARKERS = re.compile(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)")
_BEGIN, _END = r"^\s*### BEGIN {}\s*$", r"^\s*### END {}\s*$"
#: A region as a source may have it: its markers alone on their lines.
REGION = re.compile(
    _BEGIN.format("(?P<kind>SOLUTION|MARK SCHEME)") + "(?P<body>.*?)" + _END.format("(?P=kind)"),
    re.MULTILINE | re.DOTALL,
)
#: The lines around a solution.
BEGIN_SOLUTION = re.compile(_BEGIN.format("SOLUTION"))
END_SOLUTION = re.compile(_END.format("SOLUTION"))
_COMMENT = re.compile(r"^\s*#(?!\|)")


class Kind(Enum):
    """The kinds of cells that a source is made of."""

    PLAIN = "plain"
    LOCKED = "locked"
    SOLUTION = "solution"
    GRADED = "graded"
    ANSWER = "answer"
    NONE = "none of these"


#: Kinds of cells with nbgrader metadata, by cell type, grade, solution, locked.
KINDS = {
    ("code", False, False, True): Kind.LOCKED,
    ("markdown", False, False, True): Kind.LOCKED,
    ("code", False, True, False): Kind.SOLUTION,
    ("code", True, False, True): Kind.GRADED,
    ("markdown", True, True, False): Kind.ANSWER,
}


class Fault(NamedTuple):
    """A rule that is broken, and the cell that breaks it; None where it is the whole source."""

    cell: NotebookNode | None
    text: str


def id_of(cell: NotebookNode) -> str:
    """Return what to call a cell: its grade_id, or its id, which tells its position."""
    return cell.metadata.get("nbgrader", {}).get("grade_id") or str(cell.get("id"))


def kind_of(cell: NotebookNode) -> Kind:
    """Return what a cell is for."""
    meta = cell.metadata.get("nbgrader")
    if meta is None:
        return Kind.PLAIN
    flags = (bool(meta.get(key)) for key in ("grade", "solution", "locked"))
    return KINDS.get((cell.cell_type, *flags), Kind.NONE)


def of_kind(notebook: NotebookNode, *kinds: Kind) -> list[NotebookNode]:
    """Return the cells of some kinds, in the order of the notebook."""
    return [cell for cell in notebook.cells if kind_of(cell) in kinds]


def parsed(cell: NotebookNode) -> ast.Module:
    """Return the syntax tree of a code cell; empty if it is no Python (another rule's matter)."""
    try:
        return ast.parse(cell.source)
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


def comment_above(lines: list[str], number: int) -> int:
    """Return where the comment block directly above a line begins: its own number if none does."""
    while number and _COMMENT.match(lines[number - 1]):
        number -= 1
    return number


def function_around(tree: ast.AST, line: int) -> tuple[str, ast.FunctionDef | None]:
    """Return the function that a line stands in, comments at its end included."""
    for name, node in functions(tree):
        if node.lineno <= line <= (node.end_lineno or node.lineno) + 1:
            return name, node
    return "", None


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield the functions of a cell with their dotted names, methods included."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield prefix + node.name, node
        if isinstance(node, ast.ClassDef):
            yield from functions(node, f"{prefix}{node.name}.")
