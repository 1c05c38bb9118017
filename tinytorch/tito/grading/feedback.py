"""The pages that go back to students: nbgrader's feedback, without what is not for them."""

from __future__ import annotations

import html
import logging
import re
from pathlib import Path
from typing import Any

import bleach
import jinja2
from bleach.css_sanitizer import ALLOWED_CSS_PROPERTIES, CSSSanitizer
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, NbGraderPreprocessor
from traitlets.config import Config

from tinytorch.tito.course import Course, Module
from tinytorch.tito.errors import TitoError
from tinytorch.tito.files import put_in_place, staging_folder
from tinytorch.tito.grading import converters, records
from tinytorch.tito.grading.intake import problem_with_id
from tinytorch.tito.grading.pipeline import submitted

_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{notebook}</title>
<body style="font-family: sans-serif; max-width: 45em; margin: 3em auto; padding: 0 1em">
<h1>{notebook}</h1>
<p>{student}, your notebook could not be graded.</p>
<p><strong>{reason}</strong></p>
<p>{advice}</p>
{stale}</body>
</html>
"""
_OPEN_AND_SAVE = "Open it in Jupyter, run it from top to bottom, save it and hand it in again."
_STALE = "<p>The mark in the gradebook is that of an earlier submission.</p>\n"

_TAGS = {
    *bleach.ALLOWED_TAGS,
    *("br", "caption", "dd", "del", "details", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5"),
    *("h6", "hr", "img", "p", "pre", "small", "span", "sub", "summary", "sup", "table", "tbody"),
    *("td", "tfoot", "th", "thead", "tr", "u"),
}


def _leads_to_a_page(tag: str, name: str, value: str) -> bool:
    """Let a link lead anywhere but into data, which a browser would show as a page of ours."""
    return name == "href" and not value.strip().lower().startswith("data:")


_ATTRIBUTES = {
    "*": ["class", "id", "style", "title"],
    "a": _leads_to_a_page,
    "img": ["alt", "src"],
}
_STYLES = CSSSanitizer(
    allowed_css_properties=[*ALLOWED_CSS_PROPERTIES, "border-collapse", "margin", "padding"]
)
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_MIN_TELLING_LINE = 8


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


def clean_html(element: str) -> str:
    """Let through the HTML that tables, pictures and text need, and no script.

    nbconvert's filter of this name knows neither paragraphs nor table heads and shows their tags.
    """
    return bleach.clean(
        str(element),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        protocols={*bleach.ALLOWED_PROTOCOLS, "data"},
        css_sanitizer=_STYLES,
    )


@jinja2.pass_context
def markdown2html(context: Any, source: str) -> str:
    """Render markdown for nbgrader's templates, which do not clean it themselves."""
    cell = context.get("cell") or {}
    renderer = IPythonRenderer(escape=False, attachments=cell.get("attachments", {}))
    return clean_html(MarkdownWithMath(renderer=renderer).render(source))


def write(course: Course, module: Module) -> list[Path]:
    """Write a page for each student: the graded notebook, or why there is none.

    Returns
    -------
    list of Path
        The pages, by student. A page of an earlier grading is replaced.

    Raises
    ------
    TitoError
        If a page could not be made; all others are.
    """
    pages, failed = [], []
    config = course.nbgrader_config()
    course.feedback.mkdir(parents=True, exist_ok=True)
    for student in _students(course, module):
        try:
            pages.append(_write_page(course, module, student, config))
        except Exception as error:  # whatever a student's notebook brings about in nbconvert
            failed.append(f"{student} ({type(error).__name__}: {error})")
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
            made = _failure_page(staging, module, record)
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
        for student in submitted(course, module)
        if not problem_with_id(student) and records.load(course, module, student)
    }
    return sorted(graded | noted)


def _failure_page(staging: Path, module: Module, record: records.Record) -> Path:
    made = staging / "failed"
    made.mkdir()
    page = _PAGE.format(
        notebook=html.escape(module.notebook),
        student=html.escape(record.student),
        reason=html.escape(record.problem or "Something went wrong while it was graded."),
        advice=_OPEN_AND_SAVE if record.problem else "Your instructor knows.",
        stale=_STALE if record.stale else "",
    )
    (made / f"{module.notebook}.html").write_text(page, encoding="utf-8")
    return made
