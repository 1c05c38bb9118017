"""The instructor's week in a browser: marking by hand, and the pages for students and teachers."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import jupyter, screenshot
from tests.submissions.notebook import Work
from tests.submissions.students import CLASSES
from tito.cli import cli
from tito.course import Course
from tito.errors import TitoError

MODULE = "08_optimizers"
QUESTION = "question-1-optimizer-memory"
LAST_QUESTION = "question-3-production-integration"
#: Given in the browser.
POINTS = {QUESTION: "7", "question-2-distributed-optimization": "5"}
CANVAS_EXPORT = """\
Student,ID,SIS Login ID,Section,Optimizers
    Points Possible,,,,200
"Lovelace, Ada",1,ada,Group A,
"Hopper, Grace",2,grace,Group A,
"""
#: Who of the sample class, and as whom, in Canvas's spelling.
HANDED_IN = {"questions-only": "lovelaceada", "broken-json": "hoppergrace"}
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1100, "height": 1400}


def tito(course: Course, *arguments: str) -> int:
    """Run a command in the course's folder; return its exit code."""
    with contextlib.chdir(course.root):
        try:
            cli.main([str(argument) for argument in arguments], prog_name="tito")
        except SystemExit as ended:
            return int(ended.code or 0)
    return 0


@pytest.fixture(scope="module")
def course(real_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The real course, with the download of a class from Canvas collected and graded."""
    root = tmp_path_factory.mktemp("instructor") / "course"
    shutil.copytree(real_course.root, root)
    made = Course(root)
    (root / "roster.csv").write_text(CANVAS_EXPORT)
    with zipfile.ZipFile(root / "submissions.zip", "w") as archive:
        for number, (student, name) in enumerate(HANDED_IN.items(), start=1):
            files = CLASSES[MODULE][student](Work(made, made.module(MODULE)))
            (text,) = files.values()
            archive.writestr(f"{name}_{number}_900{number}_optimizers_dev.ipynb", text)
    assert tito(made, "collect", MODULE, root / "submissions.zip") == 0
    assert tito(made, "grade", MODULE) == 1  # one notebook is broken
    return made


@pytest.fixture
def formgrader(course: Course, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Start Jupyter in the course's folder; give its address and its token."""
    program = (sys.executable, "-m", "jupyter_server")
    with jupyter(*program, folder=course.root, log=tmp_path / "server.log") as server:
        yield server


def gradebook(course: Course) -> Gradebook:
    return Gradebook(course.nbgrader_config().CourseDirectory.db_url)


def telling_lines(course: Course) -> list[str]:
    """Return lines of the rubrics, as the source has them."""
    source = course.module(MODULE).source.read_text()
    rubrics = re.findall(r"### BEGIN MARK SCHEME\n(.*?)### END MARK SCHEME", source, re.DOTALL)
    lines = [line.lstrip("# -*").strip() for text in rubrics for line in text.splitlines()]
    return [line[:40].replace("**", "") for line in lines if len(line) > 50]


def test_the_instructor_s_week(
    browser: Browser, course: Course, formgrader: tuple[str, str]
) -> None:
    """What was collected and graded is marked by hand, passed on, sent back and looked at."""
    answers_are_marked_by_their_rubric(browser, course, *formgrader)
    canvas_gets_a_total_once_every_answer_is_marked(course)
    feedback_is_read_on_a_phone(browser, course)
    the_overview_fits_a_desk_and_a_phone(browser, course)


def answers_are_marked_by_their_rubric(
    browser: Browser, course: Course, address: str, token: str
) -> None:
    """The rubric shows here and nowhere else; the total follows the points."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.goto(f"{address}/login?next=/formgrader/gradebook/08_optimizers/optimizers_dev")
    page.fill("#password_input", token)
    page.click("#login_submit")
    row = page.locator("tr", has_text="Submission #1")
    expect(row).to_contain_text("0 / 200")
    row.get_by_role("link").click()
    page.wait_for_load_state("networkidle")  # what is typed before the marks are there is lost

    # The rubric is there, in a box of its own, without its markers.
    rubric = page.locator(".alert", has_text="the state").first
    expect(rubric).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("MARK SCHEME")
    shown = re.sub(r"\s+", " ", page.inner_text("body"))
    missing = [line for line in telling_lines(course) if not _in(line, shown)]
    assert telling_lines(course) and not missing
    release = (course.release / MODULE / "optimizers_dev.ipynb").read_text()
    assert not [line for line in telling_lines(course) if line in release]

    for question, given in POINTS.items():
        points = page.locator(f"#{question}")
        points.scroll_into_view_if_needed()
        with page.expect_response(lambda answer: "/api/grade/" in answer.url) as saved:
            points.fill(given)
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
    expect(page.locator("tr", has_text="Submission #1")).to_contain_text("12 / 200")
    page.close()


def canvas_gets_a_total_once_every_answer_is_marked(course: Course) -> None:
    """Two answers of three are not a final mark."""
    file = course.root / "canvas.csv"
    write = ("scores", MODULE, "--format", "canvas", "--title", "Optimizers", "--to", file)
    with pytest.raises(TitoError, match=f"to be marked by hand: {LAST_QUESTION}"):
        tito(course, *write)
    assert not file.exists()
    with gradebook(course) as book:
        third = book.find_grade(LAST_QUESTION, "optimizers_dev", MODULE, "ada")
        third.manual_score, third.needs_manual_grade = 10.0, False
        book.db.commit()
    assert tito(course, *write) == 0
    assert file.read_text().splitlines()[-1] == '"Lovelace, Ada",1,ada,Group A,22'


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


def feedback_is_read_on_a_phone(browser: Browser, course: Course) -> None:
    assert tito(course, "feedback", MODULE) == 0
    for student, name in {"ada": "feedback", "grace": "feedback-failed"}.items():
        path = course.feedback / student / MODULE / "optimizers_dev.html"
        page = open_offline(browser, path, PHONE)
        shown = page.inner_text("body")
        if name == "feedback":
            assert "Well argued." in shown and "Ada Lovelace, ada" in shown
            assert "22 of 200 points" in shown and "to be marked" not in shown
            assert "open" in shown
            assert not [line for line in telling_lines(course) if line in shown]
        else:
            assert "could not be graded" in shown
        page.evaluate("document.querySelectorAll('details').forEach(part => part.open = false)")
        screenshot(page, name)
        page.close()


def the_overview_fits_a_desk_and_a_phone(browser: Browser, course: Course) -> None:
    path = course.root / "overview.html"
    assert tito(course, "overview", MODULE, "--to", path) == 0
    for name, size in {"overview": DESK, "overview-phone": PHONE}.items():
        page = open_offline(browser, path, size)
        assert page.locator(".histogram > div").count() == 20
        assert page.locator(".bar").count() > 3
        screenshot(page, name)
        page.close()
