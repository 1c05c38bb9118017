"""Enter the marks of many submissions in one transaction.

nbgrader opens the gradebook nine times for a submission and asks it 79 questions; here a batch of
any size takes a dozen statements. They set what is to be, so that doing it again changes nothing.
What a person entered is not among what they set.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    new_uuid,
)
from nbgrader.utils import parse_utc
from sqlalchemy import Boolean, Index, bindparam, case, insert, select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from traitlets.config import Config

from tito.course.lateness import CoursePolicy
from tito.errors import TitoError
from tito.gradebook.penalties import set_penalties
from tito.gradebook.result import Result

#: How long to wait for whoever else has the gradebook locked.
LOCK_TIMEOUT = 60.0
RETRY_DELAY = 0.5
#: Databases limit how many values a statement may have.
_CHUNK = 400


#: nbgrader looks through all submissions for the notebooks of each of them, and through all grades
#: for those of a notebook: formgrader's list of a class of 2000 took eight seconds.
_INDICES = (
    Index("tito_submitted_notebook_of", SubmittedNotebook.__table__.c.assignment_id),
    Index("tito_grade_of", Grade.__table__.c.notebook_id),
)


class GradebookWriter:
    """The gradebook, for reading an assignment and entering its marks.

    Parameters
    ----------
    book : Gradebook
        nbgrader's, open; closed by :meth:`close`.
    assignment, notebook : str
        nbgrader's names.
    config : Config
        Names the plugin that decides on late submissions.
    patience : float, optional
        Seconds to wait for a locked gradebook; a minute by default.
    """

    def __init__(
        self,
        book: Gradebook,
        assignment: str,
        notebook: str,
        config: Config | None = None,
        patience: float | None = None,
    ) -> None:
        self._book = book
        self._db = book.db
        self.assignment, self.notebook = assignment, notebook
        self._policy = CoursePolicy.of(config or Config())
        self._patience = LOCK_TIMEOUT if patience is None else patience
        row = book.find_notebook(notebook, assignment)
        self._notebook_id, self._assignment_id = row.id, row.assignment_id
        rows = self._db.execute(
            select(BaseCell.name, BaseCell.id, BaseCell.type).where(
                BaseCell.notebook_id == self._notebook_id
            )
        )
        cells = [(name, cell, kind) for name, cell, kind in rows]
        self._graded = {n: i for n, i, kind in cells if kind in ("GradeCell", "TaskCell")}
        self._commented = {n: i for n, i, kind in cells if kind in ("SolutionCell", "TaskCell")}
        self._db.rollback()

    def close(self) -> None:
        """Close the gradebook."""
        self._book.close()

    def times(self) -> dict[str, datetime | None]:
        """Return when each submission that is in the gradebook was handed in (UTC)."""
        ours = SubmittedAssignment
        chosen = select(ours.student_id, ours.timestamp)
        rows = self._db.execute(chosen.where(ours.assignment_id == self._assignment_id)).all()
        self._db.rollback()
        return {student: when for student, when in rows}

    def write(
        self, results: Sequence[Result], same: Mapping[str, Collection[str]] | None = None
    ) -> None:
        """Enter the marks of graded submissions: all of them or none.

        Parameters
        ----------
        results : sequence of Result
        same : mapping of str to collection of str, optional
            By student: the cells in which nothing changed that a mark by hand is given for.

        Raises
        ------
        TitoError
            If the gradebook stays locked, stays away, or cannot be written to, or lacks a cell.
        """
        self._check(results)
        deadline = time.monotonic() + self._patience
        while True:
            try:
                self._enter(results, same or {})
                self._db.commit()
                return
            except DataError:  # the fault of a mark, not of the gradebook
                self._db.rollback()
                raise
            except DBAPIError as error:
                # Locked by somebody, or the server has gone and may come back.
                self._db.rollback()
                if time.monotonic() > deadline or not _may_pass(error):
                    raise TitoError(
                        f"the gradebook cannot be written to: {_cause(error)}. Grading again "
                        "resumes from here: results that are not in it yet are kept."
                    ) from error
                time.sleep(RETRY_DELAY)
            except BaseException:
                self._db.rollback()
                raise

    def _check(self, results: Sequence[Result]) -> None:
        """Refuse marks of cells that the gradebook lacks."""
        named = {name for result in results for name in (*result.scores, *result.comments)}
        unknown = sorted(named - {*self._graded, *self._commented})
        if unknown:
            raise TitoError(
                f"the gradebook knows no cell {', '.join(unknown)} of {self.assignment}, as a "
                "release that did not come to its end leaves it; make it again with "
                f"'tito release {self.assignment}', and grade again."
            )

    def _enter(self, results: Sequence[Result], same: Mapping[str, Collection[str]]) -> None:
        self._wait_for_other_runs()
        for index in _INDICES:
            index.create(self._db.connection(), checkfirst=True)
        students = [result.student for result in results]
        self._add_students(students)
        submissions = self._submissions(students)
        times = [
            {
                "id": submissions[result.student],
                "timestamp": parse_utc(result.timestamp) if result.timestamp else None,
            }
            for result in results
        ]
        self._db.execute(update(SubmittedAssignment), times)
        notebooks = self._notebooks(submissions)
        self._add_rows(list(notebooks.values()))
        self._set_scores(results, notebooks, same)
        self._set_comments(results, notebooks)
        for keys in _chunks(list(notebooks.values())):  # a changed mark changes what lateness costs
            set_penalties(self._db, self._assignment_id, self._policy, keys)

    def _wait_for_other_runs(self) -> None:
        """Lock the assignment's row until the end of the transaction."""
        # Two runs would make the same rows, or deadlock. Nobody else is kept waiting: who marks by
        # hand writes other rows. SQLite has one writer at a time anyway.
        ours = select(Assignment.id).where(Assignment.id == self._assignment_id)
        self._db.execute(ours.with_for_update(key_share=True))

    # Rows -----------------------------------------------------------------------------------

    def _select(self, statement: Any, column: Any, values: Iterable[Any]) -> list[Any]:
        chunks = _chunks(list(values))
        return [
            row for some in chunks for row in self._db.execute(statement.where(column.in_(some)))
        ]

    def _insert(self, table: Any, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._db.execute(insert(table.__table__), rows)

    def _add_students(self, students: Sequence[str]) -> None:
        present = {row[0] for row in self._select(select(Student.id), Student.id, students)}
        self._insert(Student, [{"id": student} for student in students if student not in present])

    def _submissions(self, students: Sequence[str]) -> dict[str, str]:
        """Return the key of each student's submission; those that are missing are made."""
        ours = SubmittedAssignment
        chosen = select(ours.student_id, ours.id).where(ours.assignment_id == self._assignment_id)
        keys = dict(map(tuple, self._select(chosen, ours.student_id, students)))
        missing = [
            {"id": new_uuid(), "student_id": student, "assignment_id": self._assignment_id}
            for student in students
            if student not in keys
        ]
        self._insert(ours, missing)
        return keys | {row["student_id"]: row["id"] for row in missing}

    def _notebooks(self, submissions: Mapping[str, str]) -> dict[str, str]:
        """Return the key of the submitted notebook by student; those that are missing are made."""
        ours = SubmittedNotebook
        every = self._db.execute(
            select(Notebook.id).where(Notebook.assignment_id == self._assignment_id)
        ).scalars()
        chosen = select(ours.assignment_id, ours.notebook_id, ours.id)
        rows = self._select(chosen, ours.assignment_id, submissions.values())
        keys = {(submission, notebook): key for submission, notebook, key in rows}
        missing = [
            {"id": new_uuid(), "assignment_id": submission, "notebook_id": notebook}
            for notebook in every
            for submission in submissions.values()
            if (submission, notebook) not in keys
        ]
        self._insert(ours, missing)
        keys |= {(row["assignment_id"], row["notebook_id"]): row["id"] for row in missing}
        return {student: keys[key, self._notebook_id] for student, key in submissions.items()}

    def _add_rows(self, notebooks: list[str]) -> None:
        """Make the grades and comments that notebooks lack."""
        for table, cells, more in (
            (Grade, self._graded, {"needs_manual_grade": True}),
            (Comment, self._commented, {}),
        ):
            ids = list(cells.values())
            chosen = select(table.notebook_id, table.cell_id).where(table.cell_id.in_(ids))
            rows = self._select(chosen, table.notebook_id, notebooks)
            present = set(map(tuple, rows))
            self._insert(
                table,
                [
                    {"id": new_uuid(), "notebook_id": notebook, "cell_id": cell, **more}
                    for notebook in notebooks
                    for cell in ids
                    if (notebook, cell) not in present
                ],
            )

    # Values ---------------------------------------------------------------------------------

    def _set_scores(
        self,
        results: Sequence[Result],
        notebooks: Mapping[str, str],
        same: Mapping[str, Collection[str]],
    ) -> None:
        """Set automatic scores; a mark by hand stays, and waits again if its question changed."""
        table = Grade.__table__
        waits = bindparam("waits", type_=table.c.needs_manual_grade.type)
        values = {
            "auto_score": bindparam("score", type_=table.c.auto_score.type),
            "needs_manual_grade": case(
                (table.c.manual_score.is_(None), waits),
                (bindparam("same", type_=Boolean), table.c.needs_manual_grade),
                else_=True,
            ),
        }
        rows = [
            {
                "cell": self._graded[name],
                "of": notebooks[result.student],
                "score": points,
                "waits": points is None,
                "same": name in same.get(result.student, ()),
            }
            for result in results
            for name, points in result.scores.items()
        ]
        self._update(table, values, rows)

    def _set_comments(self, results: Sequence[Result], notebooks: Mapping[str, str]) -> None:
        rows = [
            {"cell": self._commented[name], "of": notebooks[result.student], "text": text}
            for result in results
            for name, text in result.comments.items()
        ]
        self._update(Comment.__table__, {"auto_comment": bindparam("text")}, rows)

    def _update(self, table: Any, values: dict[str, Any], rows: list[dict[str, Any]]) -> None:
        """Set values in the rows of a cell and a notebook."""
        statement = (
            update(table)
            .where(table.c.cell_id == bindparam("cell"))
            .where(table.c.notebook_id == bindparam("of"))
            .values(**values)
        )
        if rows:
            self._db.connection().execute(statement, rows)


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (values[at : at + _CHUNK] for at in range(0, len(values), _CHUNK))


def _may_pass(error: DBAPIError) -> bool:
    """Whether it can help to wait."""
    text = str(error).lower()
    passing = ("locked", "busy", "deadlock", "could not serialize", "connection")
    return (
        isinstance(error, IntegrityError)
        or error.connection_invalidated
        or any(word in text for word in passing)
    )


def _cause(error: Any) -> str:
    return str(getattr(error, "orig", error)).strip().splitlines()[0]
