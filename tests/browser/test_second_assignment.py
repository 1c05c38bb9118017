"""The second assignment in JupyterLab, from its zip, on the student's own optimizers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import jupyter, screenshot
from tests.browser.test_student import run_all, scroll_to
from tests.student import Machine
from tests.submissions.notebook import Work
from tito.course import Course

NOTEBOOK = "modern_optimizers_dev.ipynb"
OWN_CELL = "from tinytorch.core.optimizers import Adam\nprint(Adam.__module__, Adam([]).t)"


@pytest.fixture(scope="module")
def lab(
    browser: Browser,
    second_machine: Machine,
    real_course: Course,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Page]:
    """JupyterLab with a notebook of which only AdamW is wrong, run from top to bottom."""
    folder = tmp_path_factory.mktemp("desk") / "10_modern_optimizers"
    shutil.copytree(second_machine.folder, folder)
    work = Work(real_course, real_course.module(folder.name))
    work.solve().put_wrong("adamw-class", "decay_in_the_gradient")
    # Half a minute of training, and processes over MPI, which the lab's own test starts.
    work.drop_demonstrations().insert_first(OWN_CELL)
    (folder / NOTEBOOK).write_text(work.text())
    program, log = (second_machine.python, "-m", "jupyterlab"), folder.parent / "lab.log"
    variables = second_machine.variables
    with jupyter(*program, folder=folder, log=log, env=variables) as (address, token):
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(f"{address}/lab/tree/{NOTEBOOK}?token={token}")
        run_all(page)
        yield page
        page.close()


def test_the_students_own_adam_is_there(lab):
    output = scroll_to(lab, ".jp-OutputArea-output", "tinytorch.core.optimizers")
    assert output.inner_text().strip() == "tinytorch.core.optimizers 0"


@pytest.mark.parametrize(
    ("title", "rows"),
    [
        ("Part of a rank", ["ok 5/5 Part of a rank", "ok 2/2 Weights: on every rank"]),
        (
            "Decay is apart from the gradient",
            ["no 0/2 Decay is apart", "expected [0.5, 0.5, 0.5]", "hint Large or small,"],
        ),
    ],
)
def test_graded_cells_show_points_of_each_part(lab, title, rows):
    table = scroll_to(lab, ".jp-OutputArea-output table", title)
    shown = " ".join(table.inner_text().split())
    assert shown.startswith("part points behaviour")
    for piece in rows:
        assert piece in shown
    screenshot(lab, f"second-{title.split()[0]}")
