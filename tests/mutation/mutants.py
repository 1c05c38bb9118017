"""All mutants of a solution cell, each with a key that outlives edits elsewhere in the cell."""

from __future__ import annotations

import ast
import copy
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.mutation.operators import OPERATORS, Scope
from tests.mutation.rules import free


@dataclass(frozen=True)
class Mutant:
    """A solution cell with one change.

    Attributes
    ----------
    cell, function, operator : str
        The grade_id of the cell, the qualified name of the function, the kind of change.
    line : str
        The line of the reference that is changed.
    change : str
        The changed code before and after.
    source : str
        The whole cell.
    """

    cell: str
    function: str
    operator: str
    line: str
    change: str
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies the mutant; line numbers are no part of it."""
        return self.cell, self.line, self.change

    def __str__(self) -> str:
        return f"{self.cell} {self.function}: `{self.line}` [{self.change}] ({self.operator})"


def mutants(cell: str, source: str) -> Iterator[Mutant]:
    """Make the mutants of a cell, without those in code that the contract leaves free.

    Parameters
    ----------
    cell : str
        Its grade_id.
    source : str
        The reference's source.

    Yields
    ------
    Mutant
        In the order of the source; no two have the same source.
    """
    tree = ast.parse(source)
    seen = set()
    repeated: Counter[tuple[str, str]] = Counter()
    for function, path, scope in _places(tree):
        node = _at(tree, path)
        statement = _statement(tree, path)
        before = ast.unparse(_at(tree, statement))
        line = _line(tree, path, source)
        for operator, replacements in OPERATORS.items():
            for replacement in replacements(node, scope):
                inside = path[len(statement) :]
                after = ast.unparse(_replaced(_at(tree, statement), inside, replacement))
                if after == before or (statement, after) in seen:
                    continue
                seen.add((statement, after))
                change = f"{_text(node)} -> {_text(replacement) if replacement else 'nothing'}"
                repeated[line, change] += 1
                if repeated[line, change] > 1:
                    change += f" ({repeated[line, change]})"
                changed = _spliced(source, _at(tree, statement), after)
                yield Mutant(cell, function, operator, line, change, changed)


def _places(tree: ast.Module) -> Iterator[tuple[str, tuple, Scope]]:
    """Walk over all nodes that may be changed: qualified function name, path, scope."""

    def walk(node: ast.AST, path: tuple, function: str, scope: Scope) -> Iterator:
        if free(node, function):
            return
        if isinstance(node, ast.ClassDef):
            function, scope = node.name, Scope(attributes=_attributes(node))
        elif isinstance(node, ast.FunctionDef):
            function = f"{function}.{node.name}".lstrip(".")
            scope = Scope(scope.attributes, _variables(node))
        elif function:
            yield function, path, scope
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "decorator_list", "bases"):
                continue
            if isinstance(value, ast.AST):
                yield from walk(value, (*path, (field, None)), function, scope)
            elif isinstance(value, list):
                for index, item in enumerate(value):
                    if isinstance(item, ast.AST):
                        yield from walk(item, (*path, (field, index)), function, scope)

    yield from walk(tree, (), "", Scope())


def _attributes(node: ast.ClassDef) -> tuple[str, ...]:
    found = [
        inner.attr
        for inner in ast.walk(node)
        if isinstance(inner, ast.Attribute)
        and isinstance(inner.ctx, ast.Store)
        and isinstance(inner.value, ast.Name)
        and inner.value.id == "self"
    ]
    return tuple(dict.fromkeys(found))


def _variables(node: ast.FunctionDef) -> tuple[str, ...]:
    arguments = [argument.arg for argument in node.args.args if argument.arg != "self"]
    stored = [
        inner
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
    ]
    stored.sort(key=lambda inner: (inner.lineno, inner.col_offset))
    return tuple(dict.fromkeys([*arguments, *(inner.id for inner in stored)]))


def _at(tree: ast.AST, path: tuple) -> ast.AST:
    for field, index in path:
        value = getattr(tree, field)
        tree = value if index is None else value[index]
    return tree


def _statement(tree: ast.AST, path: tuple) -> tuple:
    """Return the path to the innermost statement around a node."""
    found: tuple = ()
    for length in range(1, len(path) + 1):
        if isinstance(_at(tree, path[:length]), ast.stmt):
            found = path[:length]
    return found


def _replaced(node: ast.AST, path: tuple, replacement: ast.AST | None) -> ast.AST:
    """Return a node with another one at a path below it; only what lies between is copied."""
    if not path:
        return ast.fix_missing_locations(replacement or ast.Pass())
    (field, index), *rest = path
    changed = copy.copy(node)
    value = getattr(node, field)
    if index is None:
        setattr(changed, field, _replaced(value, tuple(rest), replacement))
    else:
        new = _replaced(value[index], tuple(rest), replacement)
        setattr(changed, field, [*value[:index], new, *value[index + 1 :]])
    return ast.fix_missing_locations(changed)


def _spliced(source: str, statement: ast.AST, text: str) -> str:
    """Return the source with the lines of a statement replaced."""
    lines = source.splitlines()
    assert isinstance(statement, ast.stmt)
    first, last = statement.lineno - 1, statement.end_lineno
    indented = textwrap.indent(text, " " * statement.col_offset)
    return "\n".join([*lines[:first], indented, *lines[last:], ""])


def _line(tree: ast.AST, path: tuple, source: str) -> str:
    """Return the source line on which the changed node begins."""
    node, number = tree, 1
    for field, index in path:
        value = getattr(node, field)
        node = value if index is None else value[index]
        number = getattr(node, "lineno", number)
    return source.splitlines()[number - 1].strip()


def _text(node: ast.AST) -> str:
    """Return the code of a node in one line; of a compound statement its head."""
    if isinstance(node, ast.comprehension):
        tests = "".join(f" if {ast.unparse(test)}" for test in node.ifs)
        return f"for {ast.unparse(node.target)} in {ast.unparse(node.iter)}{tests}"
    lines = ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).splitlines()
    if len(lines) > 1 and lines[-1].strip() == "break":
        return f"{lines[0]} ... break"
    short = lines[0] if len(lines[0]) <= 100 else f"{lines[0][:90]} ..."
    return short + (" ..." if len(lines) > 1 else "")
