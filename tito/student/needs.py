"""Which statements of a notebook others depend on, by the names that they define and use.

Nothing is run for it. Where a statement does more than define, anything may depend on it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from tito.student.notebook import Cell
from tito.student.scopes import is_main, scope_of

_MAGIC = re.compile(r"^([ \t]*)[%!?].*$", re.MULTILINE)
_DEFINING = (
    *(ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
    *(ast.Assign, ast.AnnAssign, ast.Pass),
)


@dataclass(frozen=True)
class Statement:
    """A statement of a cell, outside of every function and class."""

    text: str  # without comments and layout
    defined: frozenset[str]
    used: frozenset[str]
    acts: bool  # whether it does more than define names


def without_magics(source: str) -> str:
    """Take the lines that only IPython understands out of a cell, if it has any."""
    try:
        ast.parse(source)
    except SyntaxError:
        if source.lstrip().startswith("%%"):
            return ""
        return _MAGIC.sub(r"\1pass", source)
    return source


@lru_cache(maxsize=1000)
def statements(source: str, main: bool) -> tuple[Statement, ...]:
    """Return the statements of a cell; of one that is no valid Python, which defines nothing, none.

    What stands under ``if __name__ == "__main__":`` counts where `main` is true.
    """
    try:
        body = ast.parse(without_magics(source)).body
        return tuple(_statement(node) for node in body if main or not is_main(node))
    except (SyntaxError, ValueError, RecursionError):
        return ()


def only_defines(source: str) -> bool:
    """Whether a cell does nothing but define names and, under ``__main__``, show things."""
    plain = without_magics(source) == source
    return plain and not any(statement.acts for statement in statements(source, main=False))


def _statement(node: ast.stmt) -> Statement:
    text = ast.unparse(node)
    scope = scope_of(text)
    return Statement(text, scope.bound, scope.read, not _defines(node))


def _defines(node: ast.stmt) -> bool:
    """Whether a statement only gives names to something."""
    if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
        return False
    if isinstance(node, ast.Assign):
        return all(isinstance(target, (ast.Name, ast.Tuple)) for target in node.targets)
    if isinstance(node, ast.Expr):  # a docstring, or a lone value
        return isinstance(node.value, ast.Constant)
    return isinstance(node, _DEFINING) or is_main(node)


def needed(cells: Sequence[Cell], wanted: int, *, main: bool) -> set[tuple[int, int]]:
    """Return the statements that a cell depends on where cells run in their order, its own too.

    The cell is given by its index, a statement by the index of its cell and its own in there;
    `main` is as in :func:`statements`.
    """
    known = {
        (i, j): statement
        for i, cell in enumerate(cells[: wanted + 1])
        if cell.kind == "code"
        for j, statement in enumerate(statements(cell.source, main))
    }
    definers: dict[str, list[tuple[int, int]]] = {}
    for place, statement in known.items():
        for name in statement.defined:
            definers.setdefault(name, []).append(place)
    waiting = [place for place in known if place[0] == wanted]
    needed_places: set[tuple[int, int]] = set()
    while waiting:
        place = waiting.pop()
        if place not in needed_places:
            needed_places.add(place)
            waiting += [other for name in known[place].used for other in definers.get(name, ())]
    return needed_places


def affected(before: Sequence[Cell], after: Sequence[Cell]) -> set[str]:
    """Name the graded cells that depend on what differs between two states of a notebook.

    They are all of them where a cell that differs does more than define.
    """
    graded = {cell.name for cell in after if cell.checks}
    old, new = (
        [s for cell in cells if cell.kind == "code" for s in statements(cell.source, main=False)]
        for cells in (before, after)
    )
    changed = set(old) ^ set(new)
    if [s for s in old if s not in changed] != [s for s in new if s not in changed]:
        return graded  # another order
    if any(statement.acts for statement in changed):
        return graded
    dependent = {
        cell.name
        for cells in (before, after)
        for number, cell in enumerate(cells)
        if cell.checks
        and any(
            statements(cells[i].source, False)[j] in changed
            for i, j in needed(cells, number, main=False)
        )
    }
    return dependent & graded
