"""What the names in a cell stand for, as far as its text tells."""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from tito.flags.rules import BUILTINS

#: Characters of a full name: where each cell's name is an attribute of the one before, they add up.
_LONGEST_NAME = 500


@dataclass
class Scope:
    """What names stand for: full names of what is imported, and the student's own names."""

    imported: dict[str, str] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)

    def inside(self, tree: ast.Module) -> Scope:
        """Return the scope of a cell: its own names hide those of other cells."""
        here = dict(imports(tree))
        stored = Counter(bound(tree))
        hidden = {name: full for name, full in self.imported.items() if name not in stored}
        scope = Scope({**hidden, **here}, self.own | stored.keys())
        whole = Scope({**self.imported, **here}, self.own - stored.keys())
        aliases: Counter[str] = Counter()
        for node in nodes_of(tree):  # as in t = np.testing
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                target, full = node.targets[0], whole.resolve(node.value)
                if isinstance(target, ast.Name) and full:
                    aliases[target.id] += 1
                    whole.imported[target.id] = full
        only = [name for name, count in aliases.items() if count == stored[name]]
        scope.imported.update({name: whole.imported[name] for name in only})
        return scope

    def resolve(self, node: ast.AST) -> str | None:
        """Return the full name of a dotted name; None if it is not that of an import."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        root = self.imported.get(node.id)
        if root is None and node.id not in self.own and node.id in BUILTINS:
            root = f"builtins.{node.id}"
        if root is None:
            return None
        return ".".join([root, *reversed(parts)])[:_LONGEST_NAME]


def parse_python(source: str) -> ast.Module:
    """Parse a source without the warnings that a student's backslashes would cause."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


@lru_cache(maxsize=64)
def nodes_of(tree: ast.AST) -> tuple[ast.AST, ...]:
    """Return the nodes of a tree, which several looks at a cell then need not walk again."""
    nodes = [tree]
    for node in nodes:  # in the order of ast.walk, in half the time
        for name in node._fields:
            value = getattr(node, name, None)
            for item in value if isinstance(value, list) else (value,):
                if isinstance(item, ast.AST):
                    nodes.append(item)
    return tuple(nodes)


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Give the names that imports bind, and the full names of what they are."""
    for node in nodes_of(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (root, root)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module or ''}.{alias.name}"


def bound(tree: ast.AST) -> Iterator[str]:
    """Give the names that are bound anywhere other than by an import, once for each time."""
    for node in nodes_of(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name


def definitions(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """Give the names that a cell leaves behind, imports excepted, and the statements."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, ast.Assign):
            for name in bound(ast.Tuple(node.targets)):
                yield name, node
        else:
            children = ast.iter_child_nodes(node)
            waiting += [c for c in children if isinstance(c, (ast.stmt, ast.ExceptHandler))]
