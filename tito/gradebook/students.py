"""What is done for one student: more time, and leaving the class."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry, SubmittedAssignment

from tito.course import Course, Module
from tito.course.files import replace_text
from tito.course.gradebook import assignment_in, open_gradebook, people_in
from tito.course.lateness import extended
from tito.course.roster import Roster, with_gradebook_ids
from tito.course.times import zone_of
from tito.errors import UsageError
from tito.gradebook import penalties


def extend(
    course: Course, module: Module, student: str, days: int, roster: Roster | None = None
) -> datetime | None:
    """Give a student more time, before or after the work was graded.

    Parameters
    ----------
    course, module, student
        Whose assignment, by the names of the gradebook.
    days : int
        How many days after the due date the work is due, in place of what was said before.
    roster : Roster, optional
        Who is in the class, and perhaps not in the gradebook yet.

    Returns
    -------
    datetime or None
        When the work is due, by the course's clock; None where the assignment has no due date.

    Raises
    ------
    UsageError
        If there is no such student.
    """
    config = course.nbgrader_config()
    with open_gradebook(course, config) as book:
        due = assignment_in(book, module).duedate
        enrolled = {person.id for person in book.students}
        class_, renamed, _ = with_gradebook_ids(roster or Roster(()), people_in(book))
        if student in renamed:
            raise UsageError(f"{student} is {renamed[student]} in the gradebook: name that.")
        everyone = enrolled | set(class_.by_student()) | set(course.students(module))
        if student not in everyone:
            raise _nobody(student, everyone)
        if student not in enrolled:
            book.add_student(student)
        _set_extension(book, module, student, timedelta(days))
    penalties.refresh(course, module)
    if due is None:
        return None
    zone = zone_of(config)
    return extended(due, timedelta(days), zone).replace(tzinfo=UTC).astimezone(zone)


def _set_extension(book: Gradebook, module: Module, student: str, more: timedelta) -> None:
    """Enter an extension; where nothing is graded yet, nbgrader makes rows for marks with it."""
    try:
        book.find_submission(module.name, student).extension = more or None
    except MissingEntry:
        with book.db.no_autoflush:  # nbgrader asks while it makes them, and SQLAlchemy warns
            submission = book.add_submission(module.name, student, extension=more or None)
        for grade in (grade for notebook in submission.notebooks for grade in notebook.grades):
            grade.needs_manual_grade = False  # nobody has anything to mark
    book.db.commit()


def drop(course: Course, student: str) -> Path:
    """Take a student who left out of the class, in all modules; return where everything is put.

    Work and marks are put aside, none is deleted.

    Raises
    ------
    UsageError
        If there is no such student.
    """
    aside = course.records / "dropped" / student / f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    with open_gradebook(course) as book:
        enrolled = {person.id for person in book.students}
        stays_inside = student and not student.startswith(".") and "/" not in student
        files = _files_of(course, student) if stays_inside else []
        if student not in enrolled and not files:
            raise _nobody(student, enrolled)
        if student in enrolled:
            marks = json.dumps(_all_marks(book, student), indent=1, ensure_ascii=False)
            replace_text(aside / "marks.json", marks + "\n")
            book.remove_student(student)
    for path in files:
        place = aside / path.relative_to(course.root)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.rename(place)
    return aside


def _files_of(course: Course, student: str) -> list[Path]:
    """Return what the course has of a student: work, graded work, pages, records."""
    places = [folder / student for folder in (course.submitted, course.autograded, course.feedback)]
    for module in course.modules:
        names = (f"{student}.json", f"earlier/{student}", f".journal/{student}.json")
        places += [course.records_of(module) / name for name in names]
    return [path for path in places if path.exists()]


def _all_marks(book: Gradebook, student: str) -> dict[str, Any]:
    """Return what the gradebook holds of a student, as plain data."""
    person = book.find_student(student)
    return {
        **{key: value for key, value in person.to_dict().items() if isinstance(value, str)},
        "assignments": [_marks(submission) for submission in person.submissions],
    }


def _marks(submission: SubmittedAssignment) -> dict[str, Any]:
    return {
        "assignment": submission.name,
        "timestamp": str(submission.timestamp or ""),
        "extension": str(submission.extension or ""),
        "late_submission_penalty": submission.late_submission_penalty,
        "cells": {
            grade.name: {
                "auto_score": grade.auto_score,
                "manual_score": grade.manual_score,
                "extra_credit": grade.extra_credit,
                "max_score": grade.max_score,
            }
            for notebook in submission.notebooks
            for grade in notebook.grades
        },
        "comments": {
            comment.name: text
            for notebook in submission.notebooks
            for comment in notebook.comments
            if (text := comment.comment)
        },
    }


def _nobody(student: str, choices: Collection[str]) -> UsageError:
    close = get_close_matches(student, sorted(choices), n=3)
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    return UsageError(f"there is no student {student!r} in the class.{hint}")
