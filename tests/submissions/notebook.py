"""A student's notebook, made from the release."""

from __future__ import annotations

import copy

import nbformat
from nbformat import NotebookNode

from tests.solutions.wrong_ideas import source_of
from tito.authoring.nbdev_export import without_scaffolding
from tito.authoring.source import read_source
from tito.course import Course, Module


class Work:
    """A release in a student's hands.

    Parameters
    ----------
    course : Course
        Must have a release of the module.
    module : Module
        The assignment.

    Attributes
    ----------
    file : str
        The name under which it is handed in.
    notebook : NotebookNode
        What it is now.
    """

    def __init__(self, course: Course, module: Module) -> None:
        self.file = f"{module.notebook}.ipynb"
        self.notebook = nbformat.read(course.release / module.name / self.file, as_version=4)
        self._source = read_source(module.source)

    def cell(self, grade_id: str, notebook: NotebookNode | None = None) -> NotebookNode:
        """Return the cell of that name, of the release or of another notebook."""
        for cell in (notebook or self.notebook).cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id:
                return cell
        raise KeyError(grade_id)

    def names(self, *, written: bool) -> list[str]:
        """Return the grade_ids of the solution cells: written answers, or code."""
        return [
            cell.metadata.nbgrader.grade_id
            for cell in self.notebook.cells
            if cell.metadata.get("nbgrader", {}).get("solution")
            and (cell.cell_type == "markdown") == written
        ]

    def solve(self, *grade_ids: str) -> Work:
        """Fill cells with the reference solution; all code cells by default."""
        for grade_id in grade_ids or self.names(written=False):
            source = self.cell(grade_id, self._source).source
            self.cell(grade_id).source = without_scaffolding(source)
        return self

    def write_answers(self) -> Work:
        """Answer the written questions."""
        for grade_id in self.names(written=True):
            self.cell(grade_id).source = (
                "Adam keeps two further arrays per parameter, so its state is twice the size of "
                "the parameters; a checkpoint must hold both, and the step count."
            )
        return self

    def put(self, grade_id: str, source: str) -> Work:
        """Fill one cell with any source."""
        self.cell(grade_id).source = source
        return self

    def put_wrong(self, grade_id: str, name: str) -> Work:
        """Fill one cell with a wrong solution of ``tests/solutions``."""
        return self.put(grade_id, source_of("wrong", f"{grade_id}/{name}"))

    def delete(self, grade_id: str) -> Work:
        """Delete a cell."""
        self.notebook.cells.remove(self.cell(grade_id))
        return self

    def demonstrations(self) -> list[NotebookNode]:
        """Return the code cells that nothing names."""
        code = (cell for cell in self.notebook.cells if cell.cell_type == "code")
        return [cell for cell in code if "nbgrader" not in cell.metadata]

    def drop_demonstrations(self) -> Work:
        """Delete them: a student may, and they earn nothing."""
        dropped = {id(cell) for cell in self.demonstrations()}
        self.notebook.cells = [cell for cell in self.notebook.cells if id(cell) not in dropped]
        return self

    def insert_first(self, source: str) -> Work:
        """Put a code cell of the student's own at the top."""
        cell = nbformat.v4.new_code_cell(source)
        cell.id = "students-own"
        self.notebook.cells.insert(0, cell)
        return self

    def text(self) -> str:
        """Return the notebook as the file that is handed in."""
        return nbformat.writes(copy.deepcopy(self.notebook)) + "\n"
