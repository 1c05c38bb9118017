"""Assignments in the shape of real courses: data beside the notebook, plots, written work."""

import base64
import shutil

import nbformat
import pytest
from nbgrader.api import Gradebook

from tests.tito.plain_course import (
    answer,
    code,
    locked,
    make_plain,
    marks_in,
    named,
    nbgrader_marks,
    new_code_cell,
    new_markdown_cell,
    put,
    released,
    solution,
    task,
    test_cell,
    text,
)
from tests.tito.small_course import cell
from tito.authoring import nbgrader_release
from tito.autograde import grade_class
from tito.errors import TitoError
from tito.gradebook import records, scores
from tito.pages import feedback

RAIN = b"month,rain\nMay,40\nJune,60\nJuly,20\n"
#: No pandas: it is not among what the tests need.
TOOLS = b"""import csv


def rows(path):
    with open(path) as file:
        return list(csv.DictReader(file))
"""
DATA = [
    text("# Rain"),
    locked("setup", "%matplotlib inline\nimport matplotlib.pyplot as plt\nimport numpy as np"),
    code("from tools import rows\ntable = rows('data/rain.csv')"),
    solution("mean", "def mean(table):\n    ### BEGIN SOLUTION\n"
             "    return np.mean([float(row['rain']) for row in table])\n    ### END SOLUTION"),
    solution("plot", "### BEGIN SOLUTION\nfigure, axes = plt.subplots()\n"
             "axes.bar([row['month'] for row in table], [1, 2, 3])\n### END SOLUTION"),
    test_cell("test-mean", 2, "def close(a, b):\n    return abs(a - b) < 1e-9\n\n\n"
              "assert close(mean(table), 40)"),
    # The helper of the graded cell before is used here, as it is in many a course.
    test_cell("test-hidden", 1.5, "### BEGIN HIDDEN TESTS\n"
              "assert close(mean(table[:2]), 50)\n### END HIDDEN TESTS"),
    test_cell("test-plot", 1, "assert len(axes.patches) == 3"),
]  # fmt: skip
WORDS = [
    text("# Words"),
    answer("why", 3, "Since rain falls."),
    named(new_code_cell("print('mine')"), "experiment", grade=True, solution=True, points=2),
    task("essay", 4, "Draw a map, and describe it below."),
]
MEAN = "def mean(table):\n    return sum(float(row['rain']) for row in table) / len(table)"
PLOT = "figure, axes = plt.subplots()\naxes.bar([row['month'] for row in table], [4, 6, 2])"
DOT = base64.b64encode(b"not really a picture").decode()


def hand_in_all(course):
    """Hand in four students' work."""
    rain, words = released(course, "ps1", "rain"), released(course, "ps1", "words")
    put(course, "nothing", "ps1", "rain", rain)
    put(course, "nothing", "ps1", "words", words)
    cell(rain, "mean").source, cell(rain, "plot").source = MEAN, PLOT
    put(course, "only-rain", "ps1", "rain", rain)
    put(course, "all", "ps1", "rain", rain)
    answered = nbformat.from_dict(words)
    cell(answered, "why").source = "It rains: ![](attachment:map.png)"
    cell(answered, "why").attachments = {"map.png": {"image/png": DOT}}
    cell(answered, "experiment").source = "print('my own')"
    answered.cells.append(new_markdown_cell("My map.", id="below"))
    put(course, "all", "ps1", "words", answered)
    cell(rain, "mean").source = MEAN.replace("len(table)", "3")
    put(course, "three", "ps1", "rain", rain)
    put(course, "three", "ps1", "words", answered)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    root = tmp_path_factory.mktemp("plain") / "template"
    files = {"ps1/tools.py": TOOLS, "ps1/data/rain.csv": RAIN}
    course = make_plain(root, {"ps1": {"rain": DATA, "words": WORDS}}, files)
    hand_in_all(course)
    for module in course.assignment("ps1"):
        run = grade_class.grade(course, module)
        assert [(o.student, o.reason) for o in run.failed] == []
    return course


@pytest.fixture
def course(template, tmp_path):
    shutil.copytree(template.root, tmp_path / "course")
    return type(template)(tmp_path / "course")


def test_marks_of_all_notebooks_are_nbgraders(template, tmp_path):
    ours = marks_in(template, "ps1")
    assert ours["three"] == {
        "rain/test-mean": 2,
        "rain/test-hidden": 0,
        "rain/test-plot": 1,
        "words/why": None,
        "words/experiment": None,
        "words/essay": None,
    }
    theirs = nbgrader_marks(template, "ps1", tmp_path / "nbgrader")
    theirs["only-rain"]["words/essay"] = None  # nbgrader gives 0; here a person looks
    assert ours == theirs


def test_a_notebook_that_was_not_handed_in_counts_as_empty_and_is_flagged(template):
    rows = {row.student: row for row in scores.table_of(template, template.assignment("ps1"))}
    row = rows["only-rain"]
    assert (row.status, row.points["words/why"], row.total) == ("graded", 0, 4.5)
    assert "not handed in, counts as empty: words.ipynb" in row.flags
    assert list(row.maxima.values()) == [2, 1.5, 1, 3, 2, 4]


def test_an_attachment_is_in_the_graded_notebook(template):
    nb = nbformat.read(template.autograded / "all" / "ps1" / "words.ipynb", as_version=4)
    assert cell(nb, "why").attachments == {"map.png": {"image/png": DOT}}
    assert [one.source for one in nb.cells if one.source == "My map."]


def test_marks_by_hand_from_before_stay_and_wait_for_another_look(course):
    [_, words] = course.assignment("ps1")
    url = course.nbgrader_config().CourseDirectory.db_url
    with Gradebook(url, "plain") as book:
        grade = book.find_grade("why", "words", "ps1", "all")
        grade.manual_score, grade.needs_manual_grade = 2.5, False
        book.db.commit()
    shutil.rmtree(course.records)  # as in a course that nbgrader has graded so far
    grade_class.grade(course, words)
    with Gradebook(url, "plain") as book:
        grade = book.find_grade("why", "words", "ps1", "all")
        assert (grade.manual_score, grade.score, grade.needs_manual_grade) == (2.5, 2.5, True)


def test_a_page_shows_plots_and_no_hidden_test(course):
    [rain, _] = course.assignment("ps1")
    feedback.write(course, rain)
    page = (course.feedback / "three" / "ps1" / "rain.html").read_text()
    assert 'src="data:image/png' in page
    assert "a hidden test" in page and "AssertionError" in page
    assert "table[:2]" not in page


def test_students_code_sees_neither_sources_nor_marks_nor_others(course):
    [rain, _] = course.assignment("ps1")
    nb = released(course, "ps1", "rain")
    paths = [course.root, course.root / "gradebook.db", course.root / "source"]
    cell(nb, "plot").source = f"import os\n[os.path.exists(p) for p in {[*map(str, paths)]}]"
    put(course, "curious", "ps1", "rain", nb)
    run = grade_class.grade(course, rain, ["curious"])
    assert run.isolation.level == "full"
    graded = nbformat.read(course.autograded / "curious" / "ps1" / "rain.ipynb", as_version=4)
    [output] = cell(graded, "plot").outputs
    assert output.data["text/plain"] == "[False, False, False]"


def test_a_changed_hidden_test_grades_everybody_anew(course):
    [rain, words] = course.assignment("ps1")
    source = nbformat.read(rain.source, as_version=4)
    cell(source, "test-hidden").source = "assert True"
    nbformat.write(source, rain.source)
    with pytest.raises(TitoError, match="test-hidden.*tito release ps1"):
        grade_class.grade(course, rain, force=True)
    nbgrader_release.release(course, [rain, words])
    run = grade_class.grade(course, rain)
    assert len(run.graded) == 4
    record = records.load(course, rain, "three")
    assert record.cells["test-hidden"]["earned"] == 1.5
    assert record.earlier[-1]["earned"]["test-hidden"] == 0
