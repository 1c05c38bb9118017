"""Fingerprints of the shape of a solution.

Names, whose they may be, texts, comments, docstrings, annotations and the order of methods play no
part in them: whoever copies can change these and understand nothing. They are chosen by
winnowing [1]_.

References
----------
.. [1] S. Schleimer, D. S. Wilkerson, A. Aiken. Winnowing: local algorithms for document
   fingerprinting. SIGMOD 2003.
"""

from __future__ import annotations

import ast
import warnings
import zlib
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

#: Tokens of a fingerprint, and fingerprints of which the smallest is kept.
K, WINDOW = 10, 4
_LONGEST_CELL = 50_000

Fingerprints = dict[int, int]  # hash: line


@cache  # cleared by who compares a class, after each cell
def fingerprints(source: str) -> Fingerprints:
    """Return the fingerprints of a source, and a line of each; none where it does not parse."""
    tree = _parse(source)
    if tree is None:
        return {}
    found: Fingerprints = {}
    for tokens, lines in _functions(tree):
        numbers = list(map(_number, tokens))
        hashes = list(map(hash, zip(*(numbers[start:] for start in range(K)), strict=False)))
        windows = [hashes[start:] for start in range(min(WINDOW, len(hashes)))]
        chosen = set(map(min, zip(*windows, strict=False)))
        found |= {mark: line for mark, line in zip(hashes, lines, strict=False) if mark in chosen}
    return found


@lru_cache(maxsize=10_000)
def _number(text: str) -> int:
    """Hash a token; the same in every run, unlike `hash` of a string."""
    return zlib.crc32(text.encode("utf-8", "replace"))


def _parse(source: str) -> ast.Module | None:
    if len(source) > _LONGEST_CELL:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a student's backslashes are not our concern
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


#: What says nothing of how a problem was solved, and what in a field is no node.
_SKIPPED = {ast.Pass, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal}
_SKIPPED |= {type(None), bool, int, str}
_SKIPPED_FIELDS = {"annotation", "returns", "type_comment", "kind", "ctx", "simple", "type_params"}
_NAME_FIELDS = {"name", "id", "attr", "arg", "rest"}
_NODES = {
    kind for kind in vars(ast).values() if isinstance(kind, type) and issubclass(kind, ast.AST)
}
#: Of each kind of node, the fields that hold nodes, last first.
_FIELDS = {
    kind: tuple(f for f in reversed(kind._fields) if f not in _SKIPPED_FIELDS | _NAME_FIELDS)
    for kind in _NODES - {ast.Constant}
}
_FIELDS[ast.Constant] = ()
_FUNCTIONS = {ast.FunctionDef, ast.AsyncFunctionDef}
_STATEMENTS = {kind for kind in _NODES if issubclass(kind, ast.stmt)}
_VARIABLES = {ast.Name: "id", ast.arg: "arg"}
_PLAIN = {kind: f"n{kind.__name__}" for kind in _NODES - _STATEMENTS - {*_VARIABLES, ast.Constant}}
_DOUBTFUL = {ast.Expr, ast.AnnAssign, ast.Raise}


def _functions(tree: ast.Module) -> Iterator[tuple[list[str], list[int]]]:
    """Give the tokens of each function, and the lines of the statements they are in.

    What stands outside of functions is one more of them. A token is one of: `s` a statement, `n`
    another node, `c` a constant, `v` a variable; and what it is. Variables are numbered anew in
    each statement, so that one more at the beginning does not change all that follow.
    """
    waiting: list[ast.AST] = [tree]
    while waiting:
        root = waiting.pop()
        tokens: list[str] = []
        lines: list[int] = []
        numbers: dict[str, int] = {}
        stack: list[Any] = [root]
        line = 0
        while stack:
            node = stack.pop()
            kind = node.__class__
            token = _PLAIN.get(kind)
            if token is None:  # most nodes are plain expressions
                if kind in _FUNCTIONS and node is not root:
                    waiting.append(node)
                    continue
                if kind in _SKIPPED or (kind in _DOUBTFUL and _says_nothing(node)):
                    continue
                if kind in _STATEMENTS:
                    line, numbers = node.lineno, {}
                token = _token(node, kind, numbers)
            tokens.append(token)
            lines.append(line)
            for name in _FIELDS[kind]:
                value = getattr(node, name)
                if value.__class__ is list:
                    stack += value[::-1]
                elif value is not None:
                    stack.append(value)
        yield tokens, lines


def _token(node: Any, kind: type, numbers: dict[str, int]) -> str:
    """Describe a statement, a constant or a variable, without what is below it."""
    if kind in _VARIABLES:
        return f"v{numbers.setdefault(getattr(node, _VARIABLES[kind]), len(numbers))}"
    if kind is ast.Constant:
        return f"c{_literal(node.value)}"
    return "sAssign" if kind is ast.AnnAssign else f"s{kind.__name__}"


def _literal(value: object) -> str:
    """Write a constant; all texts are the same, so are 1 and 1.0, and no number is too long."""
    if isinstance(value, (str, bytes)):
        return "text"
    if type(value) is int:
        return repr(float(value)) if abs(value) < 2**53 else hex(value)
    return repr(value)


def _says_nothing(node: Any) -> bool:
    """Whether a node is a docstring, a declaration, or where a stub begins."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.AnnAssign):
        return node.value is None
    if isinstance(node, ast.Raise):
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    return False
