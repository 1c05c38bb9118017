"""Which cells of a notebook others depend on, by the names that they define and use.

Nothing is run for it. Where a cell does more than define, anything may depend on it.
"""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tinytorch.tito.student.notebook import Cell

_MAGIC = re.compile(r"^([ \t]*)[%!?].*$", re.MULTILINE)
_DEFINING = (
    *(ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
    *(ast.Assign, ast.AnnAssign, ast.Pass),
)


@dataclass(frozen=True)
class Names:
    """The names of one cell.

    Attributes
    ----------
    defined, used : frozenset of str
        Of the notebook's own namespace.
    acts : bool
        Whether the cell does more than define names.
    """

    defined: frozenset[str]
    used: frozenset[str]
    acts: bool


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
def names_of(source: str, main: bool) -> Names:
    """Return the names of a cell.

    Parameters
    ----------
    source : str
        Its text.
    main : bool
        Whether what stands under ``if __name__ == "__main__":`` runs, too.
    """
    code = without_magics(source)
    try:
        body = ast.parse(code).body
        blocks = [node for node in body if _is_main(node)]
        rest = [node for node in body if node not in blocks]
        kept = ast.unparse(ast.Module(body=body if main else rest, type_ignores=[]))
        table = symtable.symtable(kept, "cell", "exec")
    except (SyntaxError, ValueError, RecursionError):  # it defines nothing, and fails
        return Names(frozenset(), frozenset(), acts=False)
    defined = {name.get_name() for name in table.get_symbols() if _is_bound(name)}
    acts = code != source or not all(_defines(node) for node in rest)
    return Names(frozenset(defined), frozenset(_used(table)), acts)


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


def _defines(node: ast.stmt) -> bool:
    """Whether a statement only gives names to something."""
    if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
        return False
    if isinstance(node, ast.Assign):
        return all(isinstance(target, (ast.Name, ast.Tuple)) for target in node.targets)
    if isinstance(node, ast.Expr):  # a docstring, or a lone value
        return isinstance(node.value, ast.Constant)
    return isinstance(node, _DEFINING)


def _is_bound(name: symtable.Symbol) -> bool:
    return name.is_assigned() or name.is_imported() or name.is_namespace()


def _used(table: symtable.SymbolTable) -> Iterator[str]:
    """Give the names that a cell reads from the notebook, in its functions and classes too."""
    top = table.get_type() == "module"
    for name in table.get_symbols():
        if name.is_referenced() and (top or name.is_global()):
            yield name.get_name()
    for inner in table.get_children():
        yield from _used(inner)


def needed(cells: Sequence[Cell], wanted: Sequence[Cell], *, main: bool) -> set[int]:
    """Return the indices of the code cells that some of them depend on, with theirs.

    Parameters
    ----------
    cells, wanted : sequence of Cell
        The notebook, and those of its cells that are asked about.
    main : bool
        As in :func:`names_of`.
    """
    names = {i: names_of(c.source, main) for i, c in enumerate(cells) if c.kind == "code"}
    waiting = [number for number in names if cells[number] in wanted]
    found: set[int] = set()
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            used = names[number].used
            waiting += [other for other in names if names[other].defined & used]
    return found


def affected(before: Sequence[Cell], after: Sequence[Cell]) -> set[str]:
    """Return the graded cells that depend on what differs between two states of a notebook.

    Parameters
    ----------
    before, after : sequence of Cell
        The cells in their order.

    Returns
    -------
    set of str
        Names of graded cells, all of them where a cell that differs does more than define.
    """
    graded = {cell.name for cell in after if cell.checks}
    old, new = ([_key(cell) for cell in cells if cell.kind == "code"] for cells in (before, after))
    changed = set(old) ^ set(new)
    if [key for key in old if key not in changed] != [key for key in new if key not in changed]:
        return graded  # another order
    if any(names_of(source, main=False).acts for _, source in changed):
        return graded
    found = {
        cell.name
        for cells in (before, after)
        for cell in cells
        if cell.checks
        and any(_key(cells[i]) in changed for i in needed(cells, [cell], main=False))
    }
    return found & graded


def _key(cell: Cell) -> tuple[str | None, str]:
    return cell.grade_id, cell.source
