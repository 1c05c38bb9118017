"""All of a submission's marks, or those it had before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nbgrader.api import Gradebook, MissingEntry, SubmittedAssignment

_KEPT = {
    "submission": ("timestamp",),
    "notebook": ("late_submission_penalty",),
    "grade": ("auto_score", "needs_manual_grade"),
    "comment": ("auto_comment",),
}


@contextmanager
def all_or_nothing(
    gradebook: Callable[[], Gradebook], assignment: str, student: str
) -> Iterator[None]:
    """Take back what nbgrader noted of a submission if the block fails.

    nbgrader saves the time of a submission before its grades, and these before its penalty.
    Otherwise a failed submission would lend its time to the mark of an earlier one, or, if it
    is the student's first, count as one that waits for a grader.
    """
    with gradebook() as book:
        before = _snapshot(book, assignment, student)
    try:
        yield
    except BaseException:
        with gradebook() as book:
            _restore(book, assignment, student, before)
        raise


def _entries(submission: SubmittedAssignment) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    """Give each entry of a submission with its kind and what names it."""
    yield "submission", (), submission
    for notebook in submission.notebooks:
        yield "notebook", (notebook.name,), notebook
        for grade in notebook.grades:
            yield "grade", (notebook.name, grade.name), grade
        for comment in notebook.comments:
            yield "comment", (notebook.name, comment.name), comment


def _snapshot(book: Gradebook, assignment: str, student: str) -> dict[Any, Any] | None:
    try:
        submission = book.find_submission(assignment, student)
    except MissingEntry:
        return None
    return {
        (kind, name): {key: getattr(entry, key) for key in _KEPT[kind]}
        for kind, name, entry in _entries(submission)
    }


def _restore(book: Gradebook, assignment: str, student: str, before: dict[Any, Any] | None) -> None:
    try:
        submission = book.find_submission(assignment, student)
    except MissingEntry:
        return
    if before is None:
        book.remove_submission(assignment, student)
        return
    for kind, name, entry in _entries(submission):
        for key, value in before.get((kind, name), {}).items():
            setattr(entry, key, value)
    book.db.commit()
