"""A source as students may see it, as a notebook in memory: no folders, no gradebook."""

from __future__ import annotations

from copy import deepcopy

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearMarkScheme

from tinytorch.tito.course import Course
from tinytorch.tito.errors import TitoError
from tinytorch.tito.release import ClearTodoSolutions
from tinytorch.tito.rules.cells import name_of
from tinytorch.tito.rules.leaks import release_faults


def handout(course: Course, source: NotebookNode) -> NotebookNode:
    """Return a source without solutions and rubrics, as a release would have it.

    Parameters
    ----------
    course : Course
        Its ``nbgrader_config.py`` says what stands in the place of what is cleared.
    source : nbformat.NotebookNode
        The source of a module; stays as it is.

    Raises
    ------
    TitoError
        If a line of a solution or rubric is left.
    """
    notebook = deepcopy(source)
    config = course.nbgrader_config()
    for step in (ClearTodoSolutions(config=config), ClearMarkScheme(config=config)):
        notebook, _ = step.preprocess(notebook, {})
    for fault in release_faults(notebook, source):
        assert fault.cell is not None
        raise TitoError(f"{name_of(fault.cell)}: {fault.text}")
    return notebook
