"""The documentation site: it builds without a warning, its links lead somewhere, nothing leaks."""

import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup

from tests.solutions.harness import assignments
from tito.authoring.rules import secret_lines
from tito.authoring.site import chapter, handout
from tito.authoring.source import read_source
from tito.course import Course

ROOT = Path(__file__).resolve().parents[2]
COURSE = Course(ROOT)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, as `make docs` builds it but for the outputs of the chapters."""
    made = tmp_path_factory.mktemp("site")
    options = ["--fail-on-warning", "--keep-going", "--quiet", "--define", "chapters_run=0"]
    folders = ["--doctree-dir", made / "doctrees", ROOT / "docs", made / "html"]
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, *folders], capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    return made / "html"


@pytest.fixture(scope="module")
def pages(site):
    return {path: BeautifulSoup(path.read_text(), "html.parser") for path in site.rglob("*.html")}


def targets(page):
    """Yield what a page links to and what it loads."""
    for tag, attribute in (("a", "href"), ("link", "href"), ("img", "src"), ("script", "src")):
        yield from (found[attribute] for found in page.find_all(tag) if found.get(attribute))


def test_every_link_leads_to_a_file_and_a_place_in_it(site, pages):
    places = {path: {tag["id"] for tag in page.find_all(id=True)} for path, page in pages.items()}
    dead, count = [], 0
    for path, page in pages.items():
        for target in targets(page):
            url = urlsplit(target)
            if url.scheme or url.netloc:
                continue
            count += 1
            file = (path.parent / unquote(url.path)).resolve() if url.path else path
            if not file.is_file() or not places.get(file, {""}) | {""} >= {url.fragment}:
                dead.append((path.name, target))
    assert count > 500
    assert dead == []


def test_a_page_loads_nothing_from_elsewhere(pages):
    for path, page in pages.items():
        for tag, attribute in (("link", "href"), ("img", "src"), ("script", "src")):
            for found in page.find_all(tag):
                assert not urlsplit(found.get(attribute) or "").netloc, (path, found)


def test_the_packages_are_drawn_and_names_in_tables_may_break(site, pages):
    built = pages[site / "how_it_is_built.html"]
    names = {text.get_text() for text in built.select("svg text[font-weight=bold]")}
    assert {"autograde", "sandbox", "student"} < names
    table = pages[site / "inside_the_sandbox.html"].table
    assert all(code.wbr for code in table.find_all("code") if "::" in code.get_text())


def given_by(module):
    """The lines that students receive of a module."""
    cells = handout(COURSE, read_source(module.source, COURSE.checks(module))).cells
    return {line.removeprefix("# ").strip() for c in cells for line in c.source.split("\n")}


@pytest.mark.parametrize("name", [each.name for each in assignments()])
def test_no_line_of_a_solution_or_rubric_is_on_the_site(site, pages, name):
    module = COURSE.module(name)
    secrets = secret_lines(read_source(module.source, COURSE.checks(module)))
    secrets -= set().union(*(given_by(other) for other in COURSE.modules if other != module))
    assert len(secrets) > 100
    for path, page in pages.items():
        lines = {line.strip() for line in page.get_text().split("\n")}
        assert lines & secrets == set(), path
    others = [p for p in site.rglob("*") if p.suffix in {".ipynb", ".py", ".md", ".js", ".txt"}]
    assert others
    for path in others:
        assert not any(line in path.read_text() for line in secrets), path
    text = pages[site / "chapters" / f"{name}.html"].get_text()
    assert "TODO in " in text and "Question 1: " in text


def test_a_chapter_shows_outputs_of_demonstrations_only():
    module = COURSE.module("08_optimizers")
    page = chapter(COURSE, module, run=False)
    folded = [cell.id for cell in page.cells if "hide-input" in cell.metadata.get("tags", ())]
    assert len(folded) == 8 and all(name.startswith("test-") for name in folded)


def test_what_students_read_is_what_nbgrader_releases(real_course):
    """The same cells, although no folder and no gradebook was needed."""
    module = COURSE.module("08_optimizers")
    released = real_course.release / module.name / f"{module.notebook}.ipynb"
    expected = [cell.source for cell in nbformat.read(released, as_version=4).cells]
    made = handout(COURSE, read_source(module.source))
    assert [cell.source for cell in made.cells] == expected
