"""Run the graded cells of the real sources with some solution cells replaced, without a kernel."""

from __future__ import annotations

import ast
import contextlib
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
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
NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Assignment:
    """A module with graded cells.

    Attributes
    ----------
    name : str
        The module's name.
    """

    name: str

    @cached_property
    def notebook(self) -> NotebookNode:
        """The source, with its checks."""
        course = Course(ROOT)
        module = course.module(self.name)
        return read_source(module.source, course.checks(module))

    @cached_property
    def checks(self) -> dict[str, Checks]:
        """The checks by graded cell."""
        return by_cell(texts_of(self.notebook))

    @cached_property
    def cells(self) -> dict[str, NotebookNode]:
        """The code cells that are locked, solutions or graded, in order, by grade_id."""
        return {
            cell.metadata.nbgrader.grade_id: cell
            for cell in self.notebook.cells
            if cell.cell_type == "code" and "nbgrader" in cell.metadata
        }

    @cached_property
    def graded(self) -> dict[str, int]:
        """The points of the cells that are graded by machine."""
        return {
            name: int(cell.metadata.nbgrader.points)
            for name, cell in self.cells.items()
            if cell.metadata.nbgrader.grade
        }

    @cached_property
    def solutions(self) -> dict[str, ast.Module]:
        """The solution cells, parsed."""
        return {
            name: ast.parse(cell.source)
            for name, cell in self.cells.items()
            if cell.metadata.nbgrader.solution
        }

    @cached_property
    def _ungraded(self) -> dict[str, CodeType]:
        return {n: code(c.source, n) for n, c in self.cells.items() if n not in self.graded}

    def __str__(self) -> str:
        return self.name

    def stub(self, name: str) -> str:
        """Return a solution cell as a student gets it."""
        return STUB.sub(r"\1raise NotImplementedError('TODO')", self.cells[name].source)

    def run(
        self, replaced: Mapping[str, str], until: str = "", called: str = "notebook"
    ) -> dict[str, Any]:
        """Run what is not graded, in order, with some cells replaced; return what it binds.

        Parameters
        ----------
        replaced : mapping of str to str
            Sources by the grade_id of a solution cell, instead of the reference.
        until : str, optional
            A graded cell at which to stop; all run by default.
        called : str, optional
            The ``__name__`` of the cells.
        """
        namespace: dict[str, Any] = {"__name__": called}
        for name in self.cells:
            if name == until:
                break
            if name in self.graded:
                continue
            # A cell that raises leaves its names undefined, as in a notebook.
            with contextlib.suppress(Exception), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                own = replaced.get(name)
                exec(code(own, name) if own else self._ungraded[name], namespace)
        return namespace

    def report(self, grade_id: str, replaced: Mapping[str, str] = NOTHING) -> Report:
        """Run the cells before a graded one, with some replaced, and return its report."""
        return self.checks[grade_id].report(Student(self.run(replaced, grade_id)))

    def reports(self, replaced: Mapping[str, str] = NOTHING) -> dict[str, Report]:
        """Return the reports of all graded cells, with some cells replaced."""
        return {name: self.report(name, replaced) for name in self.graded}

    def first_failure(
        self,
        replaced: Mapping[str, str],
        grade_id: str,
        seconds: float = SECONDS_A_PART,
        likely: Mapping[str, int] = NOTHING,
    ) -> PartVerdict | None:
        """Run one graded cell up to the first part that takes points.

        Parameters
        ----------
        replaced : mapping of str to str
            As in :meth:`run`.
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
        student = Student(self.run(replaced, grade_id))
        parts = self.checks[grade_id].parts
        for part in sorted(parts, key=lambda part: -likely.get(part.name, 0)):
            if part.points:
                verdict = part.verdict(observe(part.exercise, student, part.inputs, seconds))
                if verdict.problem is not None:
                    return verdict
        return None


def code(source: str, name: str) -> CodeType:
    """Compile a cell; what this module imports from __future__ is no part of it."""
    return compile(source, name, "exec", dont_inherit=True)


@cache
def assignments() -> tuple[Assignment, ...]:
    """Return the course's modules that have graded cells."""
    found = (Assignment(module.name) for module in Course(ROOT).modules)
    return tuple(each for each in found if each.graded)


def assignment(cell: str) -> Assignment:
    """Return the assignment of a solution or a graded cell, whose names are the course's."""
    return next(each for each in assignments() if cell in {*each.solutions, *each.graded})
