import html
import re
import time
from pathlib import Path

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from nbgrader.server_extensions.formgrader import handlers

from tests.tito.small_course import cell, solve
from tito.autograde import grade_class
from tito.course.gradebook import open_gradebook
from tito.errors import TitoError
from tito.pages import feedback

#: Lines that only graders may see.
SECRETS = ["triple(secret)", "word associativity", "BEGIN HIDDEN", "BEGIN MARK"]

ROSTER = """\
student_id,First name,Last name
right,Ada,Lovelace
hostile,<b>Eve,
broken,Bob,Broken
"""


def page_of(course, module, student):
    return course.feedback / student / module.name / f"{module.notebook}.html"


@pytest.fixture
def pages(course, module, hand_in, released):
    """Grade a class and write its pages."""
    hand_in("right")
    hostile = solve(nbformat.from_dict(released))
    cell(hostile, "question-1").source = (
        "**strong** words <script>alert(1)</script> <img src=x onerror=alert(1)>\n\n"
        "### BEGIN HIDDEN TESTS\n\n[x](javascript:alert(1))"
    )
    cell(hostile, "double-function").source += (
        "\nfrom IPython.display import HTML, Javascript, display\n"
        "display(HTML('<script>alert(2)</script><b>bold</b>'), Javascript('alert(3)'))\n"
        "display({'text/html': 5, 'image/png': [1]}, raw=True)"
    )
    hand_in("hostile", hostile)
    peeking = solve(nbformat.from_dict(released))
    # The graded cell fails in the student's function, and its traceback would quote the cell.
    broken = "import tinytorch.checks.publish as o\ndef fail(*args): 1 / 0\no.run_checks = fail"
    cell(peeking, "triple-function").source = broken
    hand_in("peeking", peeking)
    # The line of the graded cell that fails is its own.
    missing = solve(nbformat.from_dict(released))
    cell(missing, "triple-function").source = "x = 1"
    hand_in("missing", missing)
    hand_in("broken", "{")
    grade_class.grade(course, module)
    course.roster.write_text(ROSTER)
    with open_gradebook(course) as book:
        for student, first, last in (("right", "Lady", "L"), ("peeking", "Grace", "Hopper")):
            book.update_or_create_student(student, first_name=first, last_name=last)
    return {path.parts[-3]: path.read_text() for path in feedback.write(course, module)}


def test_pages(course, module, hand_in, pages):
    """One class for all that a page must and must not hold: grading it takes seconds."""
    assert set(pages) == {"right", "hostile", "peeking", "missing", "broken"}
    for student, page in pages.items():
        text = html.unescape(re.sub("<[^>]*>", "", page))
        # What a student wrote into an answer stays there.
        secrets = SECRETS[:2] if student == "hostile" else SECRETS
        assert not [secret for secret in secrets if secret in text]
    words = {name: re.sub(r"(?:<[^>]*>|\s)+", " ", page) for name, page in pages.items()}
    assert "10 of 15 points" in words["right"] and "0 / 5" in words["right"]
    assert "to be marked / 5" in words["hostile"] and "0 / 5" not in words["hostile"]
    assert "All 2 behaviours hold" in words["right"]
    assert "<strong>strong</strong>" in pages["hostile"] and "<b>bold</b>" in pages["hostile"]
    # Nothing runs and nothing is fetched, whatever else a student smuggles in.
    for page in pages.values():
        assert "default-src 'none'; img-src data:" in html.unescape(page)
        assert "<script" not in page and "http" not in re.sub(r"http-equiv|&lt;", "", page)
    for attack in ("<script>alert", "onerror=alert(1)>", 'href="javascript', "<script>alert(2)"):
        assert attack not in pages["hostile"]
    assert "alert(3)</script>" not in pages["hostile"]
    assert "ZeroDivisionError" in pages["peeking"]
    assert "NameError: name 'triple' is not defined" in html.unescape(pages["missing"])
    assert "not valid JSON (line 1, column 2" in pages["broken"]

    # People are called what the roster calls them, else what the gradebook does.
    titles = {name: re.search("<title>.*: (.*)</title>", page)[1] for name, page in pages.items()}
    assert titles == {
        "right": "Ada Lovelace",
        "hostile": "&lt;b&gt;Eve",
        "peeking": "Grace Hopper",
        "missing": "missing",
        "broken": "Bob Broken",
    }
    assert "<bdi>Ada Lovelace</bdi>, right" in pages["right"]
    assert "<bdi>Bob Broken</bdi>, your notebook could not be graded" in pages["broken"]

    # A page of an earlier grading is replaced, in both directions.
    hand_in("broken")
    hand_in("right", "{")
    grade_class.grade(course, module)
    feedback.write(course, module)
    assert 'href="#test-double"' in page_of(course, module, "broken").read_text()
    failed = page_of(course, module, "right").read_text()
    assert "could not be graded" in failed and "earlier submission" in failed
    assert not list(course.feedback.glob(".*"))

    # A page that cannot be made is named, the page there was stays, and the others are written.
    notebook = course.autograded / "hostile" / module.name / f"{module.notebook}.ipynb"
    notebook.chmod(0o600)
    notebook.write_text("{")
    earlier = page_of(course, module, "hostile").read_text()
    page_of(course, module, "peeking").unlink()
    with pytest.raises(TitoError, match="none for hostile"):
        feedback.write(course, module)
    assert page_of(course, module, "hostile").read_text() == earlier
    assert page_of(course, module, "peeking").is_file()


def test_an_error_that_shows_no_hidden_line_keeps_its_traceback():
    output = nbformat.v4.new_output("error", ename="E", evalue="v", traceback=["a", "b"])
    feedback._shorten_error(output, {"hidden = 1"})
    assert output.traceback == ["a", "b"]
    feedback._shorten_error(output, {"b"})
    assert output.traceback == ["E: v"]


def formgrader_page(course, nb, tmp_path: Path) -> str:
    """Return the page on which a submission is marked, made as formgrader makes it."""
    path = tmp_path / "submission.ipynb"
    nbformat.write(nb, path)
    config = course.nbgrader_config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    known = {"index": 0, "total": 1, "base_url": "", "notebook_id": "n", "student": "s"}
    known |= dict.fromkeys(("assignment_id", "submission_id", "last_name", "first_name"), "x")
    page, _ = HTMLExporter(config=config).from_filename(str(path), resources=known)
    return page


@pytest.mark.filterwarnings("ignore")  # nbformat's, of outputs of no known shape
def test_a_hostile_notebook_can_be_marked_and_its_answer_read(course, released, tmp_path):
    hostile = ["<b id=1><p>" * 8_000, "\\\\[" * 20_000, "\x1b[1;" * 50_000, "[" * 200_000]
    nb = solve(nbformat.from_dict(released))
    cell(nb, "question-1").source = "*Because* of $x$."
    for text in hostile:
        data = {kind: text for kind in ("text/html", "text/markdown", "text/latex", "text/plain")}
        shown = [new_output("display_data", {kind: text}) for kind, text in data.items()]
        shown.append(new_output("stream", text=text))
        nb.cells += [new_code_cell(text, outputs=shown), new_markdown_cell(text + "the end")]
    for kind in ("text/html", "text/markdown", "image/svg+xml", "image/png", "text/plain"):
        odd = new_code_cell("")
        odd.outputs = [
            nbformat.NotebookNode(output_type="display_data", metadata={}, data={kind: 5})
        ]
        nb.cells.append(odd)
    start = time.process_time()
    page = formgrader_page(course, nb, tmp_path)
    assert time.process_time() - start < 30  # the worst answer alone took hours
    assert page.count("the end") == len(hostile)
    assert "<em>Because</em>" in page and "<mi>x</mi>" in page
    assert "characters more" in page


def test_the_colours_of_code_and_the_verdicts_are_there_when_marking(course, released, tmp_path):
    nb = solve(nbformat.from_dict(released))
    table = '<table><tbody><tr><td style="color:red">verdict</td></tr></tbody></table>'
    cell(nb, "test-double").outputs = [new_output("display_data", {"text/html": table})]
    scheme = "### BEGIN MARK SCHEME\n3 *points*\n### END MARK SCHEME"
    cell(nb, "rubric-1").source = scheme
    page = formgrader_page(course, nb, tmp_path)
    assert '<span class="k">def</span>' in page
    assert '<td style="color:red;">verdict</td>' in page
    assert re.search(r'<div class="alert alert-info">\s*<p>3 <em>points</em>', page)
