"""A Sphinx extension for the documentation site: the chapters as pages, and formulas as MathML.

A chapter's page is the release form of its source, with the outputs of its demonstrations.
Solutions, rubrics and model answers are taken out before Sphinx sees a line of them.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearMarkScheme
from sphinx.errors import ExtensionError
from sphinx.util import logging

from tito.authoring.release import ClearTodoSolutions
from tito.authoring.rules import faults_of_release
from tito.authoring.rules.each_cell import Kind, kind_of
from tito.authoring.source import read_source, write_notebook
from tito.course import Course, Module
from tito.errors import TitoError
from tito.student.execute import collect, execute

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

_logger = logging.getLogger(__name__)

#: Below the folder of the documentation; ignored by git.
FOLDER = "chapters"


def chapter(course: Course, module: Module, run: bool) -> NotebookNode:
    """Return the page of a chapter, run with the reference solutions for lines and figures.

    Raises
    ------
    TitoError
        If a cell fails, or a line of a solution is left.
    """
    source = read_source(module.source)
    if run:
        execute(source, module.source.parent)
        if failures := collect(source).failures:
            raise TitoError(f"{module.name}, {failures[0]}")
    page = handout(course, source)
    for cell in page.cells:
        if cell.cell_type == "code" and kind_of(cell) is not Kind.PLAIN:
            cell.outputs = []
        if kind_of(cell) is Kind.GRADED:
            cell.metadata["tags"] = ["hide-input"]
    return page


def handout(course: Course, source: NotebookNode) -> NotebookNode:
    """Return a source as students may see it, without solutions and rubrics.

    The course's ``nbgrader_config.py`` says what stands in their place.

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


def _write_chapters(app: Sphinx, config: Config) -> None:
    """Write every chapter's page where Sphinx looks for it, if it has changed."""
    folder = Path(app.srcdir)
    try:
        course = Course.find(folder)
        for module in course.modules:
            page = chapter(course, module, config.chapters_run)
            write_notebook(page, folder / FOLDER / f"{module.name}.ipynb")
    except TitoError as error:
        raise ExtensionError(str(error)) from error


def _mathml(tex: str, node: nodes.Element, as_block: bool) -> str:
    """Return a formula as MathML, which browsers draw by themselves: no script, no network."""
    try:
        return tex2mathml(tex.replace(r"\dots", r"\ldots"), as_block=as_block)
    except MathError as error:
        _logger.warning("formula %r: %s", tex, error, location=node)
        return f"<code>{nodes.unescape(tex)}</code>"


def _visit_math(self: Any, node: nodes.math) -> None:
    self.body.append(_mathml(node.astext(), node, as_block=False))
    raise nodes.SkipNode


def _visit_block(self: Any, node: nodes.math_block) -> None:
    self.body.append(f'<div class="math">{_mathml(node.astext(), node, as_block=True)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_config_value("chapters_run", True, "env", bool)
    app.connect("config-inited", _write_chapters)
    app.add_html_math_renderer("mathml", (_visit_math, None), (_visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
