"""Look for what a cell leaves behind, in its syntax tree."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from contextlib import contextmanager

from tito.submission import known, syntax
from tito.submission.traces import Traces


def traces_of(tree: ast.Module) -> Traces:
    """Return what a cell may leave behind."""
    search = _Search(tree)
    search.visit(tree)
    found = search.found
    found.lasting += [where for attrs, where in search.stores if attrs & search.shared_attributes]
    found.lasting += [where for attr, where in search.addresses if attr in search.replaced]
    return found


class _Search(ast.NodeVisitor):
    """One look through a cell."""

    def __init__(self, tree: ast.Module) -> None:
        self.found = Traces()
        own = syntax.outside_functions(tree)
        self._bound = syntax.bound_by(own)
        self._defined = {n.name for n in tree.body if isinstance(n, syntax.DEFINITIONS)}
        #: Names that mean something else here than what is known of them.
        self._redefined = self._bound.union(syntax.definitions_in(tree.body))
        #: Attributes that are classes or functions, and what functions store through attributes.
        self.shared_attributes: set[str] = set()
        self.stores: list[tuple[set[str], str]] = []
        #: Attributes of which the address is asked for, and those that get objects elsewhere.
        self.addresses: list[tuple[str, str]] = []
        self.replaced: set[str] = set()
        #: Of the cell, and of each function around: its names, and those of them that stand for
        #: what is there without it.
        self._frames: list[tuple[set[str], set[str]]] = []
        self._enter(self._bound, own)
        self.found.aliases |= self._frames[0][1]

    def _enter(self, names: set[str], nodes: list[ast.AST]) -> None:
        aliases: set[str] = set()
        self._frames.append((names, aliases))
        bindings = [one for node in nodes for one in syntax.bindings_of(node)]
        for _ in range(2 if bindings else 0):  # a name may stand for one from further down
            for target, value, unpacks in bindings:
                if self._is_shared(value, unpacks):
                    aliases |= syntax.bound_by(ast.walk(target))

    # What names and attributes stand for --------------------------------------------------

    def visit_Assign(self, node: _Assignment) -> None:
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if node.value:
                self._bind(target, node.value, isinstance(node, ast.AugAssign))
        self.generic_visit(node)

    visit_AnnAssign = visit_AugAssign = visit_NamedExpr = visit_Assign

    def _bind(self, target: ast.expr, value: ast.expr, adds: bool = False) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            values = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            pairs = len(values) == len(target.elts)
            for i, one in enumerate(target.elts):
                self._bind(one, values[i] if pairs else value)
        elif self._in_function or isinstance(target, ast.Attribute | ast.Subscript):
            if isinstance(target, ast.Attribute) and not adds:
                self.replaced.add(target.attr)
            if isinstance(target, ast.Attribute) and self._is_shared(value):
                self.shared_attributes.add(target.attr)
            root = syntax.root_of(target)
            if not (self._in_function or self._is_own(root) or self._is_held(value)):
                what = f"an object of {syntax.text_of(target)}"
                self.found.given.append((root or "", syntax.where(what, target)))
        elif adds or not self._is_value(value):
            if not isinstance(value, ast.Name) or value.id not in self._defined:
                self.found.objects |= syntax.bound_by(ast.walk(target))

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        numbers = isinstance(node.iter, ast.Call) and syntax.dotted_of(node.iter.func) == "range"
        if not self._in_function and not numbers:
            self.found.objects |= syntax.bound_by(ast.walk(node.target))
        self.generic_visit(node)

    visit_AsyncFor = visit_For

    def visit_withitem(self, node: ast.withitem | ast.pattern) -> None:
        if not self._in_function:
            self.found.objects |= syntax.bound_by(ast.walk(node))
        self.generic_visit(node)

    visit_MatchAs = visit_MatchStar = visit_MatchMapping = visit_withitem

    def _is_value(self, node: ast.expr | None) -> bool:
        """Whether an expression gives something that nobody can change in place."""
        match node:
            case None | ast.Constant() | ast.Lambda() | ast.JoinedStr():
                return True
            case ast.Name():
                return hasattr(builtins, node.id) and node.id not in self._redefined
            case ast.Tuple() | ast.Compare() | ast.UnaryOp() | ast.BinOp():
                parts = ast.iter_child_nodes(node)
                return all(self._is_value(one) for one in parts if isinstance(one, ast.expr))
            case ast.Call():
                return self._makes_value(node)
            case ast.Attribute():
                is_number = syntax.dotted_of(node).split(".")[0] in known.NUMERIC
                return (is_number and not _is_random(node)) or self._is_method(node)
        return False

    def _makes_value(self, node: ast.Call) -> bool:
        name = syntax.dotted_of(node.func).rpartition(".")[2]
        if name in self._redefined or name not in known.VALUES | known.WRAPPERS:
            return False
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        parts = [p for one in given for p in (one.elts if isinstance(one, ast.List) else [one])]
        return name in known.VALUES or all(map(self._is_held, parts))

    def _is_method(self, node: ast.Attribute) -> bool:
        """Whether an attribute is one of a class, such as a method that is to be wrapped."""
        name = node.value.id if isinstance(node.value, ast.Name) else ""
        return name[:1].isupper() and name not in self._bound and self._is_held(node)

    def _is_held(self, node: ast.expr | None) -> bool:
        """Whether all of an expression that can be changed in place has a name, which is noted."""
        match node:
            case ast.Name() | ast.Attribute() if not syntax.dotted_of(node).startswith("?"):
                self.found.kept_in.add(syntax.root_of(node) or "")
                return not _is_random(node)
            case ast.Tuple():
                return all(map(self._is_held, node.elts))
        return self._is_value(node)

    def _is_shared(self, node: ast.expr, unpacks: bool = False) -> bool:
        """Whether an expression, or a part that is unpacked, is there without the function."""
        match node:
            case ast.Name():
                return not self._is_own(node.id)
            case ast.Attribute():
                return node.attr == "__class__" or self._is_shared(node.value)
            case ast.Subscript():
                return self._is_shared(node.value, unpacks=True)
            case ast.Starred() | ast.NamedExpr():
                return self._is_shared(node.value, unpacks)
            case ast.IfExp():
                return self._is_shared(node.body, unpacks) or self._is_shared(node.orelse, unpacks)
            case ast.BoolOp():
                return any(self._is_shared(one, unpacks) for one in node.values)
            case ast.List() | ast.Tuple() | ast.Set():
                return unpacks and any(self._is_shared(one, unpacks) for one in node.elts)
            case ast.Call():
                displays = [one for one in node.args if isinstance(one, ast.List | ast.Tuple)]
                last = syntax.dotted_of(node.func).rpartition(".")[2]
                return last in known.GIVES_CLASSES or any(
                    self._is_shared(one, unpacks) for one in displays
                )
        return False

    # What runs when it is called ----------------------------------------------------------

    @contextmanager
    def _function(self, node: _Function, of_class: bool = False) -> Iterator[None]:
        arguments = node.args
        for default in [*arguments.defaults, *filter(None, arguments.kw_defaults)]:
            self._kept("a default", default)
            self.visit(default)
        headers = filter(None, [arguments, getattr(node, "returns", None)])
        signature = [n for header in headers for n in ast.walk(header)]
        if any(isinstance(n, ast.NamedExpr) for n in signature):
            self._note_lasting("an assignment in a signature", node)
        own = syntax.outside_functions(node)
        outer = {name for n in own if isinstance(n, ast.Global) for name in n.names}
        parameters = [n.arg for n in signature if isinstance(n, ast.arg)]
        defined = {n.name for n in own if isinstance(n, syntax.DEFINITIONS)}
        self._enter((syntax.bound_by(own) | {*parameters} | defined) - outer, own)
        if of_class:
            self._frames[-1][1].update(parameters[:1])
        yield
        self._frames.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        names = self._decorators(node.decorator_list)
        with self._function(node, "classmethod" in names or node.name in known.OF_CLASSES):
            for statement in node.body:
                self.visit(statement)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        with self._function(node):
            self.visit(node.body)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._decorators(node.decorator_list)
        calls = [n for base in node.bases for n in ast.walk(base) if isinstance(n, ast.Call)]
        if node.keywords or not all(map(self._is_value, calls)):
            self._note_lasting("a class with keywords, or with a base that a call makes", node)
        for base in node.bases:
            self.visit(base)
        own, bound = syntax.bound_by(syntax.outside_functions(node)), set[str]()
        for statement in node.body:
            if isinstance(statement, ast.Assign | ast.AnnAssign):
                self._kept("a class attribute", statement.value)
                names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
                targets = syntax.bound_by(ast.walk(statement))
                if (names - targets) & own - bound:
                    self._note_lasting("a class attribute that reads another", statement)
                bound |= targets
                if isinstance(statement.value, ast.Name | ast.Attribute):
                    self.shared_attributes |= targets
                self.generic_visit(statement)
                continue
            if isinstance(statement, syntax.DEFINITIONS):
                names = {syntax.dotted_of(one) for one in statement.decorator_list}
                is_method = not any("property" in name or "." in name for name in names)
                self.shared_attributes |= {statement.name} if is_method else set()
            elif not syntax.is_plain(statement):
                self._note_lasting("code in a class", statement)
            self.visit(statement)

    def _decorators(self, decorators: list[ast.expr]) -> set[str]:
        """Look at what may wrap a function or a class, and return its names."""
        names = set[str]()
        for decorator in decorators:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            name = syntax.dotted_of(called).rpartition(".")[2]
            names.add(name)
            root = syntax.root_of(called) or ""
            self.found.kept_in.add(root)
            if name not in known.DECORATORS or name in self._redefined or root in self._bound:
                self._note_lasting(f"the decorator {name}", decorator)
            self.visit(decorator)
        return names

    def _kept(self, what: str, node: ast.expr | None) -> None:
        """Look at a value that a function or a class holds on to."""
        if not self._is_held(node):
            self._note_lasting(f"{what} that is an object", node)

    # Stores, calls, names -----------------------------------------------------------------

    def visit_Global(self, node: ast.Global) -> None:
        self._note_lasting(f"global {', '.join(node.names)}", node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # no docstring
            self.visit(node.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        for name in known.DUNDER.findall(node.value) if isinstance(node.value, str) else ():
            if name not in known.DUNDERS | {"__main__"} or name in ("__class__", "__dict__"):
                self.found.opaque.append(syntax.where(name, node))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        name, (*before, _) = node.attr, syntax.dotted_of(node).split(".")
        if name.startswith("__") and name.endswith("__"):
            inner = isinstance(node.value, ast.Name) and self._is_own(node.value.id)
            if name not in known.DUNDERS or (name == "__dict__" and not inner):
                self.found.opaque.append(syntax.where(name, node))
        hidden = name.strip("_") in known.HIDDEN and not self._is_own(syntax.root_of(node))
        if hidden or name.startswith(("f_", "gi_", "tb_", "co_")) or name == "get_type_hints":
            self.found.opaque.append(syntax.where(name, node))
        self._set(name, node)
        if name in known.UNSET and before[0] in known.NUMERIC:
            self._note_unset(node)
        if not isinstance(node.ctx, ast.Load):
            self._store(node)
        is_module = name == "random" and len(before) == 1 and not self._is_own(before[0])
        if is_module or (before[-1] == "random" and name not in known.GENERATORS):
            self._note_random(node)
        elif before[-1] != "random":
            self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._store(node)
        self.generic_visit(node)

    def _store(self, node: ast.Attribute | ast.Subscript) -> None:
        """Look whether what is changed may be there after the call, or before the cell."""
        root, what = syntax.root_of(node), f"changes {syntax.text_of(node)}"
        through = {n.attr for n in ast.walk(node.value) if isinstance(n, ast.Attribute)}
        if root == "cls" or not self._is_own(root) or "__class__" in through:
            self._note_change(what, node)
        elif self._in_function:
            self.stores.append((through, syntax.where(what, node)))

    def visit_Call(self, node: ast.Call) -> None:
        name = syntax.dotted_of(node.func)
        last = name.rpartition(".")[2]
        first = node.args[0] if node.args else None
        is_own = isinstance(first, ast.Name) and self._is_own(first.id)
        if last in known.LASTING_CALLS:
            self._note_change(f"calls {name}", node)
        if name == "id" and isinstance(first, ast.Attribute):
            where = syntax.where(f"the address of {syntax.text_of(first)}", node)
            self.addresses.append((first.attr, where))
        if self._in_function and (stored := syntax.stored_by(node)):
            self.visit_Attribute(stored)
            node = ast.Call(ast.Constant(None), node.args[2:], [])
        elif (last in known.SETTERS or name == "vars") and is_own:
            node = ast.Call(ast.Constant(None), node.args, node.keywords)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and not (node.id in self._bound or self._is_own(node.id)):
            if node.id in known.OPAQUE or known.HISTORY.fullmatch(node.id):
                self.found.opaque.append(syntax.where(node.id, node))
            if node.id == "random":
                self._note_random(node)
            self._set(node.id, node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._module(alias.name, node)
            if alias.name.endswith("random") and alias.asname:
                self.found.seeds = True
                self._note_lasting(f"shared random numbers: {alias.asname}", node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._module(node.module or "", node)
        random = (node.module or "").rpartition(".")[2] == "random"
        for alias in node.names:
            if alias.name == "*":
                self.found.opaque.append(syntax.where(f"from {node.module} import *", node))
            if alias.name.strip("_") in known.HIDDEN or alias.name in known.OPAQUE:
                self.found.opaque.append(syntax.where(f"import {alias.name}", node))
            if alias.name in known.UNSET:
                self._note_unset(node)
            renamed = alias.name == "random" and alias.asname
            shared = renamed or (random and alias.name not in known.GENERATORS)
            self.found.seeds |= bool(shared)
            if shared or alias.name in known.LASTING_CALLS:
                self._note_lasting(f"imports {alias.name}", node)

    def _module(self, name: str, node: ast.AST) -> None:
        if name.partition(".")[0] not in known.MODULES:
            self.found.opaque.append(syntax.where(f"import {name}", node))

    # Helpers ------------------------------------------------------------------------------

    def generic_visit(self, node: ast.AST) -> None:
        for inner in syntax.children_of(node):
            self.visit(inner)

    @property
    def _in_function(self) -> bool:
        return len(self._frames) > 1

    def _note_lasting(self, what: str, node: ast.AST | None) -> None:
        self.found.lasting.append(syntax.where(what, node))

    def _note_change(self, what: str, node: ast.AST) -> None:
        """Note what a function does each time it is called, or the cell itself as it runs."""
        notes = self.found.lasting if self._in_function else self.found.changes
        notes.append(syntax.where(what, node))

    def _note_unset(self, node: ast.AST) -> None:
        """Note memory in which is what others left there, whoever they were."""
        self.found.given.append(("", syntax.where("memory that nothing has set", node)))

    def _note_random(self, node: ast.Attribute | ast.Name) -> None:
        """Note that random numbers are drawn that all share, or what else is done with them."""
        what = f"shared random numbers: {syntax.dotted_of(node)}"
        *_, module, name = ["?", *syntax.dotted_of(node).split(".")]
        if module == "random" and name in known.DRAWS:
            self.found.draws.append((self._in_function, syntax.where(what, node)))
        else:
            self.found.seeds = True
            self._note_change(what, node)

    def _set(self, name: str, node: ast.AST) -> None:
        """Note a function that sets what nobody knows, by its name."""
        if name in known.SETTERS:
            self.found.changes.append(syntax.where(f"uses {name}", node))
            self._note_lasting(f"uses {name}", node)
        elif name == "vars":
            self.found.opaque.append(syntax.where(name, node))

    def _is_own(self, name: str | None) -> bool:
        """Whether a name is of the function's own, or of the cell, and of what is made there."""
        frames = self._frames[1:] or self._frames
        local = any(name in names for names, _ in frames)
        return local and not any(name in aliases for _, aliases in frames)


def _is_random(node: ast.expr) -> bool:
    """Whether a name or an attribute is of what makes random numbers that all share."""
    *modules, name = syntax.dotted_of(node).split(".")
    return "random" in (*modules, name) and name not in known.GENERATORS


_Assignment = ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
