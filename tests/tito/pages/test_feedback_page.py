"""A student's page, from notebooks made by hand."""

import re

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tinytorch.checks.judge import Problem
from tinytorch.checks.report import MIME_TYPE, PartVerdict, Report
from tito.pages.feedback_page import GradeSummary, Mark, render

PNG = "iVBORw0KGgo="


def cell(made, grade_id, **settings):
    kinds = {"grade": False, "solution": False, "locked": False, "task": False, **settings}
    made.metadata.nbgrader = NotebookNode(grade_id=grade_id, schema_version=3, **kinds)
    return made


def notebook():
    parts = (
        PartVerdict("a", "A plain step.", 2, 2, None, ""),
        PartVerdict("b", "Velocity.", 3, 0, Problem("w", "[1.9]", "<b>[1.0]</b>"), "Think."),
    )
    report = Report("test-sgd", 5, parts)
    given = new_code_cell("draw()", outputs=[new_output("display_data", {"image/png": PNG})])
    own = new_code_cell("mine = 1", outputs=[new_output("stream", text="one\n")])
    check = new_code_cell("the_secret_of_the_check()")
    check.outputs = [
        new_output("display_data", {MIME_TYPE: report.data(), "text/html": "<i>table</i>"}),
        new_output("execute_result", {"text/plain": "2.0"}),
        new_output("stream", text="printed by the check"),
    ]
    return new_notebook(
        cells=[
            new_markdown_cell("# Optimizers\n\nProse of the course."),
            new_markdown_cell("## 2 SGD"),
            cell(new_code_cell("class SGD: ..."), "sgd-class", solution=True),
            given,
            own,
            cell(check, "test-sgd", grade=True, locked=True),
            cell(new_markdown_cell("### Why? (10 points)\n\nSay $w$."), "prompt", locked=True),
            cell(new_markdown_cell("*Because.*"), "question-1", grade=True, solution=True),
        ]
    )


def summary(**more):
    marks = {"test-sgd": Mark(2.0, 5.0), "question-1": Mark(None, 10.0, waits=True)}
    return GradeSummary("ada <3", marks, **more)


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL))


def test_page_shows_own_work_and_hides_course_text():
    comments = {"sgd-class": "A **neat** class.", "question-1": "More, please."}
    page = render(notebook(), summary(comments=comments, penalty=0.5), {"draw()"})
    text = words(page)
    assert "Optimizers" in text and "ada &lt;3" in text
    assert "1.5 of 15 points" in text and "0.5 points were taken" in text
    assert "1 answer is still to be marked" in text and "to be marked / 10" in text
    assert "2 SGD" in text and "2 / 5" in text
    assert "0/3 Velocity. where w expected [1.9] got &lt;b&gt;[1.0]&lt;/b&gt; hint Think." in text
    assert f'src="data:image/png;base64,{PNG}"' in page
    assert "mine" in text and "one" in text and "printed by the check" in text
    assert "<em>Because.</em>" in page and "<strong>neat</strong>" in page
    assert "Comment More, please." in text and "Why? to be marked" in text
    for hidden in ("Prose of the course", "the_secret_of_the_check", "draw", "<i>table</i>"):
        assert hidden not in page


def test_an_error_is_shown_and_a_full_mark_folded():
    nb = notebook()
    nb.cells[4].outputs = [
        new_output("error", ename="E", evalue="bad", traceback=["\x1b[31mE: bad"])
    ]
    marks = {"test-sgd": Mark(5.0, 5.0)}
    page = render(nb, GradeSummary("ada", marks))
    assert '<pre class="no">E: bad</pre>' in page
    assert "All 2 behaviours hold" in page and "still to be marked" not in page
