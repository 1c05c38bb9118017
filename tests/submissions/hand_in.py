"""Put the submissions of the sample class where nbgrader looks for them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from tests.submissions.notebook import Work
from tests.submissions.students import CLASSES
from tito.course import Course, Module


def hand_in(course: Course, module: Module, whole: Collection[str] | None = None) -> list[Path]:
    """Write each student's files below ``modules/submitted``, leaving alone what is the same.

    Parameters
    ----------
    course, module
        Where and what.
    whole : collection of str, optional
        Students who hand in the demonstrations too, which take most of the time of grading and
        change no mark; all of them by default.

    Returns
    -------
    list of Path
        The folders of the submissions.
    """
    folders = []
    for name, student in CLASSES[module.name].items():
        folder = course.submitted / name / module.name
        folder.mkdir(parents=True, exist_ok=True)
        work = Work(course, module)
        if whole is not None and name not in whole:
            work.drop_demonstrations()
        for filename, text in student(work).items():
            path = folder / filename
            if not path.is_file() or path.read_text() != text:
                path.write_text(text)
        folders.append(folder)
    return folders
