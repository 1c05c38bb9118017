"""What is not suspicious: the course itself, and ordinary solutions."""

from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.utils import is_solution

from tests.solutions.harness import assignment
from tests.solutions.wrong_ideas import right_solutions, wrong_solutions
from tests.tito.small_course import named
from tito.authoring.source import read_source
from tito.course import Course
from tito.flags.suspicion import suspicions

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def sources() -> dict[str, NotebookNode]:
    return {module.exports_to: read_source(module.source) for module in Course(ROOT).modules}


def test_nothing_in_the_course_itself_is_suspicious(sources):
    found = {
        # What the course itself shows and students may change is passed over as it is.
        module: suspicions(nb, module, {c.source.strip() for c in nb.cells if not is_solution(c)})
        for module, nb in sources.items()
    }
    assert found == {module: [] for module in sources}


@pytest.mark.parametrize("solutions", [right_solutions, wrong_solutions])
def test_no_ordinary_solution_is_suspicious(solutions, sources):
    course = Course(ROOT)
    for solution in solutions():
        module = course.module(assignment(solution.cell).name).exports_to
        given = [c for c in sources[module].cells if c.metadata.get("nbgrader", {}).get("locked")]
        own = named(new_code_cell(solution.source), solution.name, solution=True)
        nb = new_notebook(cells=[*given[:-1], own])
        assert suspicions(nb, module) == [], solution
