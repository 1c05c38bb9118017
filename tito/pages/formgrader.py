"""What formgrader shows of a graded notebook, bounded: it renders all pages in one thread.

``nbgrader_config.py`` names these for nbconvert. Sources are shown whole, if need be as plain
text; outputs, which are no one's answer, are cut.
"""

from __future__ import annotations

import re
from typing import Any

import jinja2
from markupsafe import Markup
from nbconvert.filters import Highlight2HTML
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode

from tito.pages import clean
from tito.pages.bounds import MOST_MARKDOWN, Allowance, is_light_code
from tito.pages.outputs import tidy

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


class ForGraders(Preprocessor):
    """Leave of each output what formgrader's templates can show, and grant the allowances."""

    enabled = True

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Bound one notebook."""
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
    return context["resources"]["tinytorch"][what]


@jinja2.pass_context
def markdown2html(context: Any, source: str) -> Markup:
    """Render markdown, which formgrader's templates do not clean; a rubric stands in a box."""
    cell = context.get("cell") or {}
    if len(source) <= MOST_MARKDOWN:
        source = _RUBRIC.sub(r'\n<div class="alert alert-info">\n\n\1\n\n</div>\n\n', source)
    return clean.markdown(source, cell.get("attachments"), _allowance(context, "sources"))


@jinja2.pass_context
def clean_html(context: Any, element: str) -> Markup:
    """Clean the HTML of an output."""
    return clean.clean_html(element, _allowance(context, "outputs"))


@jinja2.pass_context
def highlight_code(context: Any, source: str, metadata: Any = None) -> Markup:
    """Colour code as Python, whatever a cell's metadata say.

    The rules for IPython's own syntax take time that grows with the square of a line.
    """
    highlight = Highlight2HTML(pygments_lexer="python3")
    return clean.rendered(source, highlight, is_light_code, _allowance(context, "sources"))
