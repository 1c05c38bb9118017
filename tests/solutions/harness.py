"""Run the graded cells of the real source with some solution cells replaced, without a kernel."""

from __future__ import annotations

import contextlib
import re
import warnings
from functools import cache
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from tinytorch.checks import Checks, Report
from tinytorch.tito.course import Course
from tinytorch.tito.source import read_source

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
STUB = re.compile(r"^( *)### BEGIN SOLUTION$.*?### END SOLUTION$", re.MULTILINE | re.DOTALL)


@cache
def cells() -> list[tuple[str, NotebookNode]]:
    """Return the code cells of the assignment that are locked, solutions or graded, by name."""
    source = read_source(Course(ROOT).module("08_optimizers").source)
    return [
        (cell.metadata.nbgrader.grade_id, cell)
        for cell in source.cells
        if cell.cell_type == "code" and "nbgrader" in cell.metadata
    ]


def graded_cells() -> list[str]:
    """Return the grade_ids of the cells that are graded by machine."""
    return [name for name, cell in cells() if cell.metadata.nbgrader.grade]


def stub(name: str) -> str:
    """Return a solution cell as a student gets it."""
    source = next(cell.source for other, cell in cells() if other == name)
    return STUB.sub(r"\1raise NotImplementedError('TODO')", source)


def reports(replaced: dict[str, str], only: set[str] | None = None) -> dict[str, Report]:
    """Run the notebook's locked, solution and graded cells, and return the reports.

    Parameters
    ----------
    replaced : dict of str to str
        Sources by the grade_id of a solution cell, instead of the reference.
    only : set of str, optional
        The graded cells to run; all by default.
    """
    namespace: dict[str, Any] = {"__name__": "notebook"}
    found = {}
    for name, cell in cells():
        if cell.metadata.nbgrader.grade:
            if only is None or name in only:
                exec(compile(cell.source, name, "exec"), namespace)
                found[name] = _checks(namespace, name).report()
            continue
        # A solution cell that raises leaves its names undefined, as in a notebook.
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(replaced.get(name, cell.source), name, "exec"), namespace)
    return found


def _checks(namespace: dict[str, Any], grade_id: str) -> Checks:
    return next(
        value
        for value in namespace.values()
        if isinstance(value, Checks) and value.grade_id == grade_id
    )
