"""An untouched notebook in JupyterLab, as it comes out of the bundle."""

import shutil

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import jupyter

NOTEBOOK = "optimizers_dev.ipynb"
PATIENCE = 60_000


@pytest.fixture
def lab(browser, machine, tmp_path):
    """JupyterLab with the released notebook open and its kernel ready."""
    folder = tmp_path / "08_optimizers"
    shutil.copytree(machine.folder, folder)
    program = (machine.python, "-m", "jupyterlab")
    with jupyter(*program, folder=folder, log=tmp_path / "lab.log", env=machine.variables) as (
        address,
        token,
    ):
        page = browser.new_page()
        page.goto(f"{address}/lab/tree/{NOTEBOOK}?token={token}")
        expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=PATIENCE)
        page.wait_for_timeout(3000)  # what the kernel says of its language comes a moment later
        yield page, folder / NOTEBOOK
        page.close()


def test_it_opens_without_the_unsaved_mark_and_saving_changes_no_byte(lab):
    page, path = lab
    before = path.read_bytes()
    tab = page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab", has_text=NOTEBOOK)
    expect(tab).to_have_count(1)
    marked = "jp-mod-dirty" in (tab.get_attribute("class") or "")
    page.keyboard.press("Control+s")
    page.wait_for_timeout(3000)
    assert (marked, path.read_bytes() == before) == (False, True)
