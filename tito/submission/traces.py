"""What of a cell outlives it besides the names that it binds, by the syntax tree.

Whoever asks leaves cells out that cannot matter, so this is on the safe side: what it does not
know, it names. What it cannot see (an argument that is a class and is changed, an address that is
used again, a library's objects) is what the audit of a run is for.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

#: Modules without a memory of their own, but for the calls below.
_MODULES = {
    *("__future__", "abc", "collections", "contextlib", "copy", "dataclasses", "enum", "fractions"),
    *("functools", "itertools", "math", "matplotlib", "numbers", "numpy", "operator", "random"),
    *("re", "statistics", "string", "textwrap", "time", "tinytorch", "typing", "warnings"),
}
#: Functions through which any name may be read or bound, and names that IPython keeps.
_OPAQUE = {
    *("eval", "exec", "compile", "globals", "locals", "dir", "__import__", "get_ipython"),
    *("breakpoint", "help", "open", "exit", "quit", "__builtins__", "In", "Out", "_", "__", "___"),
    *("_i", "_ii", "_iii", "_ih", "_oh", "_dh"),
}
#: Attributes with two underscores that lead to nothing but the object itself.
_DUNDERS = {*dir(list), *dir(dict), *dir(float), *dir(type(len)), "__post_init__", "__bool__"}
_DUNDERS |= {"__enter__", "__exit__", "__next__", "__slots__", "__version__", "__file__"}
_DUNDERS -= {"__subclasshook__", "__init_subclass__", "__self__", "__reduce__", "__reduce_ex__"}
#: Functions of libraries that change what all share, or keep what they were given.
_LASTING_CALLS = {
    *("cache", "lru_cache", "singledispatch", "seterr", "seterrcall", "setbufsize"),
    *("update_wrapper", "set_printoptions", "simplefilter", "filterwarnings", "resetwarnings"),
    *("save", "savez", "savez_compressed", "savetxt", "load", "loadtxt", "memmap", "fromfile"),
    *("tofile", "savefig"),
}
_SETTERS = {"setattr", "delattr", "__setattr__", "__delattr__"}
#: What makes random numbers of its own.
_GENERATORS = {"default_rng", "Generator", "SeedSequence", "PCG64", "Philox", "MT19937", "SFC64"}
_GENERATORS |= {"BitGenerator", "Random", "RandomState"}
_DECORATORS = {
    *("property", "staticmethod", "classmethod", "abstractmethod", "dataclass", "setter", "getter"),
    *("deleter", "overload", "override", "wraps", "contextmanager", "cached_property"),
    *("total_ordering", "final"),
}
#: What makes values that nobody can change.
_VALUES = {"float", "int", "bool", "str", "complex", "frozenset", "namedtuple", "TypeVar", "field"}
_VALUES |= {"float16", "float32", "float64", "int32", "int64", "finfo", "dtype", "property"}
_VALUES |= {"staticmethod", "classmethod", "getLogger"}
_NUMERIC = {"np", "numpy", "math"}


@dataclass
class Traces:
    """What a cell may leave behind.

    Attributes
    ----------
    opaque : list of str
        Why nothing can be said of the names that it uses.
    given : list of str
        What can be changed in place and becomes a part of what is there without the cell.
    lasting : list of str
        What its functions and classes may leave behind when they are called.
    changes : list of str
        What it changes as it runs, besides its own names.
    objects : set of str
        Names that it binds to what can be changed in place.
    kept_in : set of str
        Names whose objects its classes and defaults hold on to.
    """

    opaque: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    lasting: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    objects: set[str] = field(default_factory=set)
    kept_in: set[str] = field(default_factory=set)


def traces_of(tree: ast.Module) -> Traces:
    """Return what a cell may leave behind."""
    search = _Search(tree)
    search.statements(tree.body)
    return search.found


class _Search(ast.NodeVisitor):
    """One look through a cell."""

    def __init__(self, tree: ast.Module) -> None:
        self.found = Traces()
        #: Of each function around: its own names, and those of them that stand for something else.
        self._functions: list[tuple[set[str], set[str]]] = []
        self._bound = _bound_by(_outside_functions(tree))
        self._defined = {n.name for n in tree.body if isinstance(n, _DEFINITIONS)}

    # What is at the top of a cell ---------------------------------------------------------

    def statements(self, body: Iterable[ast.AST]) -> None:
        """Look at what runs with the cell itself."""
        for statement in body:
            if isinstance(statement, (ast.For, ast.withitem, ast.AugAssign)):
                self.found.objects |= _bound_by(
                    ast.walk(statement.target if isinstance(statement, ast.For) else statement)
                )
            if isinstance(statement, _BLOCKS):
                self.statements(ast.iter_child_nodes(statement))
                continue
            is_definition = isinstance(statement, _DEFINITIONS)
            for inner in () if is_definition else (statement, *_outside_functions(statement)):
                if isinstance(inner, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
                    self._binding(inner)
            self.visit(statement)

    def _binding(self, node: ast.Assign | ast.AnnAssign | ast.NamedExpr) -> None:
        """Note the objects that names of the notebook, and attributes of its objects, stand for."""
        value = node.value
        if value is None or self._is_value(value):
            return
        if isinstance(value, ast.Name):
            self.found.kept_in.add(value.id)
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            names = _bound_by(ast.walk(target))
            is_there = not names and _root(target) not in self._bound
            if is_there and not isinstance(value, ast.Name):
                self.found.given.append(_where(f"an object of {ast.unparse(target)[:40]}", node))
            if not isinstance(value, ast.Name) or value.id not in self._defined:
                self.found.objects |= names

    def _is_value(self, node: ast.expr | None) -> bool:
        """Whether an expression gives something that nobody can change in place."""
        match node:
            case None | ast.Constant() | ast.Lambda() | ast.JoinedStr() | ast.Compare():
                return True
            case ast.Name():
                return hasattr(builtins, node.id)
            case ast.Tuple():
                return all(map(self._is_value, node.elts))
            case ast.UnaryOp():
                return self._is_value(node.operand)
            case ast.BinOp():
                return self._is_value(node.left) and self._is_value(node.right)
            case ast.Call():
                return _dotted(node.func).rpartition(".")[2] in _VALUES
            case ast.Attribute():
                return _root(node) in _NUMERIC or self._is_method(node)
        return False

    def _is_method(self, node: ast.Attribute) -> bool:
        """Whether an attribute is one of a class, such as a method that is to be wrapped."""
        return isinstance(node.value, ast.Name) and node.value.id[:1].isupper()

    # What runs when it is called ----------------------------------------------------------

    @contextmanager
    def _in_function(self, node: _Function) -> Iterator[None]:
        arguments = node.args
        for default in [*arguments.defaults, *filter(None, arguments.kw_defaults)]:
            self._kept("a default", default)
        inside = list(ast.walk(node))
        local = _bound_by(inside) | {n.arg for n in inside if isinstance(n, ast.arg)}
        local |= {n.name for n in inside if isinstance(n, ast.ExceptHandler) and n.name}
        outer = {name for n in inside if isinstance(n, ast.Global) for name in n.names}
        aliases: set[str] = set()
        self._functions.append((local - outer, aliases))
        for inner in inside:
            if isinstance(inner, ast.Assign) and self._is_shared(inner.value):
                aliases |= _bound_by(inner.targets)
        yield
        self._functions.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._decorators(node.decorator_list)
        with self._in_function(node):
            for statement in node.body:
                self.visit(statement)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        with self._in_function(node):
            self.visit(node.body)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._decorators(node.decorator_list)
        if node.keywords:
            self._note_lasting("a class with keywords", node)
        for base in node.bases:
            self.visit(base)
        own, bound = _bound_by(n for s in node.body for n in _outside_functions(s)), set[str]()
        for statement in node.body:
            if isinstance(statement, (ast.Assign, ast.AnnAssign)):
                self._kept("a class attribute", statement.value)
                names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
                targets = _bound_by(ast.walk(statement))
                if (names - targets) & own - bound:
                    self._note_lasting("a class attribute that reads another", statement)
                bound |= targets
            elif isinstance(statement, _BLOCKS):
                self._note_lasting("code in a class", statement)
            self.visit(statement)

    def _decorators(self, decorators: list[ast.expr]) -> None:
        for decorator in decorators:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            name = _dotted(called).rpartition(".")[2]
            if name not in _DECORATORS:
                self._note_lasting(f"the decorator {name}", decorator)
            self.visit(decorator)

    def _kept(self, what: str, node: ast.expr | None) -> None:
        """Look at a value that a function or a class holds on to."""
        if isinstance(node, ast.Name):
            self.found.kept_in.add(node.id)
        elif not self._is_value(node) and not isinstance(node, ast.Attribute):
            self._note_lasting(f"{what} that is an object", node)

    # Stores, calls, names -----------------------------------------------------------------

    def visit_Global(self, node: ast.Global) -> None:
        self._note_lasting(f"global {', '.join(node.names)}", node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        name = node.attr
        if name.startswith("__") and name.endswith("__"):
            inner = isinstance(node.value, ast.Name) and node.value.id == "self"
            if name not in _DUNDERS or (name == "__dict__" and not inner):
                self.found.opaque.append(_where(name, node))
        if name.startswith(("f_", "gi_", "tb_", "co_")):
            self.found.opaque.append(_where(name, node))
        dotted = _dotted(node)
        if dotted.split(".")[-2:-1] == ["random"] and name not in _GENERATORS:
            self._note_change(f"shared random numbers: {dotted}", node)
        if not isinstance(node.ctx, ast.Load):
            self._store(node)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._store(node)
        self.generic_visit(node)

    def _store(self, node: ast.Attribute | ast.Subscript) -> None:
        """Look whether what is changed may be there after the call, or before the cell."""
        root, text = _root(node), ast.unparse(node)
        if not self._functions:
            if root not in self._bound:
                self._note_change(f"changes {text[:40]}", node)
        elif "__class__" in text or root in (None, "cls") or self._is_alias(root):
            self._note_lasting(f"changes {text[:40]}", node)
        elif not self._is_local(root):
            self._note_lasting(f"changes the global {text[:40]}", node)

    def visit_Call(self, node: ast.Call) -> None:
        name = _dotted(node.func)
        last = name.rpartition(".")[2]
        first = node.args[0] if node.args else None
        is_own = isinstance(first, ast.Name) and self._is_own(first.id)
        if self._functions and (stored := _stored_by(node)):
            self.visit_Attribute(stored)
        elif last in _LASTING_CALLS or (last in _SETTERS and not is_own):
            self._note_change(f"calls {name}", node)
        elif name == "vars" and not is_own:
            self.found.opaque.append(_where("vars", node))
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        known = node.id in self._bound or self._is_local(node.id)
        if isinstance(node.ctx, ast.Load) and node.id in _OPAQUE and not known:
            self.found.opaque.append(_where(node.id, node))

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._module(alias.name, node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._module(node.module or "", node)
        for alias in node.names:
            if alias.name == "*":
                self.found.opaque.append(_where(f"from {node.module} import *", node))
            random = (node.module or "").rpartition(".")[2] == "random"
            if alias.name in _LASTING_CALLS or (random and alias.name not in _GENERATORS):
                self._note_lasting(f"imports {alias.name}", node)

    def _module(self, name: str, node: ast.AST) -> None:
        if name.partition(".")[0] not in _MODULES:
            self.found.opaque.append(_where(f"import {name}", node))

    # Helpers ------------------------------------------------------------------------------

    def _note_lasting(self, what: str, node: ast.AST | None) -> None:
        self.found.lasting.append(_where(what, node))

    def _note_change(self, what: str, node: ast.AST) -> None:
        """Note what a function does each time it is called, or the cell itself as it runs."""
        (self.found.lasting if self._functions else self.found.changes).append(_where(what, node))

    def _is_local(self, name: str | None) -> bool:
        if not self._functions:
            return name in self._bound
        return any(name in local for local, _ in self._functions)

    def _is_alias(self, name: str | None) -> bool:
        return any(name in aliases for _, aliases in self._functions)

    def _is_own(self, name: str) -> bool:
        """Whether a name is of a function's own, and of what is made in it."""
        return self._is_local(name) and not self._is_alias(name)

    def _is_shared(self, node: ast.expr) -> bool:
        """Whether an expression in a function gives what is there without it: a global, a class."""
        match node:
            case ast.Name():
                return not self._is_local(node.id) or self._is_alias(node.id)
            case ast.Attribute():
                return node.attr == "__class__" or self._is_shared(node.value)
            case ast.Call(func=ast.Name(id="type")):
                return True
        return False


_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BLOCKS = (
    ast.If,
    ast.For,
    ast.While,
    ast.With,
    ast.Try,
    ast.TryStar,
    ast.ExceptHandler,
    ast.Match,
    ast.match_case,
)


def _stored_by(node: ast.Call) -> ast.Attribute | None:
    """Return the attribute that `setattr` stores, if it is named: `x.rate` of (x, "rate", ...)."""
    match node:
        case ast.Call(
            func=ast.Name(id="setattr"), args=[first, ast.Constant(value=str(name)), _], keywords=[]
        ):
            return ast.copy_location(ast.Attribute(first, name, ast.Store()), node)
    return None


def _bound_by(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that are assigned or deleted in some nodes."""
    names = (node for node in nodes if isinstance(node, ast.Name))
    return {node.id for node in names if not isinstance(node.ctx, ast.Load)}


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for inner in ast.iter_child_nodes(node):
        yield inner
        if not isinstance(inner, (*_DEFINITIONS, ast.Lambda)):
            yield from _outside_functions(inner)


def _root(node: ast.AST) -> str | None:
    """Return the name that a chain of attributes, items and calls begins with."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _dotted(node: ast.AST) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id if isinstance(node, ast.Name) else "?", *reversed(parts)])


def _where(what: str, node: ast.AST | None) -> str:
    line = getattr(node, "lineno", None)
    return f"{what} (line {line})" if line else what
