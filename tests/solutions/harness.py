"""Run the graded cells of the real source with some solution cells replaced, without a kernel."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import CodeType, MappingProxyType
from typing import Any

from nbformat import NotebookNode

from tinytorch.checks import Checks, Report, Student
from tinytorch.checks.observe import SECONDS_A_PART, observe
from tinytorch.checks.report import PartVerdict
from tito.authoring.source import read_source
from tito.course import Course
from tito.course.check_modules import by_cell, texts_of

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
STUB = re.compile(r"^( *)### BEGIN SOLUTION$.*?### END SOLUTION$", re.MULTILINE | re.DOTALL)


@cache
def assignment() -> NotebookNode:
    """Return the source of the assignment, with its checks."""
    course = Course(ROOT)
    module = course.module("08_optimizers")
    return read_source(module.source, course.checks(module))


@cache
def all_checks() -> dict[str, Checks]:
    """Return the checks of the assignment by graded cell."""
    return by_cell(texts_of(assignment()))


@cache
def cells() -> list[tuple[str, NotebookNode]]:
    """Return the code cells of the assignment that are locked, solutions or graded, by name."""
    return [
        (cell.metadata.nbgrader.grade_id, cell)
        for cell in assignment().cells
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
    wanted = set(graded_cells()) if only is None else only
    return {name: checks.report(student) for name, checks, student in graded(replaced, wanted)}


def first_failure(
    replaced: dict[str, str],
    grade_id: str,
    seconds: float = SECONDS_A_PART,
    likely: Mapping[str, int] = MappingProxyType({}),
) -> PartVerdict | None:
    """Run one graded cell up to the first part that takes points.

    Parameters
    ----------
    replaced : dict of str to str
        As in :func:`reports`.
    grade_id : str
        The graded cell.
    seconds : float
        Processor time of each part.
    likely : mapping of str to int, optional
        Weights of parts, by name: the heaviest run first.

    Returns
    -------
    PartVerdict or None
        None if the cell gives full marks.
    """
    for _, checks, student in graded(replaced, {grade_id}):
        for part in sorted(checks.parts, key=lambda part: -likely.get(part.name, 0)):
            if part.points:
                verdict = part.verdict(observe(part.exercise, student, part.inputs, seconds))
                if verdict.problem is not None:
                    return verdict
    return None


def graded(replaced: dict[str, str], wanted: set[str]) -> Iterator[tuple[str, Checks, Student]]:
    """Run the cells in order; stop at each graded cell that is wanted, with its checks.

    Parameters
    ----------
    replaced : dict of str to str
        As in :func:`reports`.
    wanted : set of str
        Names of graded cells.

    Yields
    ------
    tuple of str, Checks and Student
        The cell's name, its checks, and what the cells before it defined.
    """
    namespace: dict[str, Any] = {"__name__": "notebook"}
    for name, cell in cells():
        if cell.metadata.nbgrader.grade:
            if name in wanted:
                yield name, all_checks()[name], Student(namespace)
            continue
        # A solution cell that raises leaves its names undefined, as in a notebook.
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            source = replaced.get(name)
            exec(_code(source, name) if source else _compiled(cell.source, name), namespace)


def _code(source: str, name: str) -> CodeType:
    # What this module imports from __future__ is no part of a notebook.
    return compile(source, name, "exec", dont_inherit=True)


@cache
def _compiled(source: str, name: str) -> CodeType:
    return _code(source, name)
