"""The pages that go back to students: nbgrader's feedback, without what is not for them."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from nbconvert.exporters import Exporter
from nbconvert.filters import Highlight2HTML
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import BaseCell, Comment, Grade, Gradebook, Student
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, NbGraderPreprocessor
from traitlets import Dict
from traitlets.config import Config

from tito.authoring.releases import read_release
from tito.autograde import converters
from tito.course import Course, Module, late
from tito.course.course import problem_with_id
from tito.course.files import put_in_place, staging_folder
from tito.course.gradebook import open_gradebook, people_in
from tito.course.roster import Person, matched
from tito.course.roster import read as read_roster
from tito.errors import TitoError
from tito.gradebook import records
from tito.pages import clean, environment
from tito.pages.bounds import MOST_MARKDOWN, Allowance, is_light_code
from tito.pages.feedback import Mark, Standing, render
from tito.pages.outputs import tidy

_OPEN_AND_SAVE = "Open it in Jupyter, run it from top to bottom, save it and hand it in again."
_BY_OTHERS = "Your instructor knows."

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_MIN_TELLING_LINE = 8
#: Characters of the sources of a notebook that are shown to those who mark it where they cannot be
#: rendered; a chapter has 300,000. Beyond, the page says how many more the notebook has.
_MOST_SOURCE = 2_000_000
#: What formgrader's templates render; other forms of an output, such as SVG, are cleaned away.
_RENDERED = (
    *("text/html", "text/latex", "image/png", "image/jpeg", "text/markdown", "text/plain"),
)
_RUBRIC = re.compile(
    r"^#+ *BEGIN MARK SCHEME\b.*\n((?s:.*?))^#+ *END MARK SCHEME\b.*$", re.MULTILINE
)


class ForStudents(NbGraderPreprocessor):
    """Take hidden tests and mark schemes out of a graded notebook, and what quotes them.

    Only the course's own cells are searched for nbgrader's markers: in a student's cell they
    mean nothing, and nbgrader's own preprocessors would refuse the notebook for them.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Clear the cells first, then every output that quotes what was cleared."""
        secrets: set[str] = set()
        for cell in nb.cells:
            if utils.is_locked(cell) or utils.is_task(cell):
                before = set(cell.source.split("\n"))
                ClearHiddenTests(parent=self)._remove_hidden_test_region(cell)
                ClearMarkScheme(parent=self)._remove_mark_scheme_region(cell)
                secrets |= before - set(cell.source.split("\n"))
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs = tidy(cell.outputs)
        telling = {line.strip() for line in secrets if len(line.strip()) >= _MIN_TELLING_LINE}
        for cell in nb.cells:
            for output in cell.get("outputs", []):
                _shorten_error(output, telling)
        return nb, resources


def _shorten_error(output: NotebookNode, telling: set[str]) -> None:
    """Leave of a traceback that shows a hidden line only its last line."""
    if output.output_type != "error":
        return
    text = _ANSI.sub("", "\n".join(output.traceback))
    if any(line in text for line in telling):
        output.traceback = [f"{output.ename}: {output.evalue}"]


class ForGraders(Preprocessor):
    """Bound what formgrader shows of a graded notebook: it renders all pages in one thread.

    Sources are shown whole, if need be as plain text. Outputs, which are no one's answer, are cut.
    """

    enabled = True

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Leave of each output what formgrader's templates can show, and grant the allowances."""
        outputs = Allowance()
        resources["tinytorch"] = {
            "sources": Allowance(longest=_MOST_SOURCE, characters=_MOST_SOURCE),
            "outputs": outputs,
        }
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs = [_bounded(output, outputs) for output in tidy(cell.outputs)]
        return nb, resources


def _bounded(output: NotebookNode, allowance: Allowance) -> NotebookNode:
    if output.output_type == "stream":
        output.text = allowance.cut(output.text)
    elif output.output_type == "error":
        output.traceback = allowance.cut("\n".join(output.traceback)).split("\n")
    else:
        data = {kind: output.data[kind] for kind in _RENDERED if kind in output.data}
        for kind in ("text/plain", "text/latex"):
            if kind in data:
                data[kind] = allowance.cut(data[kind])
        # Metadata would be sizes and frames, in any shape that a student's code gave them.
        output.update(data=NotebookNode(data), metadata=NotebookNode())
    return output


def _allowance(context: Any, what: str) -> Allowance:
    """Return what formgrader may still spend on a page."""
    return context["resources"]["tinytorch"][what]


@jinja2.pass_context
def markdown2html(context: Any, source: str) -> Markup:
    """Render markdown for formgrader's templates, which do not clean it themselves.

    A rubric stands in a box, not between its markers.
    """
    cell = context.get("cell") or {}
    if len(source) <= MOST_MARKDOWN:
        source = _RUBRIC.sub(r'\n<div class="alert alert-info">\n\n\1\n\n</div>\n\n', source)
    return clean.markdown(source, cell.get("attachments"), _allowance(context, "sources"))


@jinja2.pass_context
def clean_html(context: Any, element: str) -> Markup:
    """Clean the HTML of an output for formgrader's templates."""
    return clean.clean_html(element, _allowance(context, "outputs"))


@jinja2.pass_context
def highlight_code(context: Any, source: str, metadata: Any = None) -> Markup:
    """Colour code for formgrader's templates, as Python, whatever a cell's metadata say.

    The rules for IPython's own syntax take time that grows with the square of a line.
    """
    highlight = Highlight2HTML(pygments_lexer="python3")
    return clean.rendered(source, highlight, is_light_code, _allowance(context, "sources"))


class GetStanding(NbGraderPreprocessor):
    """Read what the gradebook holds of a submission."""

    names = Dict(help="What students are called, by id; the gradebook's names by default.").tag(
        config=True
    )

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Put a :class:`~tito.pages.feedback.Standing` into the resources."""
        ids = resources["nbgrader"]
        with Gradebook(ids["db_url"]) as book:
            notebook = book.find_submission_notebook(
                ids["notebook"], ids["assignment"], ids["student"]
            )
            grades = (
                book.db.query(Grade, BaseCell.name)
                .join(BaseCell, BaseCell.id == Grade.cell_id)
                .filter(Grade.notebook_id == notebook.id)
            )
            comments = (
                book.db.query(Comment, BaseCell.name)
                .join(BaseCell, BaseCell.id == Comment.cell_id)
                .filter(Comment.notebook_id == notebook.id)
            )
            resources["standing"] = Standing(
                ids["student"],
                {name: _mark(grade) for grade, name in grades},
                {name: text for entry, name in comments if (text := _text(entry))},
                notebook.late_submission_penalty or 0.0,
                self.names.get(ids["student"]) or _name(notebook.student),
            )
        return nb, resources


def _name(student: Student) -> str:
    return f"{student.first_name or ''} {student.last_name or ''}".strip()


def _mark(grade: Grade) -> Mark:
    unseen = grade.auto_score is None and grade.manual_score is None
    points = None if unseen else grade.score
    return Mark(points, grade.max_score, bool(grade.needs_manual_grade))


def _text(comment: Comment) -> str:
    return comment.manual_comment or comment.auto_comment or ""


class FeedbackExporter(Exporter):
    """A graded notebook as its student's page; nbgrader's GenerateFeedback writes it."""

    file_extension = ".html"
    output_mimetype = "text/html"

    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Run the preprocessors, then render the page."""
        made, known = super().from_notebook_node(nb, resources, **kw)
        return render(made, known["standing"], self._released(known)), dict(known)

    def _released(self, resources: dict[str, Any]) -> frozenset[str]:
        """Return the sources of the release, if it is still there."""
        converter: Any = self.parent
        where, ids = converter.coursedir, resources["nbgrader"]
        folder = where.format_path(where.release_directory, ".", ids["assignment"])
        path = Path(folder, f"{ids['notebook']}.ipynb")
        return released_sources(path, path.stat().st_mtime_ns) if path.is_file() else frozenset()


@lru_cache(maxsize=4)
def released_sources(path: Path, mtime: int) -> frozenset[str]:
    """Return the sources of a release's cells, read once for a whole class."""
    return frozenset(cell.source for cell in read_release(path).cells)


def write(
    course: Course, module: Module, on_progress: Callable[[int, int, str], None] | None = None
) -> list[Path]:
    """Write a page for each student: what was graded, or why nothing was.

    Parameters
    ----------
    course, module
        Whose pages.
    on_progress : callable, optional
        Called with (done, total, student) before each page and, with "", at the end.

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
    config = course.nbgrader_config()
    course.feedback.mkdir(parents=True, exist_ok=True)
    late.refresh(course, module)
    outdated = records.stale(course, module)
    students = [student for student in _students(course, module) if student not in outdated]
    config.GetStanding.names = _names(course, students)
    tell = on_progress or (lambda done, total, student: None)
    for number, student in enumerate(students):
        tell(number, len(students), student)
        try:
            pages.append(_write_page(course, module, student, config))
        except Exception as error:  # whatever a student's notebook brings about in nbconvert
            failed.append(f"{student} ({type(error).__name__}: {error})")
    tell(len(students), len(students), "")
    if failed:
        raise TitoError(
            f"{len(pages)} pages were written, but none for {'; '.join(failed)}. "
            f"Grade them again with 'tito grade {module.name} --force --student NAME'."
        )
    return pages


def _write_page(course: Course, module: Module, student: str, config: Config) -> Path:
    place = course.feedback / student / module.name
    record = records.load(course, module, student)
    with staging_folder(course.feedback) as staging:
        if record is not None and record.status == "failed":
            made = _failure_page(staging, module, record, config.GetStanding.names[student])
        else:
            made = staging / student / module.name
            where = converters.course_directory(
                course, module, student, config, feedback_directory=staging
            )
            log = logging.Logger("tito.feedback", logging.ERROR)
            converters.run(converters.FeedbackOne, where, config, log)
        put_in_place(made, place, staging)
    return place / f"{module.notebook}.html"


def _students(course: Course, module: Module) -> list[str]:
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


def _names(course: Course, students: Sequence[str]) -> dict[str, str]:
    """Return what students are called: in the roster, else in the gradebook, else nothing."""
    with open_gradebook(course) as book:
        known = {person.student: person for person in people_in(book)}
    people = [known.get(student) or Person(student) for student in students]
    listed = matched(people, read_roster(course.roster)) if course.roster.is_file() else {}
    return {
        person.student: listed.get(person.student, person).name or person.name for person in people
    }


def _failure_page(staging: Path, module: Module, record: records.Record, name: str) -> Path:
    made = staging / "failed"
    made.mkdir()
    page = (
        environment()
        .get_template("failure.html.j2")
        .render(
            notebook=module.notebook,
            record=record,
            name=name,
            reason=record.problem or "Something went wrong while it was graded.",
            advice=_OPEN_AND_SAVE if record.problem else _BY_OTHERS,
        )
    )
    (made / f"{module.notebook}.html").write_text(page, encoding="utf-8")
    return made
