"""The course's gradebook, which is nbgrader's."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from nbgrader.api import Assignment, Gradebook, MissingEntry, SubmittedAssignment
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.orm import Query
from traitlets.config import Config

from tito.course import Course, Module
from tito.course.cells import SourceCell
from tito.course.roster import Person
from tito.errors import TitoError


def open_gradebook(course: Course, config: Config | None = None) -> Gradebook:
    """Open the course's gradebook; it is a context manager that closes itself."""
    where = CourseDirectory(config=config or course.nbgrader_config())
    where.root = str(course.root)
    return Gradebook(where.db_url, where.course_id)


def people_in(book: Gradebook) -> list[Person]:
    """Return the students as the gradebook knows them."""
    return [
        Person(
            student.id,
            student.first_name or "",
            student.last_name or "",
            {
                "email": student.email or "",
                "canvas": student.lms_user_id or "",
                "sid": student.id,
            },
        )
        for student in book.students
    ]


def submissions_in(book: Gradebook, module: Module, *columns: Any) -> Query:
    """Return a query of a module's submissions, to be joined with what is in them."""
    ours = SubmittedAssignment
    query = book.db.query(*columns).select_from(ours).join(ours.assignment)
    return query.filter(Assignment.name == module.name)


def times_in(book: Gradebook, module: Module) -> dict[str, tuple[datetime | None, timedelta]]:
    """Return when each student handed in (UTC), and the extension, by student."""
    ours = SubmittedAssignment
    rows = submissions_in(book, module, ours.student_id, ours.timestamp, ours.extension)
    return {student: (when, extension or timedelta()) for student, when, extension in rows}


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


def source_cells(book: Gradebook, module: Module) -> tuple[tuple[SourceCell, ...], str]:
    """Return what the gradebook holds of a module's cells, and its kernelspec as JSON."""
    notebook = book.find_notebook(module.notebook, module.name)
    worth = {cell.name: float(cell.max_score) for cell in notebook.grade_cells}
    cells = tuple(
        SourceCell(
            cell.name, cell.cell_type, cell.locked, cell.source, cell.checksum, worth.get(cell.name)
        )
        for cell in notebook.source_cells
    )
    return cells, notebook.kernelspec or ""
