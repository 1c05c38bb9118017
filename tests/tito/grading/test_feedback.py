import html
import re

import nbformat
import pytest

from tinytorch.tito.errors import TitoError
from tinytorch.tito.grading import feedback, pipeline

from .conftest import cell, solve

#: Lines that only graders may see.
SECRETS = ["triple(secret)", "word associativity", "BEGIN HIDDEN", "BEGIN MARK"]


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
        "display(HTML('<script>alert(2)</script><b>bold</b>'), Javascript('alert(3)'))"
    )
    hand_in("hostile", hostile)
    peeking = solve(nbformat.from_dict(released))
    # The graded cell fails in the student's function, and its traceback would quote the cell.
    broken = "import tinytorch.checks.observe as o\ndef fail(*args): 1 / 0\no.ask = fail"
    cell(peeking, "triple-function").source = broken
    hand_in("peeking", peeking)
    # The line of the graded cell that fails is its own.
    missing = solve(nbformat.from_dict(released))
    cell(missing, "triple-function").source = "x = 1"
    hand_in("missing", missing)
    hand_in("broken", "{")
    pipeline.grade(course, module)
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

    # A page of an earlier grading is replaced, in both directions.
    hand_in("broken")
    hand_in("right", "{")
    pipeline.grade(course, module)
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
