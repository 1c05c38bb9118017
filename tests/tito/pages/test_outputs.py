"""Outputs of any shape."""

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from tests.tito.pages.test_feedback_page import notebook, summary
from tito.pages.feedback import clear_secrets
from tito.pages.feedback_page import render
from tito.pages.formgrader import ForGraders
from tito.pages.outputs import tidy


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
