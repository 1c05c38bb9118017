"""The pages that go back to students: of a class, and of one notebook for nbgrader."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import Exporter
from nbformat import NotebookNode
from nbgrader.api import BaseCell, Comment, Grade, Gradebook
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme
from traitlets.config import Config

from tito.authoring.releases import read_release
from tito.course import Course, Module
from tito.course.cells import is_locked, is_task
from tito.course.course import problem_with_id
from tito.course.files import replace_text
from tito.course.gradebook import open_gradebook, people_in
from tito.course.roster import Person, matched
from tito.course.roster import read as read_roster
from tito.errors import TitoError
from tito.gradebook import penalties, records
from tito.pages import environment
from tito.pages.feedback_page import GradeSummary, Mark, render
from tito.pages.outputs import tidy
from tito.text import without_colors

_OPEN_AND_SAVE = "Open it in Jupyter, run it from top to bottom, save it and hand it in again."
_BY_OTHERS = "Your instructor knows."

#: Shorter lines of a hidden test give nothing away.
_SHORTEST_SECRET = 8


def write(
    course: Course,
    module: Module,
    on_progress: Callable[[int, int, str], None] | None = None,
    students: Sequence[str] | None = None,
) -> list[Path]:
    """Write a page for each student: what was graded, or why nothing was.

    Parameters
    ----------
    course, module
        Whose pages.
    on_progress : callable, optional
        Called with (done, total, student) before each page and, with "", at the end.
    students : sequence of str, optional
        Only these, who have a record.

    Returns
    -------
    list of Path
        The pages, by student. A page of an earlier grading is replaced; who was graded with an
        earlier release gets none.

    Raises
    ------
    TitoError
        If a page could not be made; all others are. If there is a roster that cannot be read.
    """
    pages, failed = [], []
    penalties.refresh(course, module)
    outdated = records.stale(course, module, students)
    known = students_of(course, module) if students is None else students
    students = [student for student in known if student not in outdated]
    report = on_progress or (lambda done, total, student: None)
    config = course.nbgrader_config()
    with open_gradebook(course, config) as book:
        names = _names(course, book, students)
        for number, student in enumerate(students):
            report(number, len(students), student)
            path = course.feedback / student / module.name / f"{module.notebook}.html"
            try:
                replace_text(path, _page(course, module, student, names[student], book, config))
                pages.append(path)
            except Exception as error:  # whatever a student's notebook brings about
                failed.append(f"{student} ({type(error).__name__}: {error})")
    report(len(students), len(students), "")
    if failed:
        raise TitoError(
            f"{len(pages)} pages were written, but none for {'; '.join(failed)}. "
            f"Grade them again with 'tito grade {module.name} --force --student NAME'."
        )
    return pages


def students_of(course: Course, module: Module) -> list[str]:
    """Return who gets a page: graded, or handed in and noted as failed."""
    graded = {
        path.parent.parent.name
        for path in course.autograded.glob(f"*/{module.name}/{module.notebook}.ipynb")
    }
    noted = {
        student
        for student in course.students(module)
        if not problem_with_id(student) and records.load(course, module, student)
    }
    return sorted(graded | noted)


def _names(course: Course, book: Gradebook, students: Sequence[str]) -> dict[str, str]:
    """Return what students are called: in the roster, else in the gradebook, else nothing."""
    known = {person.student: person for person in people_in(book)}
    people = [known.get(student) or Person(student) for student in students]
    listed = matched(people, read_roster(course.roster)) if course.roster.is_file() else {}
    return {
        person.student: listed.get(person.student, person).name or person.name for person in people
    }


def _page(
    course: Course, module: Module, student: str, name: str, book: Gradebook, config: Config
) -> str:
    record = records.load(course, module, student)
    if record is not None and record.status == "failed":
        template = environment().get_template("failure.html.j2")
        return template.render(
            notebook=module.notebook,
            record=record,
            name=name,
            reason=record.problem or "Something went wrong while it was graded.",
            advice=_OPEN_AND_SAVE if record.problem else _BY_OTHERS,
        )
    graded = course.autograded / student / module.name / f"{module.notebook}.ipynb"
    nb = clear_secrets(nbformat.read(graded, as_version=4), config)
    summary = _summary(book, module.name, module.notebook, student, name)
    return render(nb, summary, _sources(course.released(module)))


def _summary(
    book: Gradebook, assignment: str, notebook: str, student: str, name: str
) -> GradeSummary:
    """Read what the gradebook holds of a submission."""
    submitted = book.find_submission_notebook(notebook, assignment, student)
    grades, comments = (
        book.db.query(kind, BaseCell.name)
        .join(BaseCell, BaseCell.id == kind.cell_id)
        .filter(kind.notebook_id == submitted.id)
        for kind in (Grade, Comment)
    )
    texts = {cell: c.manual_comment or c.auto_comment for c, cell in comments}
    return GradeSummary(
        student,
        {cell: _mark(grade) for grade, cell in grades},
        {cell: text for cell, text in texts.items() if text},
        submitted.late_submission_penalty or 0.0,
        name,
    )


def _mark(grade: Grade) -> Mark:
    unseen = grade.auto_score is None and grade.manual_score is None
    points = None if unseen else grade.score
    return Mark(points, grade.max_score, bool(grade.needs_manual_grade))


def _sources(release: Path) -> frozenset[str]:
    """Return the sources of a release's cells, if it is still there."""
    if not release.is_file():
        return frozenset()
    return frozenset(cell.source for cell in read_release(release).cells)


def clear_secrets(nb: NotebookNode, config: Config | None = None) -> NotebookNode:
    """Take hidden tests and mark schemes out of a graded notebook, and what quotes them.

    Only the course's own cells are searched for nbgrader's markers: in a student's cell they
    mean nothing, and nbgrader's own preprocessors would refuse the notebook for them. A course's
    configuration may name other markers.
    """
    hidden, scheme = ClearHiddenTests(config=config), ClearMarkScheme(config=config)
    secrets: set[str] = set()
    for cell in nb.cells:
        if is_locked(cell) or is_task(cell):
            before = set(cell.source.split("\n"))
            hidden._remove_hidden_test_region(cell)
            scheme._remove_mark_scheme_region(cell)
            secrets |= before - set(cell.source.split("\n"))
    telling = {line.strip() for line in secrets if len(line.strip()) >= _SHORTEST_SECRET}
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs = tidy(cell.outputs)
            for output in cell.outputs:
                _shorten_error(output, telling)
    return nb


def _shorten_error(output: NotebookNode, telling: set[str]) -> None:
    """Leave of a traceback that shows a hidden line only its last line."""
    if output.output_type == "error":
        text = without_colors("\n".join(output.traceback))
        if any(line in text for line in telling):
            output.traceback = [f"{output.ename}: {output.evalue}"]


class FeedbackExporter(Exporter):
    """The same page for ``nbgrader generate_feedback``, which writes it."""

    file_extension = ".html"
    output_mimetype = "text/html"

    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Render the page of what the preprocessors leave, where somebody added any."""
        processed, known = super().from_notebook_node(
            clear_secrets(nb, self.config), resources, **kw
        )
        converter: Any = self.parent
        where, ids = converter.coursedir, known["nbgrader"]
        assignment, notebook, student = (ids[k] for k in ("assignment", "notebook", "student"))
        release = where.format_path(where.release_directory, ".", assignment)
        with Gradebook(ids["db_url"]) as book:
            person = book.find_student(student)
            name = f"{person.first_name or ''} {person.last_name or ''}".strip()
            summary = _summary(book, assignment, notebook, student, name)
        sources = _sources(Path(release, f"{notebook}.ipynb"))
        return render(processed, summary, sources), dict(known)
