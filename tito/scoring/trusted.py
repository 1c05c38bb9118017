"""A graded cell taken apart: what drives the student's code, and what is expected of it.

Only the first goes into the student's process. The second stays here, where no student's code
ever runs.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import marshal
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tinytorch.checks import Checks
from tinytorch.checks.inputs import draw
from tinytorch.checks.wire import encode, pack
from tito.errors import TitoError

#: Of the helper, the only names that driving code needs.
_HELPER, _NEEDED = "tinytorch.checks", ("numbers_from", "snapshot")

Cases = dict[str, list[dict[str, Any]]]


def checks_of(source: str, grade_id: str) -> Checks:
    """Run a graded cell of the course for its declarations and return its checks.

    The cell is the course's own; nothing in it calls a student's code before a part is driven.
    """
    namespace: dict[str, Any] = {"__name__": "trusted"}
    exec(compile(source, grade_id, "exec"), namespace)
    checks = [value for value in namespace.values() if isinstance(value, Checks)]
    if len(checks) != 1 or checks[0].grade_id != grade_id:
        raise TitoError(f"the cell {grade_id} must declare one Checks({grade_id!r}, ...) object.")
    return checks[0]


def draw_cases(checks: Checks, seed: int) -> Cases:
    """Return the inputs of every part: the public ones, and fresh ones where a part has them.

    The same seed, which is recorded with the mark, gives the same inputs, part by part. Parts of a
    cell that declare the same inputs get the same fresh ones, so that they can share their work.
    """
    cases: Cases = {}
    for part in checks.parts:
        name = part.drive.__name__
        cases[name] = [dict(part.given)]
        if part.vary or part.choose:
            declared = [encode(dict(part.given)), [*part.vary], encode(dict(part.choose))]
            text = f"{seed}/{checks.grade_id}/{json.dumps(declared)}".encode()
            rng = np.random.default_rng(int.from_bytes(hashlib.sha256(text).digest()[:8]))
            cases[name].append(draw(part.given, part.vary, part.choose, rng))
    return cases


@lru_cache(maxsize=64)
def driving_source(source: str) -> str:
    """Return a graded cell without what it expects: functions, classes and plain assignments.

    Decorators (they hold the expected values), docstrings (they tell them), the Checks object,
    the test functions and the call under ``if __name__ == "__main__":`` are left out.
    """
    driving = [node for node in map(_driving, ast.parse(source).body) if node is not None]
    return ast.unparse(ast.fix_missing_locations(ast.Module(body=driving, type_ignores=[])))


def _driving(node: ast.stmt) -> ast.stmt | None:
    match node:
        case ast.ImportFrom(module=module) if module == _HELPER:
            names = [alias for alias in node.names if alias.name in _NEEDED]
            return ast.ImportFrom(f"{_HELPER}.observe", names, 0) if names else None
        case ast.Import() | ast.ImportFrom():
            return node
        case ast.FunctionDef(name=name) if not name.startswith("test_"):
            if _is_part(node):
                node.decorator_list = []
            return _without_docstrings(node)
        case ast.ClassDef():
            return _without_docstrings(node)
        case ast.Assign(value=value) if not _makes_checks(value):
            return node
    return None


def _is_part(node: ast.FunctionDef) -> bool:
    return any(
        isinstance(mark, ast.Call)
        and isinstance(mark.func, ast.Attribute)
        and mark.func.attr == "part"
        for mark in node.decorator_list
    )


def _makes_checks(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and getattr(value.func, "id", "") == "Checks"


def _without_docstrings(tree: ast.stmt) -> ast.stmt:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node, False):
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def payload(source: str, grade_id: str, cases: Mapping[str, Sequence]) -> str:
    """Pack what drives a student's code in these cases: compiled once for a class, and small.

    It is for :func:`tinytorch.checks.observe.run_checks`, in a process of this version of Python.
    """
    # Its lines are nowhere to be quoted from: some may be hidden from students.
    code = compile(driving_source(source), f"<{grade_id}>", "exec", dont_inherit=True)
    inputs = encode({name: list(given) for name, given in cases.items()})
    return pack({"code": base64.b64encode(marshal.dumps(code)).decode("ascii"), "cases": inputs})


def payload_source(packed: str, grade_id: str, run: str, flush_each: bool = False) -> str:
    """Return what a student's process runs in the place of a graded cell.

    `run` tells this run's messages from those of any other; with `flush_each` each part's
    observation is sent before the next part begins.
    """
    more = ", flush_each=True" if flush_each else ""
    return (
        "from tinytorch.checks.observe import run_checks as _run_checks\n"
        f"_run_checks(globals(), {run!r}, {grade_id!r}, {packed!r}{more})\n"
    )
