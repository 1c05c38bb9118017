"""Graded cells: one Checks object, parts that add up, a test function, a call, and a solution."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from nbformat import NotebookNode

from tito.authoring.rules.each_cell import Fault, Kind, id_of, kind_of, of_kind, parsed


def faults(notebook: NotebookNode) -> Iterator[Fault]:
    """Look at every cell that is graded by machine."""
    tests: Counter[str] = Counter()
    for cell in of_kind(notebook, Kind.GRADED):
        try:
            tree = ast.parse(cell.source)
        except SyntaxError as error:
            yield Fault(cell, f"is not valid Python, line {error.lineno}: {error.msg}")
            continue
        checks = _declarations(tree)
        if len(checks) != 1:
            yield Fault(cell, f"a graded cell makes one Checks object, got {len(checks)}")
            continue
        variable, call = checks[0]
        yield from _declaration_faults(cell, call)
        yield from _part_faults(cell, tree, variable)
        yield from _call_faults(cell, tree, variable)
        tests.update(list(_test_functions(tree)))
        for name in _test_functions(tree):
            if tests[name] > 1:
                yield Fault(cell, f"{name} is defined by an earlier graded cell as well")


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


def _declarations(tree: ast.Module) -> list[tuple[str, ast.Call]]:
    """Return the variables that become a Checks object, each with the call that makes it."""
    return [
        (node.targets[0].id, node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", "") == "Checks"
    ]


def _declaration_faults(cell: NotebookNode, call: ast.Call) -> Iterator[Fault]:
    given = dict(zip(("grade_id", "points"), map(_literal, call.args), strict=False))
    given |= {keyword.arg or "": _literal(keyword.value) for keyword in call.keywords}
    if given.get("grade_id") != id_of(cell):
        yield Fault(cell, f"its Checks must name {id_of(cell)!r}, got {given.get('grade_id')!r}")
    points = cell.metadata.nbgrader.get("points")
    if given.get("points") != points:
        got = given.get("points")
        yield Fault(cell, f"its Checks must be worth {points!r} points as its header, got {got!r}")


def _part_faults(cell: NotebookNode, tree: ast.Module, variable: str) -> Iterator[Fault]:
    declared = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    parts = [(node, call) for node in declared for call in _part_calls(node, variable)]
    names = Counter(node.name for node, _ in parts)
    yield from (
        Fault(cell, f"{name}: {n} parts of that name") for name, n in names.items() if n > 1
    )
    total = 0
    for node, call in parts:
        options = {keyword.arg: keyword.value for keyword in call.keywords}
        points = _literal(options.get("points"))
        if type(points) is not int or points < 0:
            yield Fault(cell, f"{node.name}: a part needs whole points, at least 0, got {points!r}")
        else:
            total += points
        if not ast.get_docstring(node):
            yield Fault(
                cell, f"{node.name}: a part needs a docstring; students read its first line"
            )
        if not _literal(options.get("hint")):
            yield Fault(cell, f"{node.name}: a part needs a hint")
        yield from _input_faults(cell, node, options.get("given"))
    wanted = cell.metadata.nbgrader.get("points")
    if total != wanted:
        yield Fault(cell, f"its parts must add up to {wanted!r} points, got {total}")


def _part_calls(node: ast.FunctionDef, variable: str) -> Iterator[ast.Call]:
    for mark in node.decorator_list:
        match mark:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="part")):
                if name == variable:
                    yield mark


def _input_faults(
    cell: NotebookNode, node: ast.FunctionDef, given: ast.expr | None
) -> Iterator[Fault]:
    """Compare a part's parameters with the keys of `given`, where these can be read."""
    if node.args.kwarg or (given is not None and not isinstance(given, ast.Dict)):
        return
    keys = [_literal(key) for key in given.keys] if given else []
    if None in keys:  # **spread, or a key that is computed
        return
    takes = [argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)]
    if sorted(takes) != sorted(map(str, keys)):
        yield Fault(cell, f"{node.name}: takes {takes}, but `given` has {keys}")


def _call_faults(cell: NotebookNode, tree: ast.Module, variable: str) -> Iterator[Fault]:
    """Look for the function that pytest calls and for the call that a notebook runs."""
    if not any(_calls(node, variable, "run") for node in _test_functions(tree).values()):
        yield Fault(cell, f"a graded cell needs a function test_... that calls {variable}.run()")
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    shown = [node for node in blocks if ast.unparse(node.test) == "__name__ == '__main__'"]
    if not any(_calls(node, variable, "show") for node in shown):
        yield Fault(
            cell,
            f'a graded cell ends with {variable}.show() under if __name__ == "__main__"; '
            "one that only defines its tests gives everybody full marks",
        )


def _test_functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    return {
        node.name: node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def _calls(tree: ast.AST, variable: str, method: str) -> bool:
    wanted = f"{variable}.{method}"
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(ast.unparse(node.func) == wanted for node in calls)


def _literal(node: ast.expr | None) -> object:
    """Return the value of an expression that is plain data, else None."""
    try:
        return None if node is None else ast.literal_eval(node)
    except ValueError:
        return None


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
