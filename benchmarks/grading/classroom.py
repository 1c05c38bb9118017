"""A class made by code: right and wrong solutions, in notebooks as students hand them in."""

from __future__ import annotations

import copy
import random
import re
from pathlib import Path

from tests.solutions.harness import assignment
from tests.solutions.wrong_ideas import right_solutions, wrong_solutions
from tests.submissions.course import copy_course
from tests.submissions.notebook import Work
from tito.authoring.release import release
from tito.course import Course

MODULE = "08_optimizers"
#: What grading needs; demonstrations, text and figures of the chapter are not.
_GRADED = re.compile(r"\A# %%.* nbgrader=(?!.*setup-figures)|default_exp")
NOTEBOOK = "optimizers_dev.ipynb"
#: Solutions that hang or end their process measure limits, not speed.
_SLOW = ("infinite", "loop", "exit", "hang", "sleep", "flood")


def make(folder: Path, students: int, whole: bool, seed: int = 4) -> Course:
    """Make a course in ``folder/a`` that has a class.

    Parameters
    ----------
    folder : Path
        Where.
    students : int
        How many there are.
    whole : bool
        Whether with the demonstrations and figures of the chapter, or without.
    seed : int, optional
        By which solutions are drawn.
    """
    root = folder / "a"
    root.mkdir(parents=True)
    course = copy_course(root)
    module = course.module(MODULE)
    if not whole:
        head, *cells = re.split(r"^(?=# %%)", module.source.read_text(), flags=re.MULTILINE)
        module.source.write_text(head + "".join(c for c in cells if _GRADED.search(c)))
    release(course, module)
    _hand_in(course, students, random.Random(seed))
    return course


def _hand_in(course: Course, students: int, rng: random.Random) -> None:
    """Hand in what students write: most cells right, some wrong in ways that students are."""
    module = course.module(MODULE)
    right = [one for one in right_solutions() if assignment(one.cell).name == MODULE]
    wrong = [one for one in wrong_solutions() if assignment(one.cell).name == MODULE]
    wrong = [one for one in wrong if not any(word in one.name for word in _SLOW)]
    solved = Work(course, module).solve()
    for number in range(students):
        work = copy.deepcopy(solved)
        chosen = rng.sample(right, 3) + rng.sample(wrong, rng.choice([0, 0, 1, 2]))
        for solution in chosen:
            work.put(solution.cell, solution.source)
        if rng.random() < 0.8:
            work.write_answers()
        folder = course.submitted / f"student-{number:05}" / MODULE
        folder.mkdir(parents=True)
        (folder / NOTEBOOK).write_text(work.text())


def names(course: Course) -> list[str]:
    """Return the students of a class."""
    return sorted(path.name for path in course.submitted.iterdir())
