"""Which names a piece of a notebook binds in it, and which it reads from it."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator
from dataclasses import dataclass

#: What Python names the tables of comprehensions, which run where they stand.
_COMPREHENSIONS = {"listcomp", "setcomp", "dictcomp", "genexpr"}


@dataclass(frozen=True)
class Scope:
    """The names of a piece of source.

    Attributes
    ----------
    bound : frozenset of str
        Assigned, imported, defined or deleted, by functions that declare them global too.
    at_once : frozenset of str
        Read from the notebook while the source runs.
    later : frozenset of str
        Read by the functions that it defines, whenever they are called.
    """

    bound: frozenset[str]
    at_once: frozenset[str]
    later: frozenset[str]

    @property
    def read(self) -> frozenset[str]:
        """All names that are read, at once or later."""
        return self.at_once | self.later


def scope_of(source: str) -> Scope:
    """Return the names of Python source.

    Raises
    ------
    SyntaxError
        If it is none.
    """
    table = symtable.symtable(source, "cell", "exec")
    at_once, later = _read(table, at_once=True)
    return Scope(frozenset(_bound(table)), frozenset(at_once), frozenset(later))


def is_main(node: ast.stmt) -> bool:
    """Whether a statement is ``if __name__ == "__main__":``."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


def _bound(table: symtable.SymbolTable) -> Iterator[str]:
    top = table.get_type() == "module"
    for name in table.get_symbols():
        binds = name.is_assigned() or name.is_imported() or name.is_namespace()
        if binds and (top or name.is_global()):
            yield name.get_name()
    for inner in table.get_children():
        yield from _bound(inner)


def _read(table: symtable.SymbolTable, at_once: bool) -> tuple[set[str], set[str]]:
    """Return what a scope and those in it read from the notebook: at once, and when called."""
    top = table.get_type() == "module"
    in_class = table.get_type() == "class"  # its own names are looked up in the notebook too
    names = {
        name.get_name()
        for name in table.get_symbols()
        if name.is_referenced() and (top or name.is_global() or in_class)
    }
    now, later = (names, set()) if at_once else (set(), names)
    for inner in table.get_children():
        runs_here = inner.get_type() == "class" or inner.get_name() in _COMPREHENSIONS
        found = _read(inner, at_once and runs_here)
        now, later = now | found[0], later | found[1]
    return now, later
