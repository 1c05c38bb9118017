"""The course's gradebook, which is nbgrader's."""

from __future__ import annotations

from nbgrader.api import Assignment, Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from tinytorch.tito.course import Course, Module
from tinytorch.tito.errors import TitoError


def open_gradebook(course: Course, config: Config | None = None) -> Gradebook:
    """Open the course's gradebook; it is a context manager that closes itself."""
    where = CourseDirectory(config=config or course.nbgrader_config())
    where.root = str(course.root)
    return Gradebook(where.db_url, where.course_id)


def assignment_in(book: Gradebook, module: Module) -> Assignment:
    """Return a module's assignment.

    Raises
    ------
    TitoError
        If the gradebook does not know it.
    """
    try:
        # A due date may be entered before the first release: then it has no notebook.
        book.find_notebook(module.notebook, module.name)
        return book.find_assignment(module.name)
    except MissingEntry as error:
        raise TitoError(
            f"the gradebook does not know {module.name}; make it with 'tito release {module.name}'."
        ) from error
