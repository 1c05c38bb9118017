"""Names: a demonstration must not take one that the course's own cells rely on.

All cells share one namespace, and students run them again in any order: a loop variable of a
picture that has the name of a function makes another cell fail, far away from its cause.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from nbformat import NotebookNode

from tito.authoring.rules.each_cell import Fault, Kind, id_of, kind_of, parsed
from tito.student.scopes import Scope, scope_of


def faults(notebook: NotebookNode) -> Iterator[Fault]:
    """Look for what demonstrations bind and locked, exported, solution or graded cells rely on."""
    users: dict[str, NotebookNode] = {}
    imported: dict[str, set[str]] = defaultdict(set)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    demonstrations = [cell for cell in code if _is_demonstration(cell)]
    for cell in code:
        if cell not in demonstrations:
            for name in sorted(_relied_on(cell)):
                users.setdefault(name, cell)
            for name, origin in _imports(cell):
                imported[name].add(origin)
    for cell in demonstrations:
        same = {name for name, origin in _imports(cell) if imported[name] == {origin}}
        for name in sorted(_scope(cell).bound - same):
            if name in users:
                user = id_of(users[name])
                yield Fault(cell, f"binds {name!r}, which {user} relies on; give it another name")


def _is_demonstration(cell: NotebookNode) -> bool:
    return kind_of(cell) is Kind.PLAIN and not cell.source.startswith("#| export")


def _scope(cell: NotebookNode) -> Scope:
    return scope_of(ast.unparse(parsed(cell)))


def _relied_on(cell: NotebookNode) -> set[str]:
    """Return the names that must stay what they are for a cell, and for what it defines.

    What runs at once reads what the cell itself has just bound; what it defines reads its names
    whenever it is called.
    """
    scope = _scope(cell)
    given = {name for name, _ in _imports(cell)}
    given |= {node.name for node in parsed(cell).body if isinstance(node, _DEFINITIONS)}
    return given | scope.later | (scope.at_once - scope.bound)


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _imports(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    """Give the names that a cell imports, and what they stand for."""
    for node in ast.walk(parsed(cell)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (root, root)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"
