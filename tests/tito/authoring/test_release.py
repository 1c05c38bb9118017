"""The students' notebook, made by nbgrader."""

import shutil
import subprocess
import sys

import nbformat
import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook

from tests.tito.conftest import cell_header, make_course
from tito.authoring import releases
from tito.authoring.nbdev_export import export_module
from tito.authoring.release import release
from tito.cli import cli
from tito.course import Course
from tito.course.gradebook import open_gradebook
from tito.errors import TitoError
from tito.gradebook import records
from tito.gradebook.result import Result
from tito.gradebook.writer import GradebookWriter


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A course with a release; making one takes nbgrader two seconds."""
    course = make_course(tmp_path_factory.mktemp("template"))
    export_module(course, course.module("first"))
    release(course, course.module("second"))
    return course


@pytest.fixture
def course(template, tmp_path):
    shutil.copytree(template.root, tmp_path / "course", symlinks=True)
    return Course(tmp_path / "course")


@pytest.fixture
def released(course):
    return course.release / "02_second"


def sources(folder):
    notebook = nbformat.read(folder / "second_dev.ipynb", as_version=4)
    return {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in notebook.cells
        if "nbgrader" in cell.metadata
    }


def test_a_release_holds_a_notebook_with_stubs_that_say_which_todo_is_open(released, course):
    assert [path.name for path in released.rglob("*")] == ["second_dev.ipynb"]
    stub = sources(released)["answer"]
    line = 'raise NotImplementedError("TODO in Answer.give: return the number of the question.")'
    assert f"        {line}" in stub.split("\n")
    assert "# Hint: who asked?" in stub and '"""Return forty-two."""' in stub
    assert "secret" not in stub
    assert sources(released)["test-answer"] in course.module("second").source.read_text()
    with open_gradebook(course) as book:
        assert book.find_assignment("02_second").max_score == 5


def test_releasing_again_gives_the_same_bytes(released, course):
    before = (released / "second_dev.ipynb").read_bytes()
    release(course, course.module("second"))
    assert (released / "second_dev.ipynb").read_bytes() == before
    assert [path.name for path in released.rglob("*")] == ["second_dev.ipynb"]


def test_broken_source_keeps_earlier_release(released, course):
    before = (released / "second_dev.ipynb").read_bytes()
    source = course.module("second").source
    source.write_text(source.read_text() + "\n# BEGIN SOLUTION\n")
    with pytest.raises(TitoError, match="stray marker"):
        release(course, course.module("second"))
    assert (released / "second_dev.ipynb").read_bytes() == before


def test_student_package_ends_before_module(released, course):
    module = course.module("second")
    export_module(course, module)
    package = course.package_before(module)
    code = (
        "import importlib.util as u, tinytorch.core.first as f, tinytorch.checks as c; "
        "print(f.ONE, c.__file__, u.find_spec('tinytorch.core.second'))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(package)},
        cwd=package.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.split() == ["1", f"{package}/tinytorch/checks/__init__.py", "None"]
    assert not (package / "tito").exists()


def hand_mark(course, student, points=None):
    """Enter a submission that a person has marked."""
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as book:
        marks = GradebookWriter(book, "02_second", "second_dev")
        marks.write([Result(student, "", "graded", scores={"test-answer": 2.0})])
        grade = book.find_grade("test-answer", "second_dev", "02_second", student)
        grade.manual_score = points
        book.db.commit()


ADDED = f"""
{cell_header("given-more")}
MORE = 1
"""


def contents(course):
    """Return all that a release may change, by path."""
    paths = [p for p in course.root.rglob("*") if p.is_file() and "source" not in p.parts]
    return {path: path.read_bytes() for path in paths}


def test_refuses_cell_changes_after_marks(course):
    module = course.module("second")
    source = module.source.read_text()
    module.source.write_text(source.replace('"answer"', '"first-answer"'))
    hand_mark(course, "ada")
    before = contents(course)
    with pytest.raises(TitoError) as refused:
        release(course, module)
    assert str(refused.value).startswith(
        "02_second cannot be released: its source adds first-answer and drops answer,"
        " and the gradebook holds marks of 1 submissions"
    )
    assert "giving it 0 points" in str(refused.value)
    assert "docs/instructors.md" in str(refused.value)
    assert contents(course) == before


def test_given_cells_come_and_go_although_there_are_marks(course):
    module = course.module("second")
    source = module.source.read_text()
    module.source.write_text(source.replace('"imports"', '"first-imports"') + ADDED)
    hand_mark(course, "ada", 4.5)
    release(course, module)
    with open_gradebook(course) as book:
        held = {cell.name for cell in book.find_notebook("second_dev", module.name).source_cells}
        mark = book.find_submission("02_second", "ada").score
    assert held == {"first-imports", "answer", "test-answer", "given-more"}
    assert mark == 4.5


def test_shows_reason_of_nbgrader_refusal(course, monkeypatch):
    def refuse(*args):
        raise RuntimeError("the disk of the gradebook is full")

    monkeypatch.setattr("nbgrader.preprocessors.SaveCells._create_notebook", refuse)
    told = "02_second could not be released: RuntimeError: the disk of the gradebook is full"
    with pytest.raises(TitoError, match=told):
        release(course, course.module("second"))


def test_keeps_releases_and_names_changed_cells(course):
    module = course.module("second")
    first = course.released(module).read_bytes()
    assert (releases.earlier(course, module), releases.unreleased(course, module)) == ([], [])
    source, checks = module.source, course.checks(module) / "answer.py"
    source.write_text(source.read_text().replace('"""The answer."""', '"""An answer."""'))
    checks.write_text(checks.read_text().replace("Is it a class?", "Does it exist?"))
    assert releases.unreleased(course, module) == ["test-answer", "checks/answer.py"]
    release(course, module)
    assert releases.earlier(course, module) == [first]
    assert releases.unreleased(course, module) == []


def test_release_names_outdated_marks(course, monkeypatch):
    module = course.module("second")
    hand_mark(course, "ada", 4.5)
    records.save(course, module, records.Record("ada", "graded", release="an earlier one"))
    records.save(course, module, records.Record("ben", "failed", release="an earlier one"))
    module.source.write_text(module.source.read_text().replace('"points": 5', '"points": 4'))
    checks = course.checks(module) / "answer.py"
    text = checks.read_text().replace("points=5", "points=4").replace("points=3", "points=2")
    checks.write_text(text)
    monkeypatch.chdir(course.root)
    answer = CliRunner().invoke(cli, ["release", "second"], catch_exceptions=False)
    assert answer.output.splitlines() == [
        "released: modules/release/02_second",
        "1 graded with an earlier release, to be graded anew: ada",
        "ada: the mark by hand of test-answer, 4.5, is above its maximum, 4",
    ]


def test_a_chapter_whose_marks_depend_on_a_demonstration_is_not_released(course, monkeypatch):
    module = course.module("second")
    demonstration = "\n# %%\nAnswer.give = lambda self: 7\n"
    at_test = cell_header("test-answer", "test", 5)
    text = module.source.read_text()
    module.source.write_text(text.replace(at_test, f"{demonstration}\n{at_test}"))
    monkeypatch.chdir(course.root)
    answer = CliRunner().invoke(cli, ["release", "second"])
    assert "different where the demonstrations have not run: test-answer, gives" in str(
        answer.exception
    )


def test_release_before_export_says_what_to_do(course):
    (course.root / "tinytorch/core/first.py").unlink()
    with pytest.raises(TitoError, match="first.py is missing; make it with 'tito export --all'"):
        release(course, course.module("second"))
