"""nbgrader's converters for one submission at a time, whose failures are raised."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from nbgrader.converters import BaseConverter, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from tito.course import Course, Module


class OneSubmission(BaseConverter):
    """Convert the submission that the course directory names, and nothing else.

    nbgrader's own loop finds submissions by patterns, in which a student called ``[1]`` is a
    set of characters; copies whatever lies beside the notebook; and logs what goes wrong.
    """

    def init_notebooks(self) -> None:
        """Look for nothing."""

    def convert_notebooks(self) -> None:
        """Convert the notebook, or raise what prevents it."""
        names = self.coursedir
        self.init_assignment(names.assignment_id, names.student_id)
        folder = self._format_source(names.assignment_id, names.student_id)
        self.convert_single_notebook(os.path.join(folder, f"{names.notebook_id}.ipynb"))
        self.set_permissions(names.assignment_id, names.student_id)


class FeedbackOne(OneSubmission, GenerateFeedback):
    """nbgrader's GenerateFeedback for one submission."""

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Copy nothing beside the page."""


def course_directory(
    course: Course, module: Module, student: str, config: Config, **folders: Path
) -> CourseDirectory:
    """Make nbgrader's view of the course for one submission.

    Parameters
    ----------
    course, module, student, config
        Where, what, whose, and the course's nbgrader configuration.
    **folders : Path
        Folders that are elsewhere this time: ``autograded_directory=...``. Below the root.
    """
    made = CourseDirectory(config=config)
    made.root = str(course.root)
    made.assignment_id, made.notebook_id = module.name, module.notebook
    made.student_id = student
    for name, path in folders.items():
        setattr(made, name, str(path.relative_to(course.root)))
    return made


def run(
    converter: type[OneSubmission],
    coursedir: CourseDirectory,
    config: Config,
    log: logging.Logger,
    **settings: Any,
) -> None:
    """Run a converter on one submission; raises whatever prevents its success."""
    made = converter(coursedir=coursedir, config=config)
    made.log = coursedir.log = log
    for name, value in settings.items():
        setattr(made, name, value)
    made.start()
