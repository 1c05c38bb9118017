"""What can be said of a piece of a syntax tree by itself."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BINDINGS = (
    *(ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.For, ast.AsyncFor, ast.comprehension),
    *(ast.withitem, ast.Match),
)


def bound_by(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that some nodes assign or delete themselves."""
    names = set[str]()
    for node in nodes:
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                names.add(node.id)
        elif isinstance(node, (ast.MatchAs, ast.MatchStar, ast.ExceptHandler)):
            names.add(node.name or "")
        elif isinstance(node, ast.MatchMapping):
            names.add(node.rest or "")
    return names - {""}


def changed_by(node: ast.AST) -> Iterator[str]:
    """Give the names that a node deletes or adds to, which must be there before."""
    for inner in ast.walk(node):
        if isinstance(inner, (ast.AugAssign, ast.Delete)):
            targets = inner.targets if isinstance(inner, ast.Delete) else [inner.target]
            yield from bound_by(n for target in targets for n in ast.walk(target))


def stored_by(node: ast.Call) -> ast.Attribute | None:
    """Return the attribute that `setattr` stores by name: `x.rate` of (x, "rate", 1)."""
    match node:
        case ast.Call(
            func=ast.Name(id="setattr"), args=[owner, ast.Constant(value=str(name)), _], keywords=[]
        ):
            return ast.copy_location(ast.Attribute(owner, name, ast.Store()), node)
    return None


def bindings_of(node: ast.AST) -> Iterator[tuple[ast.AST, ast.expr, bool]]:
    """Give what a node binds, to what, and whether that is taken apart."""
    if not isinstance(node, _BINDINGS):
        return
    match node:
        case ast.Assign():
            for target in node.targets:
                yield target, node.value, isinstance(target, (ast.Tuple, ast.List))
        case ast.AnnAssign(value=ast.expr() as value) | ast.NamedExpr(value=value):
            yield node.target, value, False
        case ast.For() | ast.AsyncFor() | ast.comprehension():
            if not isinstance(node.iter, (ast.Name, ast.Attribute)):  # what is in it is unknown
                yield node.target, node.iter, True
        case ast.withitem(optional_vars=ast.expr() as target):
            yield target, node.context_expr, False
        case ast.Match():
            for case in node.cases:
                yield case.pattern, node.subject, True


def outside_functions(node: ast.AST) -> list[ast.AST]:
    """Return what is in a node, but not in functions and classes in it."""
    found = list(children_of(node))
    for inner in found:  # which grows
        if not isinstance(inner, (*DEFINITIONS, ast.Lambda)):
            found.extend(children_of(inner))
    return found


def children_of(node: ast.AST) -> Iterator[ast.AST]:
    """Give a node's parts, without the marks of loading and storing, which are half of a tree."""
    for name in node._fields:
        value = getattr(node, name, None)
        for part in value if isinstance(value, list) else (value,):
            if isinstance(part, ast.AST) and not isinstance(part, ast.expr_context):
                yield part


def definitions_in(body: list[ast.stmt]) -> Iterator[str]:
    """Give the names of all functions and classes."""
    for statement in body:
        if isinstance(statement, DEFINITIONS):
            yield statement.name
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from definitions_in(getattr(statement, name, []))


def is_plain(statement: ast.stmt) -> bool:
    """Whether a statement is a docstring, `pass` or an import."""
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_text or isinstance(statement, (ast.Pass, ast.Import, ast.ImportFrom))


def root_of(node: ast.AST) -> str | None:
    """Return the name that a chain of attributes, items and calls begins with."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def dotted_of(node: ast.AST) -> str:
    """Return a chain of attributes as text, with a `?` for what is no name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id if isinstance(node, ast.Name) else "?", *reversed(parts)])


def text_of(node: ast.AST) -> str:
    """Return the beginning of a node's source."""
    return ast.unparse(node)[:40]


def where(what: str, node: ast.AST | None) -> str:
    """Say something, and in which line."""
    line = getattr(node, "lineno", None)
    return f"{what} (line {line})" if line else what
