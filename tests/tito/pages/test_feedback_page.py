"""A student's page, and outputs of any shape on it, from notebooks made by hand."""

import re

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.tito.small_course import named
from tinytorch.checks.problem import Problem
from tinytorch.checks.report import MIME_TYPE, PartVerdict, Report
from tito.pages.feedback import clear_secrets
from tito.pages.feedback_page import GradeSummary, Mark, render
from tito.pages.formgrader import ForGraders
from tito.pages.outputs import tidy

PNG = "iVBORw0KGgo="


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
            named(new_code_cell("class SGD: ..."), "sgd-class", solution=True),
            given,
            own,
            named(check, "test-sgd", grade=True, locked=True),
            named(new_markdown_cell("### Why? (10 points)\n\nSay $w$."), "prompt", locked=True),
            named(new_markdown_cell("*Because.*"), "question-1", grade=True, solution=True),
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


def test_a_task_is_asked_and_what_stands_below_it_answers():
    drawn = new_output("display_data", {"image/png": PNG})
    nb = new_notebook(
        cells=[
            named(
                new_markdown_cell("## Map (4 points)\n\nDraw one."), "map", task=True, locked=True
            ),
            new_markdown_cell("Of the course."),
            new_markdown_cell("*My map.*"),
            new_code_cell("mine = 1"),
            named(new_code_cell("plot()", outputs=[drawn]), "plot", grade=True, solution=True),
            named(new_markdown_cell("### Last\n\nAnswer below."), "last", task=True, locked=True),
            new_markdown_cell("**At the end.**"),
        ]
    )
    marks = dict.fromkeys(("map", "plot", "last"), Mark(None, 4.0, waits=True))
    page = render(nb, GradeSummary("ada", marks), {"Of the course."})
    of_map, of_plot, of_last = (words(part) for part in page.split("<section")[1:])
    assert "Map to be marked / 4 map The question Draw one. My map. Your code" in of_map
    assert "mine = 1" in of_map and "Of the course" not in page
    assert of_plot.count("plot ()") == 1 and page.count(f"base64,{PNG}") == 1
    assert "Last to be marked / 4 last The question Answer below. At the end." in of_last


def test_two_graded_cells_under_one_heading_are_told_apart():
    names = ("test-rmsprop", "test-nesterov")
    cells = [named(new_code_cell(), name, grade=True, locked=True) for name in names]
    nb = new_notebook(cells=[new_markdown_cell("## 2 Two"), *cells])
    page = render(nb, GradeSummary("ada", dict.fromkeys(names, Mark(1.0, 2.0))))
    assert words(page).count("2 Two: test-rmsprop") == words(page).count("2 Two: test-nesterov") > 0


def test_an_error_is_shown_and_a_full_mark_folded():
    nb = notebook()
    nb.cells[4].outputs = [
        new_output("error", ename="E", evalue="bad", traceback=["\x1b[31mE: bad"])
    ]
    marks = {"test-sgd": Mark(5.0, 5.0)}
    page = render(nb, GradeSummary("ada", marks))
    assert '<pre class="no">E: bad</pre>' in page
    assert "All 2 behaviours hold" in page and "still to be marked" not in page


def test_joins_texts_and_drops_other_values():
    data = {"text/html": 5, "text/plain": ["a\n", "b"], "text/latex": ["a", 1], "x/y+json": [1]}
    (output,) = tidy([NotebookNode(new_output("display_data"), data=data)])
    assert output.data == {"text/plain": "a\nb", "x/y+json": [1]}


@pytest.mark.parametrize(("cells", "kinds"), [(100, 2), (9_000, 1)])
def test_of_a_huge_table_the_plain_form_is_left(cells, kinds):
    data = {"text/html": "<td>1</td>" * cells, "text/plain": "1 1"}
    (output,) = tidy([new_output("display_data", data)])
    assert len(output.data) == kinds and output.data["text/plain"] == "1 1"
    (alone,) = tidy([new_output("display_data", {"text/html": data["text/html"]})])
    assert alone.data["text/html"] == data["text/html"]


BAD = [
    {"output_type": "display_data", "data": {"text/html": 5}},
    {"output_type": "display_data", "data": {"text/markdown": [1, 2]}},
    {"output_type": "display_data", "data": {"text/plain": {"a": 1}}},
    {"output_type": "display_data", "data": {"image/png": 5, "image/svg+xml": 5}},
    {"output_type": "display_data", "data": ["text/html"]},
    {"output_type": "display_data"},
    {"output_type": "stream", "text": 5},
    {"output_type": "stream"},
    {"output_type": "error", "traceback": [5], "ename": 1, "evalue": None},
    {"output_type": "error", "traceback": "ab"},
    {"output_type": "error"},
    {"output_type": "new"},
    {},
    "text",
    None,
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: str(bad)[:60])
def test_no_shape_of_an_output_prevents_the_page(bad):
    nb = notebook()
    nb.cells[4].outputs = [NotebookNode(bad) if isinstance(bad, dict) else bad]
    nb.cells[4].outputs.append(new_output("stream", text="after it"))
    clear_secrets(nb)
    assert "after it" in render(nb, summary())


@pytest.mark.parametrize("outputs", [None, 5, {"a": 1}])
def test_no_shape_of_all_outputs_prevents_the_page(outputs):
    nb = notebook()
    nb.cells[4].outputs = outputs
    clear_secrets(nb)
    assert "Because" in render(nb, summary())


@pytest.mark.parametrize(
    ("attachments", "pictures"),
    [({"it.png": {"image/png": "aGk="}}, 1), ({"it.png": 5}, 0), (["it.png"], 0), (None, 0)],
)
def test_missing_attachment_keeps_answer(attachments, pictures):
    nb = notebook()
    nb.cells[-1].source = "![it](attachment:it.png) *Because* ![gone](attachment:gone.png)"
    nb.cells[-1].attachments = attachments
    page = render(nb, summary())
    assert "<em>Because</em>" in page
    assert page.count("data:image/png;base64,aGk=") == pictures


def test_bounds_outputs_for_graders():
    nb = notebook()
    data = {"text/latex": "x" * 30_000, "image/svg+xml": "<svg/>", "text/plain": "f"}
    long = new_output("stream", text="y" * 30_000)
    nb.cells[4] = new_code_cell("", outputs=[NotebookNode(new_output("display_data"), data=data)])
    nb.cells[4].outputs += [long, new_output("error", traceback=["z" * 30_000])]
    ForGraders().preprocess(nb, {})
    shown, stream, error = nb.cells[4].outputs
    assert shown.data.keys() == {"text/latex", "text/plain"}
    assert shown.data["text/latex"].endswith("x\n... 10000 characters more")
    assert stream.text.endswith("y\n... 10000 characters more")
    assert error.traceback == ["z" * 20_000, "... 10000 characters more"]
