"""Pages of feedback of a graded class, and the page on which answers are marked."""

import html
import json
import re
import shutil
import time
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import Config

from tests.tito.small_course import RIGHT, cell, copy_of, named, release_of, solve, submit
from tito.autograde import grade_class
from tito.cli import cli
from tito.course import Course
from tito.course.gradebook import open_gradebook
from tito.errors import TitoError, UsageError
from tito.pages import feedback

#: Lines that only graders may see.
SECRETS = ["triple(secret)", "word associativity", "BEGIN HIDDEN", "BEGIN MARK"]

ROSTER = """\
student_id,First name,Last name
right,Ada,Lovelace
hostile,<b>Eve,
broken,Bob,Broken
"""
ANSWER = """\
**strong** words <script>alert(1)</script> <img src=x onerror=alert(1)>

### BEGIN HIDDEN TESTS

[x](javascript:alert(1))
"""
SHOWS = """
from IPython.display import HTML, Javascript, display
display(HTML('<script>alert(2)</script><b>bold</b>'), Javascript('alert(3)'))
display({'text/html': 5, 'image/png': [1]}, raw=True)
"""
#: What a file may hold as the outputs of a cell that grading leaves out.
SHOWN = [
    {"output_type": "stream", "name": "stdout", "text": ["as I", " saw it"]},
    {"output_type": "display_data", "data": {"text/html": "<script>alert(4)</script><i>my</i>"}},
    {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<script>5</script>ok"}},
    {"output_type": "stream", "name": "stdout", "text": 7},
    "no output",
]
#: What fails within a graded cell, in the student's function and in a line of the cell's own.
FAILS = {
    "peeking": "import tinytorch.checks.publish as o\ndef fail(*args): 1 / 0\no.run_checks = fail",
    "missing": "x = 1",
}


@pytest.fixture(scope="module")
def graded(template, tmp_path_factory):
    """A class with its pages, which takes seconds to grade."""
    course = copy_of(template, tmp_path_factory.mktemp("feedback") / "course")
    module = course.module("08_optimizers")
    submit(course, "right")
    submit(course, "broken", "{")
    hostile = solve(release_of(course), {**RIGHT, "question-1": ANSWER})
    cell(hostile, "double-function").source += SHOWS
    submit(course, "hostile", hostile)
    shown = json.loads(nbformat.writes(solve(release_of(course))))
    next(c for c in shown["cells"] if "twice two" in "".join(c["source"]))["outputs"] = SHOWN
    submit(course, "shown", json.dumps(shown))
    for student, source in FAILS.items():
        submit(course, student, solve(release_of(course), {**RIGHT, "triple-function": source}))
    grade_class.grade(course, module, seed=7)
    course.roster.write_text(ROSTER)
    with open_gradebook(course) as book:
        for student, first, last in (("right", "Lady", "L"), ("peeking", "Grace", "Hopper")):
            book.update_or_create_student(student, first_name=first, last_name=last)
    feedback.write(course, module)
    return course, module


def page_of(course, student) -> Path:
    return course.feedback / student / "08_optimizers" / "optimizers_dev.html"


@pytest.fixture
def pages(graded):
    students = [path.name for path in graded[0].feedback.iterdir()]
    return {student: page_of(graded[0], student).read_text() for student in students}


def test_everyone_has_a_page_that_tells_no_secret(pages):
    assert set(pages) == {"right", "hostile", "peeking", "missing", "shown", "broken"}
    for student, page in pages.items():
        text = html.unescape(re.sub("<[^>]*>", "", page))
        # What a student wrote into an answer stays there.
        secrets = SECRETS[:2] if student == "hostile" else SECRETS
        assert not [secret for secret in secrets if secret in text]


@pytest.mark.parametrize(
    ("student", "told"),
    [
        ("right", ["10 of 15 points", "0 / 5", "All 2 behaviours hold"]),
        ("hostile", ["to be marked / 5", "<strong>strong</strong>", "<b>bold</b>"]),
        ("peeking", ["ZeroDivisionError"]),
        ("missing", ["NameError: name 'triple' is not defined"]),
        ("shown", ["as you handed it in: as I saw it", "ok"]),
        ("broken", ["not valid JSON (line 1, column 2"]),
    ],
)
def test_a_page_says_what_was_earned_and_what_failed(pages, student, told):
    page = html.unescape(pages[student])
    words = re.sub(r"(?:<[^>]*>|\s)+", " ", page)
    assert [piece for piece in told if piece not in page and piece not in words] == []
    assert student != "hostile" or "0 / 5" not in words


def test_nothing_runs_and_nothing_is_fetched(pages):
    for page in pages.values():
        assert "default-src 'none'; img-src data:" in html.unescape(page)
        assert "<script" not in page and "http" not in re.sub(r"http-equiv|&lt;", "", page)
    for attack in ("onerror=alert(1)>", 'href="javascript', "alert(3)</script>"):
        assert attack not in pages["hostile"]


def test_people_are_called_what_the_roster_or_the_gradebook_calls_them(pages):
    titles = {name: re.search("<title>.*: (.*)</title>", page)[1] for name, page in pages.items()}
    assert titles == {
        "right": "Ada Lovelace",
        "hostile": "&lt;b&gt;Eve",
        "peeking": "Grace Hopper",
        "missing": "missing",
        "shown": "shown",
        "broken": "Bob Broken",
    }
    assert "<bdi>Ada Lovelace</bdi>, right" in pages["right"]
    assert "<bdi>Bob Broken</bdi>, your notebook could not be graded" in pages["broken"]


@pytest.fixture
def again(graded, tmp_path):
    """A copy of the class, to go on with."""
    course = Course(shutil.copytree(graded[0].root, tmp_path / "again"))
    return course, graded[1]


def test_a_page_of_an_earlier_grading_is_replaced(again):
    course, module = again
    submit(course, "broken")
    submit(course, "right", "{")
    grade_class.grade(course, module, seed=7)
    feedback.write(course, module)
    assert 'href="#test-double"' in page_of(course, "broken").read_text()
    failed = page_of(course, "right").read_text()
    assert "could not be graded" in failed and "earlier submission" in failed
    assert not list(course.feedback.glob(".*"))


def test_a_page_that_cannot_be_made_is_named_and_the_others_are_written(again):
    course, module = again
    notebook = course.autograded / "hostile" / module.name / f"{module.notebook}.ipynb"
    notebook.chmod(0o600)
    notebook.write_text("{")
    earlier = page_of(course, "hostile").read_text()
    page_of(course, "peeking").unlink()
    with pytest.raises(TitoError, match="none for hostile"):
        feedback.write(course, module)
    assert page_of(course, "hostile").read_text() == earlier
    assert page_of(course, "peeking").is_file()


def test_only_pages_of_those_who_are_named_are_written(again, monkeypatch):
    course, _ = again
    monkeypatch.chdir(course.root)
    shutil.rmtree(course.feedback)
    named = ["feedback", "08", "--student", "right", "--student"]
    answer = CliRunner().invoke(cli, [*named, "broken"])
    assert (answer.exit_code, answer.output.split(":")[0]) == (0, "2 pages")
    assert {path.name for path in course.feedback.iterdir()} == {"right", "broken"}
    refused = CliRunner().invoke(cli, [*named, "absent"])
    assert isinstance(refused.exception, UsageError)
    assert "nothing of 08_optimizers by absent was graded" in str(refused.exception)


@pytest.mark.parametrize(("line", "left"), [("hidden = 1", ["E: v"]), ("b", ["a", "b"])])
def test_of_a_traceback_that_shows_a_hidden_line_the_last_line_is_left(line, left):
    markers = Config(
        ClearHiddenTests={"begin_test_delimeter": "SECRET", "end_test_delimeter": "END"}
    )
    hidden = "### SECRET\nhidden = 1\n### END"
    error = new_output("error", ename="E", evalue="v", traceback=["a", line])
    nb = new_notebook(cells=[new_code_cell("f()", outputs=[error])])
    nb.cells.append(named(new_code_cell(hidden), "test-it", grade=True, locked=True, points=1))
    assert feedback.clear_secrets(nb, markers).cells[0].outputs[0].traceback == left


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
        odd = nbformat.NotebookNode(output_type="display_data", metadata={}, data={kind: 5})
        nb.cells.append(nbformat.from_dict({**new_code_cell(""), "outputs": [odd]}))
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
