"""The student's hour in JupyterLab, with the bundle on a machine that has never seen the course.

One notebook, half done: gradient descent is right, SGD averages where it should sum, and Adam is
still to be written.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import jupyter, screenshot
from tests.student import Machine
from tests.submissions.notebook import Work
from tito.course import Course

NOTEBOOK, UNTOUCHED = "optimizers_dev.ipynb", "untouched.ipynb"
#: For what a kernel or a server has to do; generous, since CI has two cores.
PATIENCE = 60_000


@pytest.fixture(scope="module")
def folder(real_course: Course, machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked bundle, with a notebook that somebody has begun, and one that nobody has."""
    target = tmp_path_factory.mktemp("desk") / "08_optimizers"
    shutil.copytree(machine.folder, target)
    (target / NOTEBOOK).rename(target / UNTOUCHED)
    work = Work(real_course, real_course.module("08_optimizers"))
    work.solve("gradient-descent-function").put_wrong("sgd-class", "momentum_averaged")
    (target / NOTEBOOK).write_text(work.text())
    return target


@pytest.fixture(scope="module")
def address(machine: Machine, folder: Path) -> Iterator[str]:
    """JupyterLab in that folder; takes the name of a notebook to open."""
    program = (machine.python, "-m", "jupyterlab")
    log = folder.parent / "lab.log"
    with jupyter(*program, folder=folder, log=log, env=machine.variables) as (address, token):
        yield f"{address}/lab/tree/{{}}?token={token}"


@pytest.fixture(scope="module")
def lab(browser: Browser, address: str) -> Iterator[Page]:
    """JupyterLab with the notebook open and run from top to bottom, as far as it goes."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(address.format(NOTEBOOK))
    run_all(page, "student-notebook")
    yield page
    page.close()


def run_all(page: Page, name: str = "") -> None:
    """Run the notebook that is open, once its kernel is ready, to its end."""
    status = page.locator("#jp-main-statusbar")
    expect(status).to_contain_text("| Idle", timeout=PATIENCE)
    if name:
        screenshot(page, name)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    expect(status).to_contain_text("| Busy", timeout=PATIENCE)
    expect(status).to_contain_text("| Idle", timeout=PATIENCE)


def scroll_to(page: Page, selector: str, text: str = "") -> Locator:
    """Scroll down the notebook until something is there: JupyterLab draws only what is seen."""
    panel = page.locator(".jp-WindowedPanel-outer")
    panel.evaluate("panel => panel.scrollTop = 0")
    found = page.locator(selector, has_text=text).first
    for _ in range(100):
        if found.count():
            # Cells drawn meanwhile push it away again.
            for _ in range(3):
                found.evaluate("element => element.scrollIntoView({block: 'center'})")
                page.wait_for_timeout(200)
            return found
        panel.evaluate("panel => panel.scrollTop += 700")
        page.wait_for_timeout(50)
    pytest.fail(f"the notebook shows no {selector} with {text!r}")


def test_only_what_concerns_a_student_is_on_the_screen(lab):
    expect(lab.get_by_role("menuitem", name="Nbgrader")).to_have_count(0)
    expect(lab.get_by_role("button", name="Validate")).to_be_visible()
    expect(lab.locator(".jp-Notification-List, .Toastify__toast")).to_have_count(0)


def test_plots_appear(lab):
    plot = scroll_to(lab, ".jp-OutputArea-output img")
    assert plot.evaluate("image => image.naturalWidth") > 500
    screenshot(lab, "student-plot")


def test_a_graded_cell_is_folded_and_shows_its_parts_as_a_table(lab):
    table = scroll_to(lab, ".jp-OutputArea-output table", "Velocity is a decaying sum")
    rows = [" ".join(row.split()) for row in table.inner_text().splitlines() if row.strip()]
    assert rows[0] == "part points behaviour"
    shown = " ".join(rows)
    for piece in (
        "ok 1/1 Without momentum a step is",
        "no 0/8 Velocity is a decaying sum",
        "expected [[-0.1 , -1. ],",
        "got [[-0.03 , -0.3 ],",
        "hint With g = 1 and momentum 0.7, is the velocity 1, then 1.7?",
    ):
        assert piece in shown
    cell = lab.locator(".jp-Cell", has=table)
    expect(cell.locator(".jp-InputPlaceholder")).to_contain_text("# Graded: SGD, 15 points.")
    screenshot(lab, "student-checks")


def test_a_cell_that_needs_an_open_todo_says_which_in_two_lines(lab):
    message = scroll_to(lab, ".jp-OutputArea-output", "TODO in Adam.__init__")
    assert message.inner_text().strip().splitlines() == [
        "TODO in Adam.__init__: keep the arguments under their own names and prepare m, v and t.",
        "Needed by line 3 of this cell: optimizer = Adam([w], learning_rate=0.1)",
    ]
    screenshot(lab, "student-todo")


def test_validate_names_the_cells_that_lose_points(lab):
    lab.get_by_role("button", name="Validate").click()
    dialog = lab.locator(".jp-Dialog")
    expect(dialog).to_contain_text("Validation Results", timeout=PATIENCE)
    expect(dialog).to_contain_text("# Graded: SGD, 15 points.")
    expect(dialog).not_to_contain_text("# Graded: gradient_descent_step, 10 points.")
    screenshot(lab, "student-validate")
    dialog.get_by_role("button", name="Ok").click()


def test_a_release_opens_without_the_unsaved_mark_and_saving_changes_no_byte(
    browser, address, folder
):
    before = (folder / UNTOUCHED).read_bytes()
    page = browser.new_page()
    page.goto(address.format(UNTOUCHED))
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=PATIENCE)
    page.wait_for_timeout(3000)  # what the kernel says of its language comes a moment later
    tab = page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab", has_text=UNTOUCHED)
    expect(tab).to_have_count(1)
    assert "jp-mod-dirty" not in (tab.get_attribute("class") or "")
    page.keyboard.press("Control+s")
    page.wait_for_timeout(3000)
    assert (folder / UNTOUCHED).read_bytes() == before
    page.close()
