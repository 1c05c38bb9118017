"""A small assignment in a student's hands."""

from __future__ import annotations

import nbformat
import pytest
from nbformat import NotebookNode

from tests.tito.small_course import cell, named
from tito.authoring.nbdev_export import export_module
from tito.authoring.package import build_package
from tito.authoring.source import read_source
from tito.student.notebook import Assignment

STUB = """\
#| export
class Answer:
    \"\"\"Knows the answer.\"\"\"

    def give(self):
        \"\"\"Return forty-two.\"\"\"
        # TODO: return the number of the question.
        raise NotImplementedError("TODO in Answer.give: return the number of the question.")
"""
RIGHT = """\
#| export
class Answer:
    def give(self):
        return 41 + ONE
"""


class Desk:
    """A student's notebook, the release it came from, and the package it runs with."""

    def __init__(self, course):
        module = course.module("02_second")
        export_module(course, course.module("01_first"))
        self.package = build_package(course, module, judging=True)
        self.node = read_source(module.source)
        self.cell("answer").source = STUB
        question = nbformat.v4.new_markdown_cell("Write your answer here.", id="question")
        self.node.cells.append(named(question, "question", grade=True, solution=True, points=5))
        released = course.root / "released" / "02_second" / "second_dev.ipynb"
        released.parent.mkdir(parents=True)
        nbformat.write(self.node, released)
        self.assignment = Assignment(released)
        self.path = course.root / "second_dev.ipynb"
        self.save()

    def cell(self, grade_id: str) -> NotebookNode:
        return cell(self.node, grade_id)

    def write(self, grade_id: str, source: str) -> Desk:
        """Fill a cell, and save."""
        self.cell(grade_id).source = source
        return self.save()

    def add(self, source: str) -> Desk:
        """Put a cell of one's own before the graded one, and save."""
        where = self.node.cells.index(self.cell("test-answer"))
        self.node.cells.insert(where, nbformat.v4.new_code_cell(source, id=f"own-{where}"))
        return self.save()

    def save(self) -> Desk:
        nbformat.write(self.node, self.path)
        return self


@pytest.fixture
def desk(course) -> Desk:
    return Desk(course)
