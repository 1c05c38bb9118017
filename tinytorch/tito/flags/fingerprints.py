"""Fingerprints of a solution's syntax.

Names that the student chose, comments, docstrings, annotations and the order of methods play no
part in them. They are chosen by winnowing [1]_.

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
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

#: Tokens of a fingerprint, and fingerprints of which the smallest is kept.
K, WINDOW = 10, 4
_LONGEST_CELL = 50_000

Fingerprints = dict[int, int]  # hash: line


@cache  # cleared by who compares a class, after each cell
def fingerprints(source: str, known: frozenset[str] = frozenset()) -> Fingerprints:
    """Return the fingerprints of a source, and a line of each; none where it does not parse.

    Parameters
    ----------
    source : str
        Python code.
    known : frozenset of str
        Names that keep their meaning although the code defines them: the reference's.
    """
    tree = _parse(source)
    if tree is None:
        return {}
    found: Fingerprints = {}
    functions = _Functions()
    functions.read(tree)
    for tokens, lines in functions.renamed(known):
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


def vocabulary(source: str) -> frozenset[str]:
    """Return the names that mean the same for everyone: attributes, functions, keywords."""
    names = set()
    for node in ast.walk(_parse(source) or ast.Module([], [])):
        if isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.keyword, ast.arg)) and node.arg:
            names.add(node.arg)
    return frozenset(names)


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
_NAMED = {ast.Name, ast.Attribute, ast.Constant, ast.arg, ast.keyword}
_PLAIN = {kind: f"n{kind.__name__}" for kind in _NODES - _STATEMENTS - _NAMED}
_DOUBTFUL = {ast.Expr, ast.AnnAssign, ast.Raise}


@dataclass
class _Functions:
    """The tokens of each function of a solution, and what they bind.

    A token is one of: `s` a statement, `n` another node, `c` a constant, `v` a variable,
    `a` an attribute or the name of a function or class, `k` a keyword; and its text.
    """

    #: Of each function, its tokens and the lines of the statements they are in.
    tokens: list[tuple[list[str], list[int]]] = field(default_factory=list)
    variables: set[str] = field(default_factory=set)
    invented: set[str] = field(default_factory=set)

    def read(self, tree: ast.Module) -> None:
        """Take a syntax tree apart; what stands outside of functions is one more of them."""
        waiting: list[ast.AST] = [tree]
        while waiting:
            root = waiting.pop()
            tokens: list[str] = []
            lines: list[int] = []
            self.tokens.append((tokens, lines))
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
                        line = node.lineno
                    token = self._token(node, kind)
                tokens.append(token)
                lines.append(line)
                for name in _FIELDS[kind]:
                    value = getattr(node, name)
                    if value.__class__ is list:
                        stack += value[::-1]
                    elif value is not None:
                        stack.append(value)

    def _token(self, node: Any, kind: type) -> str:
        """Describe one node, without what is below it."""
        if kind is ast.Name:
            if node.ctx.__class__ is ast.Store:
                self.variables.add(node.id)
            return f"v{node.id}"
        if kind is ast.Attribute:
            if node.ctx.__class__ is ast.Store:
                self.invented.add(node.attr)
            return f"a{node.attr}"
        if kind is ast.Constant:
            return f"c{_literal(node.value)}"
        if kind is ast.keyword:
            return f"k{node.arg}"
        if kind is ast.arg:
            self.variables.add(node.arg)
            return f"v{node.arg}"
        if kind in _FUNCTIONS or kind is ast.ClassDef:
            self.invented.add(node.name)
            return f"a{node.name}"
        return "sAssign" if kind is ast.AnnAssign else f"s{kind.__name__}"

    def renamed(self, known: frozenset[str]) -> Iterator[tuple[list[str], list[int]]]:
        """Give the tokens without the names that the student chose, and their lines.

        Variables are numbered anew in each statement, so that one more at the beginning does not
        change all that follow.
        """
        invented = self.invented - known
        keywords = invented | (self.variables - known)
        for tokens, lines in self.tokens:
            result: list[str] = []
            numbers: dict[str, int] = {}
            for token in tokens:
                kind = token[0]
                if kind == "s":
                    numbers = {}
                elif kind == "v":
                    name = token[1:]
                    if name in self.variables:
                        token = f"v {numbers.setdefault(name, len(numbers))}"
                    elif name in invented:
                        token = "a "
                elif (kind == "a" and token[1:] in invented) or (
                    kind == "k" and token[1:] in keywords
                ):
                    token = "a "
                result.append(token)
            yield result, lines


def _literal(value: object) -> str:
    """Write a constant; 1 and 1.0 are the same, and no number is too long to write."""
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
