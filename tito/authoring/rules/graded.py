"""Graded cells: a module of checks, parts that add up, a test function, a call, and a solution."""

from __future__ import annotations

import ast
import inspect
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from nbformat import NotebookNode

from tinytorch.checks import Checks
from tinytorch.checks.cell import Part
from tito.authoring.rules.each_cell import Fault, Kind, id_of, kind_of, of_kind, parsed
from tito.course.check_modules import load, texts_of
from tito.errors import TitoError

_MODULE = re.compile(r"\w+\.checks\.for_\w+\.(\w+)")


class _Import(NamedTuple):
    """``from tinytorch.checks.for_NN_name.module import checks as variable``."""

    module: str
    variable: str


def faults(notebook: NotebookNode) -> Iterator[Fault]:
    """Look at every cell that is graded by machine."""
    try:
        declared = load(texts_of(notebook))
    except TitoError as error:
        yield Fault(None, str(error))
        return
    tests: Counter[str] = Counter()
    for cell in of_kind(notebook, Kind.GRADED):
        try:
            tree = ast.parse(cell.source)
        except SyntaxError as error:
            yield Fault(cell, f"is not valid Python, line {error.lineno}: {error.msg}")
            continue
        yield from _cell_faults(cell, tree, declared)
        tests.update(list(_test_functions(tree)))
        for name in _test_functions(tree):
            if tests[name] > 1:
                yield Fault(cell, f"{name} is defined by an earlier graded cell as well")


def _cell_faults(
    cell: NotebookNode, tree: ast.Module, declared: dict[str, Checks]
) -> Iterator[Fault]:
    imported = _imports(tree)
    if len(imported) != 1:
        yield Fault(
            cell,
            "a graded cell has one line 'from tinytorch.checks.for_NN_name.MODULE import checks "
            f"as NAME', got {len(imported)}",
        )
        return
    module, variable = imported[0]
    checks = declared.get(module)
    if checks is None:
        yield Fault(cell, f"there is no module {module}.py with an object checks = Checks(...)")
        return
    yield from _declaration_faults(cell, module, checks)
    yield from _part_faults(cell, checks)
    yield from _call_faults(cell, tree, variable, checks)


def pairing_faults(notebook: NotebookNode) -> Iterator[Fault]:
    """Look for solutions that nothing grades, and graded cells that grade no solution."""
    yield from _untested(notebook)
    cells = of_kind(notebook, Kind.SOLUTION, Kind.GRADED)
    defined: set[str] = set()
    for position, cell in enumerate(cells):
        if kind_of(cell) is Kind.SOLUTION:
            following = cells[position + 1 : position + 2]
            if not following or kind_of(following[0]) is not Kind.GRADED:
                yield Fault(cell, "a graded cell must follow before the next solution cell")
            if not _defined_by(cell):
                yield Fault(cell, "a solution cell defines a public function or class")
            defined |= _defined_by(cell)
        elif not defined & _names_in(cell):
            yield Fault(cell, "a graded cell must use what a solution cell above it defines")


def _imports(tree: ast.Module) -> list[_Import]:
    """Return the modules of checks that a cell takes its checks from."""
    return [
        _Import(match[1], alias.asname or alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (match := _MODULE.fullmatch(node.module or ""))
        for alias in node.names
        if alias.name == "checks"
    ]


def _declaration_faults(cell: NotebookNode, module: str, checks: Checks) -> Iterator[Fault]:
    if checks.grade_id != id_of(cell):
        got = checks.grade_id
        yield Fault(cell, f"{module}.py: its Checks must name {id_of(cell)!r}, got {got!r}")
    points = cell.metadata.nbgrader.get("points")
    if checks.points != points:
        text = f"its Checks must be worth {points!r} points as its header, got {checks.points!r}"
        yield Fault(cell, text)


def _part_faults(cell: NotebookNode, checks: Checks) -> Iterator[Fault]:
    names = Counter(part.name for part in checks.parts)
    yield from (
        Fault(cell, f"{name}: {n} parts of that name") for name, n in names.items() if n > 1
    )
    total = 0
    for part in checks.parts:
        points = part.points
        if type(points) is not int or points < 0:
            yield Fault(cell, f"{part.name}: a part needs whole points, at least 0, got {points!r}")
        else:
            total += points
        if not part.exercise.__doc__:
            text = "an exercise needs a docstring; students read its first line"
            yield Fault(cell, f"{part.name}: {text}")
        if not part.hint:
            yield Fault(cell, f"{part.name}: a part needs a hint")
        yield from _input_faults(cell, part)
    wanted = cell.metadata.nbgrader.get("points")
    if total != wanted:
        yield Fault(cell, f"its parts must add up to {wanted!r} points, got {total}")


def _input_faults(cell: NotebookNode, part: Part) -> Iterator[Fault]:
    """Compare what an exercise takes with its inputs."""
    takes = list(inspect.signature(part.exercise).parameters)
    if takes[:1] != ["student"]:
        yield Fault(cell, f"{part.name}: an exercise takes `student` first, got {takes}")
    elif sorted(takes[1:]) != sorted(part.inputs):
        yield Fault(cell, f"{part.name}: takes {takes[1:]}, but its inputs are {[*part.inputs]}")


def _call_faults(
    cell: NotebookNode, tree: ast.Module, variable: str, checks: Checks
) -> Iterator[Fault]:
    """Look for the function that pytest calls and for the call that a notebook runs."""
    work = ", ".join(checks.names)
    run, show = f"{variable}.run({work})", f"{variable}.show({work})"
    if not any(_calls(node, run) for node in _test_functions(tree).values()):
        yield Fault(cell, f"a graded cell needs a function test_... that calls {run}")
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    shown = [node for node in blocks if ast.unparse(node.test) == "__name__ == '__main__'"]
    if not any(_calls(node, show) for node in shown):
        yield Fault(
            cell,
            f'a graded cell ends with {show} under if __name__ == "__main__"; '
            "one that only defines its tests gives everybody full marks",
        )


def _test_functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    return {
        node.name: node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def _calls(tree: ast.AST, wanted: str) -> bool:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(ast.unparse(node) == wanted for node in calls)


def _untested(notebook: NotebookNode) -> Iterator[Fault]:
    used: set[str] = set()
    for cell in reversed(of_kind(notebook, Kind.SOLUTION, Kind.GRADED)):
        if kind_of(cell) is Kind.GRADED:
            used |= _names_in(cell)
        elif _defined_by(cell) - used:
            names = ", ".join(sorted(_defined_by(cell) - used))
            yield Fault(cell, f"no graded cell after {id_of(cell)} uses {names}")


def _names_in(cell: NotebookNode) -> set[str]:
    return {node.id for node in ast.walk(parsed(cell)) if isinstance(node, ast.Name)}


def _defined_by(cell: NotebookNode) -> set[str]:
    """Return the public functions and classes that a cell defines."""
    named = (ast.FunctionDef, ast.ClassDef)
    return {
        node.name
        for node in parsed(cell).body
        if isinstance(node, named) and not node.name.startswith("_")
    }
