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
import zlib
from collections.abc import Iterator
from functools import cache, lru_cache

from tito.flags.names import parse_python

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
    line_of: Fingerprints = {}
    for tokens, lines in _functions(tree):
        numbers = list(map(_number, tokens))
        hashes = list(map(hash, zip(*(numbers[start:] for start in range(K)), strict=False)))
        windows = [hashes[start:] for start in range(min(WINDOW, len(hashes)))]
        chosen = set(map(min, zip(*windows, strict=False)))
        line_of |= {mark: line for mark, line in zip(hashes, lines, strict=False) if mark in chosen}
    return line_of


@lru_cache(maxsize=10_000)
def _number(text: str) -> int:
    """Hash a token; the same in every run, unlike `hash` of a string."""
    return zlib.crc32(text.encode("utf-8", "replace"))


def _parse(source: str) -> ast.Module | None:
    if len(source) > _LONGEST_CELL:
        return None
    try:
        return parse_python(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


#: What is no part of how a problem was solved.
_SKIPPED_FIELDS = {"annotation", "returns", "type_comment", "kind", "ctx", "simple", "type_params"}
_SKIPPED = (ast.Pass, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal)


def _functions(tree: ast.Module) -> Iterator[tuple[list[str], list[int]]]:
    """Give the tokens of each function, and the lines of the statements they are in.

    What stands outside of functions is one more of them. Variables are numbered anew in each
    statement, so that one more at the beginning does not change all that follow.
    """
    waiting: list[ast.AST] = [tree]
    while waiting:
        root = waiting.pop()
        tokens: list[str] = []
        lines: list[int] = []
        numbers: dict[str, int] = {}
        line = 0
        stack = [root]
        while stack:
            node = stack.pop()
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node is not root:
                waiting.append(node)
            elif not _says_nothing(node):
                if isinstance(node, ast.stmt):
                    line, numbers = node.lineno, {}
                tokens.append(_token(node, numbers))
                lines.append(line)
                stack += _children(node)[::-1]
        yield tokens, lines


def _children(node: ast.AST) -> list[ast.AST]:
    children: list[ast.AST] = []
    for name in node._fields:
        if name not in _SKIPPED_FIELDS:
            value = getattr(node, name)
            if isinstance(value, ast.AST):
                children.append(value)
            elif isinstance(value, list):
                children += [item for item in value if isinstance(item, ast.AST)]
    return children


def _token(node: ast.AST, numbers: dict[str, int]) -> str:
    """Describe a node without what is below it: a statement, a constant, a variable or another."""
    match node:
        case ast.Name(id=name) | ast.arg(arg=name):
            return f"v{numbers.setdefault(name, len(numbers))}"
        case ast.Constant(value=value):
            return f"c{_literal(value)}"
        case ast.AnnAssign():
            return "sAssign"
    return f"{'s' if isinstance(node, ast.stmt) else 'n'}{type(node).__name__}"


def _literal(value: object) -> str:
    """Write a constant; all texts are the same, so are 1 and 1.0, and no number is too long."""
    if isinstance(value, (str, bytes)):
        return "text"
    if type(value) is int:
        return repr(float(value)) if abs(value) < 2**53 else hex(value)
    return repr(value)


def _says_nothing(node: ast.AST) -> bool:
    """Whether a node is a docstring, a declaration, or where a stub begins."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.AnnAssign(value=None):
            return True
        case ast.Raise(exc=ast.Name(id=name) | ast.Call(func=ast.Name(id=name))):
            return name == "NotImplementedError"
    return isinstance(node, _SKIPPED)
