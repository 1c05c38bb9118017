"""A small course with a small assignment, released by nbgrader itself, copied for each test."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory

from tito.autograde import grade_class, sample
from tito.course import Course, Module
from tito.course.check_modules import put_into
from tito.gradebook import records, scores
from tito.gradebook.journal import Journal
from tito.kernels.zygote_client import end_zygotes

#: The fixtures, for whoever imports all of this.
__all__ = [
    *("class_of", "course", "grade", "hand_in", "journal", "marks", "module", "no_zygote_is_left"),
    *("record_of", "released", "rows", "scratch", "set_due", "template"),
]
REPOSITORY = Path(__file__).parents[2]
NAME, NOTEBOOK = "08_optimizers", "optimizers_dev.ipynb"

#: Right solutions of the small assignment, by grade id.
RIGHT = {
    "double-function": "def double(x):\n    return 2 * x",
    "triple-function": "def triple(x):\n    return 3 * x",
}

_SOLUTION = """
def {name}(x):
    # TODO: return {name} of x.
    ### BEGIN SOLUTION
    return {factor} * x
    ### END SOLUTION
""".strip()

_TEST = """
from tinytorch.checks.for_08_optimizers.{name} import checks as {name}_checks

### BEGIN HIDDEN TESTS
# {name} is looked at closely
### END HIDDEN TESTS


def test_unit_{name}():
    {name}_checks.run({name})


if __name__ == "__main__":
    {name}_checks.show({name})
""".strip()

_EXERCISES = """
def value(student, x):
    "{name} of a number."
    return {{"y": student.{name}(x)}}
def secret_value(student, secret):
    "{name} of a secret number."
    return {{"y": student.{name}(secret)}}
"""

_CHECKS = """
from tinytorch.checks import Checks
from .exercises import {name} as exercises

checks = Checks("test-{name}", points=2 * {half}, names=["{name}"])
checks.part(exercises.value, points={half}, {value}, hint="think")
checks.part(exercises.secret_value, points={half}, {secret}, hint="think")
"""
_DOUBLE = {
    "value": 'inputs={"x": 2.0}, expect={"y": 4.0}',
    "secret": 'inputs={"secret": -1.0}, expect={"y": -2.0}',
}
_TRIPLE = {
    "value": 'inputs={"x": 1.0}, randomize=["x"], expect={"y": 3.0}',
    "secret": 'inputs={"secret": 7.0}, expect={"y": 21.0}',
}
#: The modules of the checks, as the notebook carries them.
CHECKS = {
    "double.py": _CHECKS.format(name="double", half=2, **_DOUBLE),
    "triple.py": _CHECKS.format(name="triple", half=3, **_TRIPLE),
    "exercises/double.py": _EXERCISES.format(name="double"),
    "exercises/triple.py": _EXERCISES.format(name="triple"),
}

_RUBRIC = """
Why does it matter?

### BEGIN MARK SCHEME
3 points for the word associativity
### END MARK SCHEME
""".strip()
_ANSWER = "### BEGIN SOLUTION\nBecause.\n### END SOLUTION"


def own_folders() -> set[Path]:
    """Return the folders that this process has made and not deleted."""
    return set(Path(tempfile.gettempdir()).glob(f"tito-*-{os.getpid()}-*"))


def named(cell: NotebookNode, grade_id: str, **settings: object) -> NotebookNode:
    """Give a cell its nbgrader metadata."""
    kinds = dict.fromkeys(("grade", "locked", "solution", "task"), False)
    cell.metadata.nbgrader = NotebookNode(grade_id=grade_id, schema_version=3, **kinds | settings)
    return cell


def assignment() -> NotebookNode:
    """Return the source of the small assignment, as its instructor has it."""

    def test(name: str, points: int) -> NotebookNode:
        cell = new_code_cell(_TEST.format(name=name))
        return named(cell, f"test-{name}", grade=True, locked=True, points=points)

    def solution(name: str, factor: int) -> NotebookNode:
        source = _SOLUTION.format(name=name, factor=factor)
        return named(new_code_cell(source), f"{name}-function", solution=True)

    answer = new_markdown_cell(_ANSWER)
    cells = [
        new_markdown_cell("# Twice and thrice"),
        named(new_code_cell("import math"), "setup", locked=True),
        solution("double", 2),
        new_code_cell("print('twice two is', double(2))"),
        test("double", 4),
        solution("triple", 3),
        test("triple", 6),
        named(new_markdown_cell(_RUBRIC), "rubric-1", locked=True),
        named(answer, "question-1", grade=True, solution=True, points=5),
    ]
    for number, cell in enumerate(cells):
        cell.id = f"source-{number}"
    kernel = {"display_name": "x", "language": "python", "name": "python3"}
    nb = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    put_into(nb, CHECKS)
    return nb


@pytest.fixture(scope="session")
def template(once) -> Path:
    """Release the small assignment once."""
    return once("template", _make_template)


def _make_template(root: Path) -> None:
    for name in ("settings.ini", "nbgrader_config.py"):
        shutil.copy(REPOSITORY / name, root)
    source = root / "modules" / "source" / NAME / "optimizers_dev.py"
    source.parent.mkdir(parents=True)
    source.write_text("#| default_exp core.optimizers\n")
    course = Course(root)
    notebook = course.notebooks / NAME / NOTEBOOK
    notebook.parent.mkdir(parents=True)
    nbformat.write(assignment(), notebook)
    package = course.package_before(course.module(NAME)) / "tinytorch"
    for folder in (package, package / "core", package / "checks"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
    for name in ("observe.py", "origin.py", "publish.py", "student.py", "wire.py"):
        shutil.copy(REPOSITORY / "tinytorch" / "checks" / name, package / "checks")
    make_release(course)


def make_release(course: Course) -> None:
    """Let nbgrader make the release of the source notebook, in place of an earlier one."""
    config = course.nbgrader_config()
    config.CourseDirectory.assignment_id = NAME
    where = CourseDirectory(config=config)
    GenerateAssignment(coursedir=where, config=config, force=True).start()


def copy_of(template: Path, root: Path) -> Course:
    """Copy the small course."""
    shutil.copytree(template, root)
    # Fonts are not what is tested, and take a second to find.
    course = Course(root)
    limits(course, fonts="''")
    return course


@pytest.fixture
def course(template, tmp_path_factory, monkeypatch) -> Course:
    """Copy the small course for one test.

    It is the same place each time, and fresh inputs are drawn from the same seed. So what grading
    finds once in a process it need not find again: the isolation, the answers of the reference,
    and a zygote.
    """
    monkeypatch.setattr(grade_class, "secrets", SimpleNamespace(randbits=lambda bits: 7))
    monkeypatch.setattr(sample, "AT_LEAST", 0)  # once is enough, but for test_audit
    root = tmp_path_factory.getbasetemp() / "course"
    shutil.rmtree(root, ignore_errors=True)
    return copy_of(template, root)


@pytest.fixture
def module(course) -> Module:
    return course.module(NAME)


@pytest.fixture
def released(course) -> NotebookNode:
    """The small assignment as students receive it."""
    return release_of(course)


def release_of(course: Course) -> NotebookNode:
    return nbformat.read(course.release / NAME / NOTEBOOK, as_version=4)


def cell(nb: NotebookNode, grade_id: str) -> NotebookNode:
    """Return the first cell of a name."""
    return next(c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def position(nb: NotebookNode, grade_id: str) -> int:
    return nb.cells.index(cell(nb, grade_id))


def solve(nb: NotebookNode, solutions: dict[str, str] = RIGHT) -> NotebookNode:
    """Write solutions into a released notebook."""
    for grade_id, source in solutions.items():
        cell(nb, grade_id).source = source
    return nb


def solved(released: NotebookNode, solutions: dict[str, str] = RIGHT, **answers) -> NotebookNode:
    """Return a copy of a release with solutions in it, and with an answer to the question."""
    nb = solve(nbformat.from_dict(released), solutions)
    return solve(nb, {"question-1": answers["answer"]}) if answers else nb


def context(released: NotebookNode, earlier: Sequence[NotebookNode] = ()) -> Any:
    """Return as much of a context of grading as a submission needs to be rebuilt."""
    return SimpleNamespace(release=released, earlier=earlier, cells={}, kernelspec={})


@pytest.fixture
def hand_in(course) -> Callable[..., Path]:
    """Hand in a notebook for a student: the right one unless told otherwise."""
    return partial(submit, course)


def submit(course, student: str, nb=None, name: str = NOTEBOOK, when: object = None) -> Path:
    """Put a notebook, or a text, where a student hands it in: the right one by default."""
    path = course.submitted / student / NAME / name
    path.parent.mkdir(parents=True, exist_ok=True)
    nb = solve(release_of(course)) if nb is None else nb
    path.write_text(nb if isinstance(nb, str) else nbformat.writes(nb))
    if when is not None:
        path.with_name("timestamp.txt").write_text(f"{when} UTC\n")
    return path


@pytest.fixture
def grade(course, module) -> Callable[..., grade_class.GradingRun]:
    """Grade what is handed in."""
    return partial(grade_class.grade, course, module)


def statuses(run: grade_class.GradingRun) -> dict[str, str]:
    return {outcome.student: outcome.status for outcome in run.outcomes}


def failing(error: BaseException) -> Callable[..., None]:
    """Make a function that raises an error, to stand in the place of another one."""

    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.fixture
def rows(course, module) -> Callable[[], dict[str, scores.Row]]:
    """Read the table of marks, by student."""
    return lambda: {row.student: row for row in scores.table(course, module)}


def marks_of(course: Course) -> dict[str, tuple[float | None, float | None]]:
    """Read the points of the two graded cells, by student."""
    found = scores.table(course, course.module(NAME))
    return {row.student: (row.points["test-double"], row.points["test-triple"]) for row in found}


@pytest.fixture
def marks(course):
    return partial(marks_of, course)


@pytest.fixture
def record_of(course, module) -> Callable[[str], records.Record | None]:
    """Read the record of a student."""
    return partial(records.load, course, module)


@pytest.fixture
def journal(course, module) -> Journal:
    """What is graded and not yet entered."""
    return Journal(course.records / module.name / ".journal")


def nbgrader(course: Course, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run nbgrader's own command in a course."""
    command = [sys.executable, "-m", "nbgrader", *arguments]
    return subprocess.run(
        command, cwd=course.root, capture_output=True, text=True, check=False, timeout=200
    )


def gradebook(course: Course) -> Gradebook:
    config = course.nbgrader_config().CourseDirectory
    return Gradebook(config.db_url, config.course_id)


def mark_by_hand(course: Course, student: str, cell: str, points: float) -> None:
    with gradebook(course) as book:
        grade = book.find_grade(cell, "optimizers_dev", NAME, student)
        grade.manual_score, grade.needs_manual_grade = points, False
        book.db.commit()


@pytest.fixture
def set_due(course) -> Callable[[datetime | None], None]:
    """Give the assignment a due date, or none."""

    def run(due: datetime | None) -> None:
        with gradebook(course) as book:
            book.update_or_create_assignment(NAME, duedate=due)

    return run


def configure(course: Course, line: str) -> None:
    """Add a line to the configuration of a test's own course."""
    with (course.root / "nbgrader_config.py").open("a") as file:
        file.write(f"{line}\n")


def limits(course: Course, **settings: object) -> None:
    """Change settings of ExecuteSubmission."""
    for name, value in settings.items():
        configure(course, f"c.ExecuteSubmission.{name} = {value}")


#: What students write, and the points of the two graded cells that it earns.
KINDS = [
    (RIGHT, (4.0, 6.0)),
    ({"double-function": RIGHT["double-function"]}, (4.0, 0.0)),
    ({"triple-function": RIGHT["triple-function"]}, (0.0, 6.0)),
    ({**RIGHT, "double-function": "def double(x): return 4"}, (2.0, 6.0)),
]


@pytest.fixture
def class_of(hand_in, released) -> Callable[[int], dict[str, tuple[float, float]]]:
    """Hand in a class; return the points of each student."""

    def make(students: int) -> dict[str, tuple[float, float]]:
        expected = {}
        for number in range(students):
            solutions, expected[f"student-{number:03}"] = KINDS[number % len(KINDS)]
            hand_in(f"student-{number:03}", solved(released, solutions))
        return expected

    return make


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder for temporary files with a path that is short enough for sockets in it."""
    made = Path(tempfile.mkdtemp(prefix="ts-", dir="/tmp"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def no_zygote_is_left() -> Iterator[None]:
    yield
    end_zygotes()
