"""A source as students may see it, as a notebook in memory: no folders, no gradebook."""

from __future__ import annotations

from copy import deepcopy

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearMarkScheme

from tito.authoring.release import ClearTodoSolutions
from tito.authoring.rules import faults_of_release
from tito.course import Course
from tito.errors import TitoError


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
    if faults := faults_of_release(notebook, source):
        raise TitoError("\n".join(faults))
    return notebook
