"""A small course on disk, made for each test."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest

from tito.cli import main
from tito.course import Course

HEADER = dedent(
    """\
    # ---
    # jupyter:
    #   jupytext:
    #     text_representation:
    #       extension: .py
    #       format_name: percent
    #       format_version: '1.3'
    #   kernelspec:
    #     display_name: Python 3
    #     language: python
    #     name: python3
    # ---
    """
)


def cell_header(grade_id: str, kind: str = "locked", points: int | None = None) -> str:
    """Return the header of an nbgrader cell: kind is locked, solution or test."""
    worth = "" if points is None else f'"points": {points}, '
    grade, solution, locked = (
        str(flag).lower() for flag in (kind == "test", kind == "solution", kind != "solution")
    )
    return (
        f'# %% nbgrader={{"grade": {grade}, "grade_id": "{grade_id}", "locked": {locked}, {worth}'
        f'"schema_version": 3, "solution": {solution}, "task": false}}'
    )


FIRST = HEADER + dedent(
    """
    # %% [markdown]
    # # First

    # %%
    #| default_exp core.first

    # %%
    #| export
    ONE = 1
    """
)

SECOND = HEADER + "\n".join(
    [
        "",
        "# %%",
        "#| default_exp core.second",
        "",
        cell_header("imports"),
        "#| export",
        "from tinytorch.core.first import ONE",
        "",
        cell_header("answer", "solution"),
        "#| export",
        "class Answer:",
        '    """Knows the answer."""',
        "",
        "    def give(self):",
        '        """Return forty-two."""',
        "        # TODO: return the number of the question.",
        "        # Hint: who asked?",
        "        ### BEGIN SOLUTION",
        "        the_secret_number = 41 + ONE",
        "        return the_secret_number",
        "        ### END SOLUTION",
        "",
        cell_header("test-answer", "test", 5),
        "from tinytorch.checks.for_02_second.answer import checks as answer_checks",
        "",
        "",
        "def test_unit_answer():",
        '    """The answer."""',
        "    answer_checks.run(Answer)",
        "",
        "",
        'if __name__ == "__main__":',
        "    answer_checks.show(Answer)",
        "",
    ]
)

#: The checks of the second module.
CHECKS = {
    "__init__.py": "",
    "exercises/__init__.py": "",
    "exercises/answer.py": dedent(
        '''
        def exists(student):
            """Answer is a class."""
            return {"type": type(student.Answer()).__name__}


        def gives(student):
            """The answer is 42."""
            return {"answer": student.Answer().give()}
        '''
    ),
    "answer.py": dedent(
        """
        from tinytorch.checks import Checks

        from .exercises import answer as exercises

        checks = Checks("test-answer", points=5, names=["Answer"])
        checks.part(
            exercises.exists, points=2, expect={"type": "Answer"}, hint="Is it a class?"
        )
        checks.part(exercises.gives, points=3, expect={"answer": 42}, hint="Add.")
        """
    ),
}

ROOT = Path(__file__).resolve().parents[2]


def make_course(root: Path) -> Course:
    """Write a course of two modules, with the real checks and configuration."""
    for name, text in (("01_first/first_dev.py", FIRST), ("02_second/second_dev.py", SECOND)):
        path = root / "modules" / "source" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    for name in ("settings.ini", "nbgrader_config.py"):
        (root / name).write_text((ROOT / name).read_text())
    (root / "tinytorch" / "core").mkdir(parents=True)
    (root / "tinytorch" / "checks").mkdir()
    shared = [path.relative_to(ROOT / "tinytorch") for path in Course(ROOT).shared]
    checks = (f"checks/{path.name}" for path in (ROOT / "tinytorch" / "checks").glob("*.py"))
    for name in ("__init__.py", "core/__init__.py", *checks, *shared):
        (root / "tinytorch" / name).unlink(missing_ok=True)
        (root / "tinytorch" / name).symlink_to(ROOT / "tinytorch" / name)
    for name, text in CHECKS.items():
        path = root / "tinytorch" / "checks" / "for_02_second" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Course(root)


@pytest.fixture
def course(tmp_path, monkeypatch) -> Course:
    monkeypatch.chdir(tmp_path)
    return make_course(tmp_path)


class Answer(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def tito_in(monkeypatch, capsys) -> Callable[..., Answer]:
    """Call the command line in a folder; return exit code, output and errors."""

    def call(folder: Path, *arguments: str) -> Answer:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["tito", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Answer(ended.value.code or 0, captured.out, captured.err)

    return call


@pytest.fixture
def tito(course, tito_in) -> Callable[..., Answer]:
    """Call the command line in the course's folder."""
    return partial(tito_in, course.root)
