"""Plain courses of nbgrader's, made in code, and what nbgrader itself gives for them."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory

from tests.tito.small_course import named
from tito.course import Course
from tito.course.nbgrader_course import NbgraderCourse

__all__ = ["plain"]

CONFIG = 'c = get_config()\nc.CourseDirectory.course_id = "plain"\n'
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
Marks = dict[str, dict[str, float | None]]


def text(source: str) -> NotebookNode:
    """A cell of text without a name."""
    return new_markdown_cell(source)


def code(source: str) -> NotebookNode:
    """A code cell without a name, which students may change."""
    return new_code_cell(source)


def locked(name: str, source: str) -> NotebookNode:
    return named(new_code_cell(source), name, locked=True)


def solution(name: str, source: str) -> NotebookNode:
    return named(new_code_cell(source), name, solution=True)


def test_cell(name: str, points: float, source: str) -> NotebookNode:
    return named(new_code_cell(source), name, grade=True, locked=True, points=points)


test_cell.__test__ = False


def answer(name: str, points: float, source: str = "An answer.") -> NotebookNode:
    """A written answer that a person marks."""
    return named(new_markdown_cell(source), name, grade=True, solution=True, points=points)


def task(name: str, points: float, source: str) -> NotebookNode:
    """One of nbgrader's manual tasks."""
    return named(new_markdown_cell(source), name, task=True, locked=True, points=points)


def notebook(cells: Sequence[NotebookNode]) -> NotebookNode:
    nb = new_notebook(cells=cells, metadata=KERNEL)
    for number, cell in enumerate(nb.cells):
        cell.id = f"cell-{number}"
    return nb


def make_plain(
    root: Path,
    assignments: Mapping[str, Mapping[str, Sequence[NotebookNode]]],
    files: Mapping[str, bytes] | None = None,
    config: str = CONFIG,
) -> NbgraderCourse:
    """Write a course: by assignment and notebook, its cells; and files below the sources."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "nbgrader_config.py").write_text(config)
    for assignment, notebooks in assignments.items():
        folder = root / "source" / assignment
        folder.mkdir(parents=True)
        for name, cells in notebooks.items():
            nbformat.write(notebook(cells), folder / f"{name}.ipynb")
    for name, data in (files or {}).items():
        path = root / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    course = Course.find(root)
    for assignment in assignments:
        generate(course, assignment)
    return course


def generate(course: Course, assignment: str) -> None:
    """Let nbgrader make a release, as ``nbgrader generate_assignment`` does."""
    config = course.nbgrader_config()
    config.CourseDirectory.assignment_id = assignment
    with chdir(course.root):
        where = CourseDirectory(config=config)
        GenerateAssignment(coursedir=where, config=config, force=True).start()


def released(course: Course, assignment: str, name: str) -> NotebookNode:
    return nbformat.read(course.release / assignment / f"{name}.ipynb", as_version=4)


def put(course: Course, student: str, assignment: str, name: str, nb: NotebookNode | str) -> Path:
    """Put a notebook where a student hands it in."""
    path = course.submitted / student / assignment / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nb if isinstance(nb, str) else nbformat.writes(nb))
    return path


def marks_in(course: Course, assignment: str) -> Marks:
    """What the gradebook holds: by student, the automatic score of each cell."""
    with Gradebook(course.nbgrader_config().CourseDirectory.db_url, "plain") as book:
        return {
            submission.student_id: {
                f"{nb.name}/{grade.name}": grade.auto_score
                for nb in submission.notebooks
                for grade in nb.grades
            }
            for submission in book.assignment_submissions(assignment)
        }


def nbgrader_marks(course: Course, assignment: str, root: Path, alone: Sequence[str] = ()) -> Marks:
    """Copy a course without any mark, and let ``nbgrader autograde`` mark it.

    Who would end it for the whole class, it marks `alone`, after the others.
    """
    ours = ("autograded", "feedback", "gradebook.db", "records", "release")
    shutil.copytree(course.root, root, ignore=shutil.ignore_patterns(*ours))
    copied = Course.find(root)
    generate(copied, assignment)
    kept = f"--CourseDirectory.student_id_exclude={','.join(alone)}"
    for more in ([kept], *(["--student", student] for student in alone)):
        command = [sys.executable, "-m", "nbgrader", "autograde", assignment, *more]
        subprocess.run(command, cwd=root, check=False, capture_output=True)
    return marks_in(copied, assignment)


@pytest.fixture
def plain(tmp_path) -> Callable[..., NbgraderCourse]:
    """Make a course in a folder that has nothing of ours."""

    def make(assignments, files=None, config=CONFIG) -> NbgraderCourse:
        return make_plain(tmp_path / "course", assignments, files, config)

    return make
