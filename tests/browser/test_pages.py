"""Pages that hold what students wrote, in a browser: nothing of it runs, and all of it shows."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import screenshot
from tests.tito.flags.pages import write_page
from tito.pages.feedback_page import GradeSummary, Mark, render

ANSWER = r"""
The two updates are

\begin{align}
v_t &= \mu v_{t-1} + g_t \label{v} \\
w_t &= w_{t-1} - \eta v_t
\end{align}

- [x] state is **one** array
- [ ] state is two arrays

<img src="attachment:my plot.png" width="200" onerror="document.title = 'ran'">

![the same](attachment:my%20plot.png)

<script>document.title = "ran"</script>
<input type="image" src="x" onfocus="document.title = 'ran'" autofocus>
"""


def picture() -> str:
    file = io.BytesIO()
    matplotlib.image.imsave(file, np.linspace(0, 1, 5_000).reshape(50, 100), format="png")
    return base64.b64encode(file.getvalue()).decode()


def test_an_answer_shows_as_in_jupyter_and_nothing_of_it_runs(browser: Browser, tmp_path: Path):
    cell = new_markdown_cell(ANSWER, attachments={"my plot.png": {"image/png": picture()}})
    cell.metadata.nbgrader = NotebookNode(
        grade_id="question-1", schema_version=3, grade=True, solution=True, locked=False, task=False
    )
    marks = {"question-1": Mark(7.0, 10.0)}
    path = tmp_path / "page.html"
    path.write_text(
        render(new_notebook(cells=[cell]), GradeSummary("ada", marks, name="Ada Lovelace"))
    )
    page = browser.new_page(viewport={"width": 700, "height": 900})
    page.goto(path.as_uri())
    expect(page).to_have_title("Feedback: Ada Lovelace")
    assert page.evaluate("[...document.images].map(image => image.naturalWidth)") == [100, 100]
    assert page.locator("img").first.bounding_box()["width"] == 200
    assert page.locator("math mtr").count() == 2
    boxes = page.locator("input")
    assert [box.is_checked() for box in boxes.all()] == [True, False, False]
    assert all(box.is_disabled() for box in boxes.all())
    screenshot(page, "feedback-answer")
    page.close()


@pytest.fixture(scope="module")
def flags(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_page(tmp_path_factory.mktemp("course")).as_uri()


def students(page: Page) -> list[str]:
    """Return who is seen in the table; the sections below must be of the same, in that order."""
    listed = page.locator("table.cases tbody a:visible").all_inner_texts()
    assert page.locator("section h2:visible").all_inner_texts() == listed
    return listed


def test_the_page_of_flags_is_sorted_and_filtered(browser: Browser, flags: str):
    page = browser.new_page(viewport={"width": 1100, "height": 1200})
    page.goto(flags)
    assert students(page) == ["knows", "snoops", "ann", "bob", "renames"]
    screenshot(page, "flags")
    page.get_by_role("button", name="flags").click()
    assert students(page)[0] == "snoops"
    page.get_by_role("button", name="student").click()
    assert students(page) == ["ann", "bob", "knows", "renames", "snoops"]
    page.get_by_role("button", name="student").click()
    assert students(page)[0] == "snoops"
    page.get_by_label("with the words").fill("line OPEN")
    assert students(page) == ["snoops"]
    page.get_by_label("with the words").fill("")
    page.get_by_label("near-identical work (2)").check()
    assert students(page) == ["bob", "ann"]
    screenshot(page, "flags-filtered")
    page.close()


def test_without_scripts_the_page_of_flags_is_in_order_and_filtered_by_kind(
    browser: Browser, flags: str
):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(flags)
    expect(page.get_by_label("with the words")).to_be_hidden()
    expect(page.get_by_role("button")).to_have_count(0)
    assert students(page) == ["knows", "snoops", "ann", "bob", "renames"]
    page.get_by_label("suspicious code (1)").check()
    assert students(page) == ["snoops"]
    context.close()
