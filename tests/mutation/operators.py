"""Small changes to a syntax tree: for a node, the nodes that could stand there instead.

Each operator is a generator over the replacements of one node; None means that the statement is
dropped. An operator never changes the node it is given.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Replacement = ast.AST | None
Operator = Callable[[ast.AST, "Scope"], Iterator[Replacement]]


@dataclass(frozen=True)
class Scope:
    """What stands around a node.

    Attributes
    ----------
    attributes : tuple of str
        Those that the class assigns on `self`, in order.
    variables : tuple of str
        Parameters and local variables of the function, in order.
    """

    attributes: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


_ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Div, ast.Mod),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
}
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
#: Functions of one argument that may be forgotten.
_DROPPABLE = {"abs", "sqrt", "square", "float", "list", "sum", "isfinite", "mean", "all", "any"}
#: Functions that are taken for one another.
_CONFUSED = {
    "all": "any",
    "any": "all",
    "min": "max",
    "max": "min",
    "mean": "sum",
    "sum": "max",
    "std": "var",
    "isfinite": "isnan",
    "isnan": "isinf",
    "isinf": "isnan",
    "add": "subtract",
    "subtract": "add",
    "multiply": "add",
}


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def arithmetic(node: ast.AST, scope: Scope) -> Iterator[Replacement]:
    """Another arithmetic operator."""
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        for other in _ARITHMETIC.get(type(node.op), ()):
            yield _with(node, op=other())


def operand(node: ast.AST, scope: Scope) -> Iterator[Replacement]:
    """One side of an operation only, or the sides swapped where that matters."""
    if isinstance(node, ast.BinOp):
        yield node.left
        yield node.right
        if isinstance(node.op, (ast.Sub, ast.Div, ast.FloorDiv, ast.Pow)):
            yield _with(node, left=node.right, right=node.left)
    elif isinstance(node, ast.AugAssign):
        yield ast.Assign([node.target], node.value, lineno=node.lineno)


def sign(node: ast.AST, scope: Scope) -> Iterator[Replacement]:
    """A minus or a not dropped, or added."""
    if isinstance(node, ast.UnaryOp):
        yield node.operand
    if isinstance(node, ast.Return) and isinstance(node.value, (ast.BinOp, ast.Name, ast.Call)):
        yield _with(node, value=ast.UnaryOp(ast.USub(), node.value))
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
        yield _with(node, value=ast.UnaryOp(ast.USub(), node.value))


def comparison(node: ast.AST, scope: Scope) -> Iterator[Replacement]:
    """Another comparison."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in _COMPARISONS[type(node.ops[0])]:
            yield _with(node, ops=[other()])


def boolean(node: ast.AST, scope: Scope) -> Iterator[Replacement]:
    """`and` for `or`, or one side of it only."""
    if isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        yield from node.values


def condition(node: ast.AST, scope: Scope) -> Iterator[Replacement]:
    """A condition that always holds, never holds, or is turned round."""
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        if not isinstance(node, ast.While):  # an endless loop is a bad hang, not a wrong idea
            yield _with(node, test=ast.Constant(True))
        yield _with(node, test=ast.Constant(False))
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.comprehension):
        for position in range(len(node.ifs)):
            yield _with(node, ifs=node.ifs[:position] + node.ifs[position + 1 :])


def constant(node: ast.AST, scope: Scope) -> Iterator[Replacement]:
    """Another number, truth value or text."""
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, (int, float)):
        for other in dict.fromkeys((value + 1, value - 1, 0, 1, 2 * value, value / 10)):
            if other != value and not (isinstance(value, int) and isinstance(other, float)):
                yield ast.Constant(other)
    elif isinstance(value, str):
        yield ast.Constant(value[:-1] or "x")
    elif value is None:
        yield ast.Constant(0)


def statement(node: ast.AST, scope: Scope) -> Iterator[Replacement]:
    """A statement dropped, a value not returned, `break` for `continue`."""
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Raise)):
        yield None
    elif isinstance(node, (ast.If, ast.For, ast.While)):
        yield None
    elif isinstance(node, ast.Return):
        yield None
        if node.value is not None and not (
            isinstance(node.value, ast.Constant) and node.value.value is None
        ):
            yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Break):
        yield None
        yield ast.Continue()
    elif isinstance(node, ast.Continue):
        yield None
        yield ast.Break()
    elif isinstance(node, ast.Try):
        yield ast.If(ast.Constant(True), node.body, [])


def loop(node: ast.AST, scope: Scope) -> Iterator[Replacement]:
    """A loop that leaves after its first turn, or leaves out the first item."""
    if isinstance(node, ast.For):
        yield _with(node, body=[*node.body, ast.Break()])
        rest = ast.Subscript(
            ast.Call(ast.Name("list", ast.Load()), [node.iter], []),
            ast.Slice(ast.Constant(1)),
            ast.Load(),
        )
        yield _with(node, iter=rest)


def call(node: ast.AST, scope: Scope) -> Iterator[Replacement]:
    """Arguments swapped or left out, a function forgotten or taken for another."""
    if not isinstance(node, ast.Call):
        return
    for position in range(len(node.args) - 1):
        swapped = list(node.args)
        swapped[position : position + 2] = reversed(swapped[position : position + 2])
        yield _with(node, args=swapped)
    if len(node.args) > 1:
        yield _with(node, args=node.args[:-1])
    for position in range(len(node.keywords)):
        yield _with(node, keywords=node.keywords[:position] + node.keywords[position + 1 :])
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    method = isinstance(node.func, ast.Attribute) and not node.args
    if name in _DROPPABLE and (node.args or method):
        yield node.func.value if method else node.args[0]  # type: ignore[attr-defined]
    if name in _CONFUSED:
        field = "attr" if isinstance(node.func, ast.Attribute) else "id"
        yield _with(node, func=_with(node.func, **{field: _CONFUSED[name]}))


def name(node: ast.AST, scope: Scope) -> Iterator[Replacement]:
    """The variable or the attribute that was written next, instead of this one."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        known = scope.variables
        if node.id in known and len(known) > 1:
            yield _with(node, id=known[(known.index(node.id) + 1) % len(known)])
    elif (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    ):
        known = scope.attributes
        if node.attr in known and len(known) > 1:
            yield _with(node, attr=known[(known.index(node.attr) + 1) % len(known)])


def container(node: ast.AST, scope: Scope) -> Iterator[Replacement]:
    """An entry left out, a slice not taken."""
    if isinstance(node, ast.Dict):
        for position in range(len(node.keys)):
            keys = node.keys[:position] + node.keys[position + 1 :]
            values = node.values[:position] + node.values[position + 1 :]
            yield _with(node, keys=keys, values=values)
    elif isinstance(node, (ast.List, ast.Tuple)) and isinstance(node.ctx, ast.Load):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2:
            yield _with(node, elts=node.elts[::-1])
        for position in range(len(node.elts) if isinstance(node, ast.List) else 0):
            yield _with(node, elts=node.elts[:position] + node.elts[position + 1 :])
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        yield node.value


OPERATORS: dict[str, Operator] = {
    operator.__name__: operator
    for operator in (
        arithmetic,
        operand,
        sign,
        comparison,
        boolean,
        condition,
        constant,
        statement,
        loop,
        call,
        name,
        container,
    )
}
