"""The instructor's week in a browser: marking by hand, and the pages for students and teachers."""

from __future__ import annotations

import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import screenshot
from tests.submissions.notebook import Work
from tests.submissions.students import STUDENTS
from tinytorch.tito.course import Course
from tinytorch.tito.grading import feedback, pipeline, scores
from tinytorch.tito.pages import overview

QUESTION = "question-1-optimizer-memory"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1100, "height": 1400}
_SECONDS_TO_START = 40


@pytest.fixture(scope="module")
def course(real_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The real course with two submissions, graded: one has answers only, one is broken."""
    root = tmp_path_factory.mktemp("formgrader") / "course"
    shutil.copytree(real_course.root, root)
    made = Course(root)
    module = made.module("08_optimizers")
    for student in ("questions-only", "broken-json"):
        folder = made.submitted / student / module.name
        folder.mkdir(parents=True)
        for name, text in STUDENTS[student](Work(made, module)).items():
            (folder / name).write_text(text)
    run = pipeline.grade(made, module)
    assert [outcome.student for outcome in run.graded] == ["questions-only"]
    return made


@pytest.fixture
def formgrader(course: Course, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Start Jupyter in the course's folder; give its address and its token."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    settings = [f"--ServerApp.port={port}", f"--IdentityProvider.token={token}"]
    log = tmp_path / "server.log"
    with log.open("wb") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", *settings],
            cwd=course.root,
            stdout=file,
            stderr=file,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, server, log)
        yield address, token
    finally:
        server.terminate()
        server.wait(20)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/login", timeout=1).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"Jupyter did not start: {log.read_text()}")


def telling_lines(course: Course) -> list[str]:
    """Return lines of the rubrics, as the source has them."""
    source = course.module("08").source.read_text()
    rubrics = re.findall(r"### BEGIN MARK SCHEME\n(.*?)### END MARK SCHEME", source, re.DOTALL)
    lines = [line.lstrip("# -*").strip() for text in rubrics for line in text.splitlines()]
    return [line[:40].replace("**", "") for line in lines if len(line) > 50]


def test_an_answer_is_marked_by_its_rubric_and_the_total_follows(
    browser: Browser, course: Course, formgrader: tuple[str, str]
) -> None:
    address, token = formgrader
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.goto(f"{address}/login?next=/formgrader/gradebook/08_optimizers/optimizers_dev")
    page.fill("#password_input", token)
    page.click("#login_submit")
    row = page.locator("tr", has_text="Submission #1")
    expect(row).to_contain_text("0 / 200")
    row.get_by_role("link").click()

    # The rubric is there, in a box of its own, without its markers.
    rubric = page.locator(".alert", has_text="the state").first
    expect(rubric).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("MARK SCHEME")
    shown = re.sub(r"\s+", " ", page.inner_text("body"))
    missing = [line for line in telling_lines(course) if not _in(line, shown)]
    assert telling_lines(course) and not missing

    points = page.locator(f"#{QUESTION}")
    points.scroll_into_view_if_needed()
    with page.expect_response(lambda answer: "/api/grade/" in answer.url) as saved:
        points.fill("7")
        points.press("Tab")
    assert saved.value.ok
    remark = page.locator(f".nbgrader_cell:has(#{QUESTION}) textarea").first
    with page.expect_response(lambda answer: "/api/comment/" in answer.url) as saved:
        remark.fill("Well **argued**.")
        remark.press("Tab")
    assert saved.value.ok
    rubric.scroll_into_view_if_needed()
    screenshot(page, "formgrader")
    page.goto(f"{address}/formgrader/gradebook/08_optimizers/optimizers_dev")
    expect(page.locator("tr", has_text="Submission #1")).to_contain_text("7 / 200")
    page.close()

    marked = {row.student: row for row in scores.table(course, course.module("08"))}
    assert marked["questions-only"].points[QUESTION] == 7.0
    assert marked["questions-only"].total == 7.0
    assert QUESTION not in marked["questions-only"].needs_manual


def _in(line: str, text: str) -> bool:
    """Whether a line is shown; formulas and code are drawn, so that words alone are compared."""
    words = re.findall(r"[A-Za-z]{4,}", line)
    return all(word in text for word in words)


def open_offline(browser: Browser, path: Path, size: dict[str, int]) -> Page:
    """Open a page as its reader does, and fail on whatever it asks the network for."""
    page = browser.new_page(viewport=size)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    return page


def test_feedback_is_read_on_a_phone(browser: Browser, course: Course) -> None:
    pages = feedback.write(course, course.module("08"))
    for name, path in zip(["feedback-failed", "feedback"], pages, strict=True):
        page = open_offline(browser, path, PHONE)
        shown = page.inner_text("body")
        if name == "feedback":
            assert "Well argued." in shown and "of 200 points" in shown
            assert "2 answers are still to be marked" in shown and "open" in shown
            assert not [line for line in telling_lines(course) if line in shown]
        else:
            assert "could not be graded" in shown
        page.evaluate("document.querySelectorAll('details').forEach(part => part.open = false)")
        screenshot(page, name)
        page.close()


def test_the_overview_fits_a_desk_and_a_phone(browser: Browser, course: Course) -> None:
    path = overview.write(course, course.module("08"))
    for name, size in {
        "overview": {"width": 1100, "height": 1400},
        "overview-phone": PHONE,
    }.items():
        page = open_offline(browser, path, size)
        assert page.locator("img").count() == 3
        screenshot(page, name)
        page.close()
