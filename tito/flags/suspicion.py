"""What in a student's own code a person should look at: things that course code does not do.

A scan of syntax trees, which never runs anything and changes no mark. It finds what is written
down, not what code can compute at run time; what must not happen is prevented by the sandbox and by
judging elsewhere. A flag is a reason to look at a line, and no more.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath, PureWindowsPath

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from tito.course.cells import is_fixed, name_of
from tito.flags import rules
from tito.flags.names import Scope, definitions, imports, nodes_of, parse_python
from tito.text import excerpt

MOST_FLAGS = 20
#: Characters of a cell, and of all cells, that are read; course code is far below.
LONGEST_CELL, LONGEST_NOTEBOOK = 100_000, 400_000
#: Characters of a cell with IPython syntax times its special signs: what IPython takes time for.
MOST_IPYTHON_WORK = 1_000_000
#: Attributes of attributes, each of which is resolved from the first name on.
LONGEST_CHAIN = 40
#: Signs that stand for IPython's syntax; those at the beginning of a line are taken one by one.
#: Where \s stood in place of a blank, each empty line would be read to the last of them.
_SPECIAL = re.compile(r"^[^\S\n]*([%!?/,;]+)|(=)[^\S\n]*[%!]|(\?)[^\S\n]*$", re.MULTILINE)
_OPTIONS = re.compile(r"\A(\s*-[a-z]+(\s*\d+)?(?=\s|\Z))+")
#: Begins the full names of what the locked cells define.
_COURSE = "the course's "

Finding = tuple[int, str]  # line number, what was found


def suspicions(notebook: NotebookNode, module: str, given: Collection[str] = ()) -> list[str]:
    """Name what a student's own code cells do that course code does not.

    Parameters
    ----------
    notebook : NotebookNode
        A submission, rebuilt on the release. Its locked cells are the course's and not scanned.
    module : str
        The module under test, such as ``tinytorch.core.optimizers``, which is not to be imported.
    given : collection of str
        Sources, stripped, of the course's cells that students may change: as they are, they are
        not the student's.

    Returns
    -------
    list of str
        At most `MOST_FLAGS` sentences, in the order of the cells: what, in which cell, on which
        line, and the line. A thing found several times in a cell is named once. Cells that do not
        parse are passed over. The end of a sentence is student's text without control characters;
        who shows it escapes what their medium needs.
    """
    trees, unread = _read(notebook)
    scope = _notebook_scope(notebook, trees)
    given_names = dict(_given_names(notebook, module))
    flags = []
    for index, cell in enumerate(notebook.cells):
        if index in unread:
            flags.append(
                f"could not be scanned, because {unread[index]} ({name_of(notebook, index)})"
            )
        elif index in trees and cell.source.strip() not in given:
            own = _Cell(scope.inside(trees[index]), module, given_names)
            flags += _sentences(own.findings(trees[index]), cell.source, name_of(notebook, index))
    if len(flags) > MOST_FLAGS:
        rest = len(flags) - MOST_FLAGS + 1
        flags[MOST_FLAGS - 1 :] = [f"and {rest} more suspicious lines in the student's code"]
    return flags


def _sentences(findings: Iterator[Finding], source: str, cell: str) -> Iterator[str]:
    """Say each thing once, at its first line."""
    places: dict[str, set[int]] = defaultdict(set)
    for line, what in findings:
        places[what].add(line)
    lines = source.split("\n")
    for what, numbers in sorted(places.items(), key=lambda item: min(item[1])):
        line = min(numbers)
        more = f" and {len(numbers) - 1} more" if len(numbers) > 1 else ""
        text = lines[line - 1] if 0 < line <= len(lines) else ""
        yield f"{what} ({cell}, line {line}{more}): {excerpt(text)}"


def _read(notebook: NotebookNode) -> tuple[dict[int, ast.Module], dict[int, str]]:
    """Parse the code cells that parse; say of which a person should know that they were not."""
    trees: dict[int, ast.Module] = {}
    unread: dict[int, str] = {}
    characters = 0
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or is_fixed(cell):
            continue
        characters += len(cell.source)
        if len(cell.source) > LONGEST_CELL:
            unread[index] = f"it is {len(cell.source):,} characters long"
        elif characters > LONGEST_NOTEBOOK:
            unread[index] = f"the notebook has more than {LONGEST_NOTEBOOK:,} characters of code"
            break
        else:
            try:
                trees[index] = _parse(cell.source)
                _refuse_long_chains(trees[index])
            except SyntaxError as error:
                if "nested" in str(error):
                    unread[index] = "it is nested too deeply"
            except (ValueError, OverflowError):
                pass  # such as null bytes, which Python does not run either
            except (RecursionError, MemoryError):
                trees.pop(index, None)
                unread[index] = "it is nested too deeply"
    return trees, unread


def _refuse_long_chains(tree: ast.Module) -> None:
    """Raise RecursionError for attributes of attributes beyond reason."""
    depth: dict[int, int] = {}
    for node in reversed(nodes_of(tree)):  # what stands inside comes first
        if isinstance(node, ast.Attribute):
            depth[id(node)] = depth.get(id(node.value), 0) + 1
            if depth[id(node)] > LONGEST_CHAIN:
                raise RecursionError


def _parse(source: str) -> ast.Module:
    """Parse a cell as IPython would: as Python, or else what its own syntax stands for."""
    try:
        return parse_python(source)
    except SyntaxError:
        work = len(source) * sum(len("".join(signs)) for signs in _SPECIAL.findall(source))
        if work > MOST_IPYTHON_WORK:
            raise RecursionError from None
        try:
            source = TransformerManager().transform_cell(source)
        except Exception as error:  # whatever IPython makes of a hostile text, it runs no better
            raise SyntaxError(str(error)) from error
        return parse_python(source)


def _notebook_scope(notebook: NotebookNode, trees: dict[int, ast.Module]) -> Scope:
    """Collect the names that cells share."""
    scope, course = Scope(), set()
    for tree in trees.values():
        scope.own |= {name for name, _ in definitions(tree)}
        scope.imported.update(imports(tree))
    for cell in notebook.cells:
        if cell.cell_type == "code" and is_fixed(cell):
            imported, defined = _course_names(cell.source)
            scope.imported.update(imported)
            course |= defined
    for name in course - scope.own - scope.imported.keys():
        scope.imported[name] = f"{_COURSE}{name}"
    return scope


def _given_names(notebook: NotebookNode, module: str) -> Iterator[tuple[str, str]]:
    """Give the names that the locked cells import and rely on, each with its full name.

    Binding one to anything else changes what these cells use; only the module under test may
    define those that are its own.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code" and is_fixed(cell):
            for name, full in _course_names(cell.source)[0].items():
                own = full == f"{module}.{name}"
                if not own and rules.is_relied_on(name, full, module.partition(".")[0]):
                    yield name, full


@lru_cache(maxsize=1000)
def _course_names(source: str) -> tuple[dict[str, str], set[str]]:
    """Return what a cell of the release imports and defines; a class has the same cells."""
    try:
        tree = _parse(source)
    except SyntaxError:
        return {}, set()
    return dict(imports(tree)), {name for name, _ in definitions(tree)}


@dataclass
class _Cell:
    """One cell's scan."""

    scope: Scope
    module: str
    #: Full names of what the locked cells rely on, by the names that they use.
    given: dict[str, str]
    #: Nodes that are part of something already judged.
    handled: set[int] = field(default_factory=set)

    def findings(self, tree: ast.Module, depth: int = 0, offset: int = 0) -> Iterator[Finding]:
        """Scan a tree; what comes first in a rule handles the nodes inside it."""
        for name, statement in definitions(tree):
            if name in self.given:
                yield statement.lineno + offset, f"replaces the course's {name}"
            elif name in rules.JUDGING_BUILTINS and not isinstance(statement, ast.Assign):
                yield statement.lineno + offset, f"replaces Python's {name}"
        for node in nodes_of(tree):
            line = getattr(node, "lineno", 0) + offset
            if isinstance(node, ast.Call) and (magic := _magic(node)):
                self.handled |= {id(inner) for inner in ast.walk(node.func)}
                yield from self._judge_magic(magic, line, depth)
                continue
            scan = _SCANNERS.get(type(node))
            if scan and id(node) not in self.handled:
                for what in scan(self, node):
                    yield line, what

    def _judge_magic(self, magic: list[str], line: int, depth: int) -> Iterator[Finding]:
        kind, name, *code = magic
        if kind in ("system", "getoutput"):
            yield line, "runs a shell command"
        elif name not in rules.HARMLESS_MAGICS:
            yield line, "uses an IPython magic that the course does not"
        elif name in rules.TIMING_MAGICS and depth < 3:
            for text, below in zip([_OPTIONS.sub("", c) for c in code], (-1, 0), strict=False):
                try:
                    tree = _parse(text.strip(" "))
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    continue
                yield from self.findings(tree, depth + 1, line + below)

    def _name(self, node: ast.Name) -> Iterator[str]:
        if node.id in rules.NAMES:
            yield rules.NAMES[node.id]
        elif isinstance(node.ctx, ast.Load):
            yield from self._full_name(self.scope.resolve(node))

    def _attribute(self, node: ast.Attribute) -> Iterator[str]:
        stores = not isinstance(node.ctx, ast.Load)
        full = self.scope.resolve(node)
        if stores and full and not full.startswith("matplotlib."):
            yield f"replaces {full}"
        elif stores and node.attr == "__class__":
            yield "changes the class of an object"
        elif node.attr in rules.ATTRIBUTES:
            yield rules.ATTRIBUTES[node.attr]
        elif node.attr == "register" and getattr(node.value, "attr", "") == "events":
            yield rules.IPYTHON
        else:
            yield from self._full_name(full)

    def _full_name(self, full: str | None) -> Iterator[str]:
        if not full:
            return
        if self.module and f"{full}.".startswith(f"{self.module}."):
            yield "uses the installed module under test"
        elif what := rules.meaning(full):
            yield what

    def _subscript(self, node: ast.Subscript) -> Iterator[str]:
        if isinstance(node.ctx, ast.Load):
            return
        value = node.value
        full = self.scope.resolve(value)
        if full == "os.environ" and _text(node.slice) in rules.HARMLESS_SETTINGS:
            self.handled |= {id(inner) for inner in ast.walk(value)}
        elif full and full.partition(".")[0] != "matplotlib" and not full.startswith(_COURSE):
            yield f"changes {full}"
        elif isinstance(value, ast.Call):
            called = getattr(value.func, "id", "")
            names = not value.args or self._is_imported(value.args)
            if called in ("globals", "locals", "vars") and names:
                yield "changes names by way of their dictionary"

    def _is_imported(self, arguments: list[ast.expr]) -> bool:
        return bool(arguments) and self.scope.resolve(arguments[0]) is not None

    def _call(self, node: ast.Call) -> Iterator[str]:
        full = self.scope.resolve(node.func) or ""
        called = full.rpartition(".")[2] or getattr(node.func, "id", getattr(node.func, "attr", ""))
        if called in ("setattr", "delattr") and self._is_imported(node.args):
            yield f"replaces an attribute of {self.scope.resolve(node.args[0])}"
        if called == "display" and any(keyword.arg == "raw" for keyword in node.keywords):
            yield rules.REPORT
        path = _text(node.args[0]) if node.args else ""
        if full == "builtins.open" and _is_data_file(path):
            self.handled.add(id(node.func))
        elif full in rules.NUMPY_FILES and path and not _is_data_file(path):
            yield rules.FILES
        elif called in rules.PATH_METHODS and isinstance(node.func, ast.Attribute):
            opened = node.func.value  # Path("data/x.csv") in Path("data/x.csv").read_text()
            start = _text(opened.args[0]) if isinstance(opened, ast.Call) and opened.args else ""
            if not _is_data_file(start):
                yield rules.FILES

    def _constant(self, node: ast.Constant) -> Iterator[str]:
        value = node.value
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        if not isinstance(text, str):
            return
        if "application/vnd.tinytorch" in text:
            yield rules.REPORT
        elif text in rules.NAMES or text in rules.ATTRIBUTES:  # getattr(f, "__globals__")
            yield rules.NAMES.get(text) or rules.ATTRIBUTES[text]

    def _import(self, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module or ''}.{alias.name}" for alias in node.names]
        else:
            names = [alias.name for alias in node.names]
        for alias, full in zip(node.names, names, strict=True):
            yield from self._full_name(full.removesuffix(".*"))
            bound = alias.asname or alias.name
            if bound in self.given and not self._is_given(bound, full):
                yield f"replaces the course's {bound}"

    def _is_given(self, bound: str, full: str) -> bool:
        """Whether it is what the course gives; its modules pass on each other's names."""
        package, _, own = self.module.partition(".")
        passed_on = full.startswith(f"{package}.{own.partition('.')[0]}.")
        same_name = full.rpartition(".")[2] == self.given[bound].rpartition(".")[2]
        return full == self.given[bound] or (passed_on and same_name)

    def _class(self, node: ast.ClassDef) -> Iterator[str]:
        for base in node.bases:
            full = self.scope.resolve(base) or ""
            if full in rules.BASES:
                base_name = full.removeprefix("builtins.")
                yield f"derives a class from {base_name}, see whether it is honest"
        for statement in node.body:
            for name, _ in definitions(ast.Module([statement], [])):
                if name in rules.METHODS and not _is_none(statement):
                    yield f"defines {name} in a class, see whether it is honest"


_SCANNERS: dict[type, Callable[..., Iterator[str]]] = {
    ast.Name: _Cell._name,
    ast.Attribute: _Cell._attribute,
    ast.Subscript: _Cell._subscript,
    ast.Call: _Cell._call,
    ast.Constant: _Cell._constant,
    ast.Import: _Cell._import,
    ast.ImportFrom: _Cell._import,
    ast.ClassDef: _Cell._class,
}


def _magic(node: ast.Call) -> list[str]:
    """Return what IPython's syntax became: the kind of call and its texts; else nothing."""
    function = node.func
    if (
        isinstance(function, ast.Attribute)
        and function.attr in ("run_line_magic", "run_cell_magic", "system", "getoutput")
        and isinstance(function.value, ast.Call)
        and getattr(function.value.func, "id", "") == "get_ipython"
    ):
        return [function.attr, *(_text(argument) for argument in node.args), ""]
    return []


def _is_none(statement: ast.stmt) -> bool:
    """Whether a statement assigns None, as in ``__array_ufunc__ = None``: NumPy keeps off."""
    value = getattr(statement, "value", None)
    return isinstance(value, ast.Constant) and value.value is None


def _text(node: ast.AST) -> str:
    """Return a literal string; empty for anything else."""
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return node.value if is_text else ""  # type: ignore[attr-defined]


def _is_data_file(path: str) -> bool:
    """Whether a literal path is that of a data file beside the notebook or below it."""
    suffix = PurePosixPath(path).suffix.lower()
    parts = PureWindowsPath(path).parts
    absolute = path.startswith(("/", "\\", "~")) or bool(PureWindowsPath(path).drive)
    return suffix in rules.DATA_SUFFIXES and not absolute and ".." not in parts
