"""The marks of a class: what the gradebook holds, and what a person should know beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any, Literal

from nbformat import NotebookNode
from nbgrader.api import (
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)

from tito.authoring import releases
from tito.authoring.releases import read_release
from tito.course import Course, Module
from tito.course.cells import grade_id, is_grade, is_task
from tito.course.course import problem_with_id
from tito.course.gradebook import assignment_in, open_gradebook, submissions_in, times_in
from tito.course.times import zone_of
from tito.flags import classmates
from tito.gradebook import penalties, records
from tito.gradebook.records import Record
from tito.submission import intake
from tito.submission.intake import SubmissionError

_STALE = "the mark is of an earlier submission"
_GONE = "nothing is handed in any more; the mark is of what was"

Status = Literal["graded", "failed", "not graded", "missing"]
_WORST_FIRST: tuple[Status, ...] = ("failed", "not graded", "graded", "missing")


@dataclass(frozen=True)
class Row:
    """The marks of one student."""

    student: str
    #: Whether there is a mark for what was handed in; "missing" where nothing was.
    status: Status
    #: By graded cell, in the order of the notebook; None where no one has marked it yet.
    points: dict[str, float | None]
    #: What the cells are worth.
    maxima: dict[str, float]
    #: Cells that wait for a person.
    needs_manual: tuple[str, ...] = ()
    #: Points taken for lateness.
    penalty: float = 0.0
    #: By how much later the work was due.
    extension: timedelta = timedelta()
    #: Whether there is a due date, and a time that cannot be read for certain.
    uncertain_time: bool = False
    #: What a person should know.
    flags: tuple[str, ...] = ()
    #: Why there is no mark, or the mark is not of the latest submission.
    reason: str = ""

    @property
    def total(self) -> float:
        """Points of all cells together, less the penalty."""
        return max(0.0, sum(points or 0.0 for points in self.points.values()) - self.penalty)

    @property
    def max(self) -> float:
        """What all cells together are worth."""
        return sum(self.maxima.values())


def worth(rows: Sequence[Row]) -> float:
    """Return what the assignment is worth; 0 where there is nobody."""
    return rows[0].max if rows else 0.0


@dataclass
class _Marks:
    """What the gradebook holds of one submission."""

    points: dict[str, float | None] = field(default_factory=dict)
    needs_manual: set[str] = field(default_factory=set)
    penalty: float = 0.0
    by_hand: dict[str, float] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is one: an extension alone makes rows for marks, too."""
        return any(points is not None for points in self.points.values())


def table_of(course: Course, modules: Sequence[Module]) -> list[Row]:
    """Return the marks of an assignment: a row a student, of all its notebooks together.

    Where there are several, a cell's name is NOTEBOOK/CELL.
    """
    if len(modules) == 1:
        return table(course, modules[0])
    tables = [{row.student: row for row in table(course, module)} for module in modules]
    return [
        _together([rows[student] for rows in tables], [m.notebook for m in modules])
        for student in sorted(set[str]().union(*tables))
    ]


def _together(rows: Sequence[Row], notebooks: Sequence[str]) -> Row:
    """Return a student's rows of several notebooks as one; its status is the worst of theirs."""

    def named(each: Callable[[Row], Mapping[str, Any]]) -> dict[str, Any]:
        return {
            f"{notebook}/{name}": value
            for notebook, row in zip(notebooks, rows, strict=True)
            for name, value in each(row).items()
        }

    waits = named(lambda row: dict.fromkeys(row.needs_manual))
    return Row(
        rows[0].student,
        min((row.status for row in rows), key=_WORST_FIRST.index),
        named(lambda row: row.points),
        named(lambda row: row.maxima),
        tuple(waits),
        sum(row.penalty for row in rows),
        rows[0].extension,
        any(row.uncertain_time for row in rows),
        tuple(dict.fromkeys(flag for row in rows for flag in row.flags)),
        "; ".join(dict.fromkeys(row.reason for row in rows if row.reason)),
    )


def table(course: Course, module: Module) -> list[Row]:
    """Return the marks of every student who handed in or stands in the gradebook, by name.

    Raises
    ------
    TitoError
        If the module was not released.
    """
    release = read_release(course.released(module))
    penalties.refresh(course, module)
    with open_gradebook(course) as book:
        due = assignment_in(book, module).duedate
        marks = _marks(book, module)
        times = times_in(book, module)
        enrolled = {student.id for student in book.students}
    grading = _Grading(
        course,
        module,
        release,
        releases.current(course, module),
        _maxima(release),
        {student: when for student, (when, _) in times.items()},
        {student: extension for student, (_, extension) in times.items()},
        due is not None,
        zone_of(course.nbgrader_config()),
    )
    handed_in = set(course.students(module))
    alike = classmates.load(course, module).flags()
    return [
        grading.row(student, marks.get(student), student in handed_in, alike.get(student, ()))
        for student in sorted(enrolled | handed_in)
    ]


def _marks(book: Gradebook, module: Module) -> dict[str, _Marks]:
    """Read the grades of all submissions in one query."""
    columns = (
        SubmittedAssignment.student_id,
        BaseCell.name,
        Grade.score,
        Grade.auto_score,
        Grade.manual_score,
        Grade.needs_manual_grade,
        SubmittedNotebook.late_submission_penalty,
    )
    rows = (
        submissions_in(book, module, *columns)
        .join(SubmittedAssignment.notebooks)
        .join(SubmittedNotebook.notebook)
        .join(SubmittedNotebook.grades)
        .join(Grade.cell)
        .filter(Notebook.name == module.notebook)
    )
    by_student: dict[str, _Marks] = {}
    for student, cell, score, auto, manual, waits, penalty in rows:
        marks = by_student.setdefault(student, _Marks())
        marks.points[cell] = None if auto is None and manual is None else score
        marks.penalty = penalty or 0.0
        if waits:
            marks.needs_manual.add(cell)
        if manual is not None:
            marks.by_hand[cell] = manual
    return by_student


def _maxima(release: NotebookNode) -> dict[str, float]:
    return {
        name: float(cell.metadata.nbgrader.points)
        for cell in release.cells
        if (is_grade(cell) or is_task(cell)) and (name := grade_id(cell))
    }


def marks_above_maximum(course: Course, module: Module) -> dict[str, tuple[str, ...]]:
    """Name, by student, the marks by hand that are above what the release gives for a cell."""
    maxima = _maxima(read_release(course.released(module)))
    with open_gradebook(course) as book:
        marks = _marks(book, module)
    return {
        student: above for student, each in marks.items() if (above := _above(each.by_hand, maxima))
    }


def _above(by_hand: Mapping[str, float], maxima: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(
        f"the mark by hand of {name}, {mark:g}, is above its maximum, {maxima[name]:g}"
        for name, mark in by_hand.items()
        if name in maxima and mark > maxima[name]
    )


@dataclass(frozen=True)
class _GradeSummary:
    """What a student's marks are worth, as in :class:`Row`."""

    status: Status
    reason: str = ""
    flags: tuple[str, ...] = ()
    #: Whether the marks are those of an earlier release.
    outdated: bool = False


@dataclass(frozen=True)
class _Grading:
    """What is needed to compare marks with what is handed in now."""

    course: Course
    module: Module
    release: NotebookNode
    #: The digest of the release that marks are to be of.
    digest: str
    maxima: dict[str, float]
    #: The times of submission in the gradebook, by student.
    times: Mapping[str, datetime | None]
    extensions: Mapping[str, timedelta]
    has_due_date: bool
    zone: tzinfo

    def row(self, student: str, mark: _Marks | None, is_here: bool, alike: Sequence[str]) -> Row:
        """Return the marks of a student, who has handed in or not, and what is to know of them."""
        mark = mark or _Marks()
        above = _above(mark.by_hand, self.maxima)
        summary = self.summary(student, is_here, bool(mark))
        doubt = self.doubt_of_time(student) if is_here else ()
        if summary.outdated:
            mark = _Marks()  # they may be of other cells, and of other maxima
        return Row(
            student,
            summary.status,
            {name: mark.points.get(name, None if is_here else 0.0) for name in self.maxima},
            self.maxima,
            needs_manual=tuple(name for name in self.maxima if name in mark.needs_manual),
            penalty=mark.penalty,
            extension=self.extensions.get(student, timedelta()),
            uncertain_time=self.has_due_date and bool(doubt),
            flags=tuple(dict.fromkeys((*summary.flags, *above, *doubt, *alike))),
            reason=summary.reason,
        )

    def summary(self, student: str, is_here: bool, marked: bool) -> _GradeSummary:
        """Compare the mark of a student with what is handed in now."""
        if problem := problem_with_id(student):
            return _GradeSummary("failed", f"the folder's name cannot be an id: {problem}")
        record = records.load(self.course, self.module, student)
        flags = record.flags if record else ()
        if record and record.status == "failed":
            stale = (_STALE,) if record.stale else ()
            return _GradeSummary("failed", record.reason, (*flags, *stale))
        grade = f"run 'tito grade {self.module.name}'"
        marked = marked or (record is not None and student in self.times)
        if record and marked and records.is_stale(record, self.digest):
            reason = f"{records.EARLIER}: {grade if is_here else _GONE}"
            return _GradeSummary("not graded", reason, flags, outdated=True)
        if not is_here:
            # Whoever takes work away may archive it or withdraw it. The gradebook still has its
            # mark, and only a person knows whether it should.
            gone = (_GONE,) if marked else ()
            return _GradeSummary("graded" if marked else "missing", flags=(*flags, *gone))
        if not marked:
            return _GradeSummary("not graded", grade, flags)
        if record and (changes := self._changes(record)):
            reason = f"{changes}, not graded yet: {grade}"
            return _GradeSummary("not graded", reason, (*flags, f"the mark is older: {changes}"))
        return _GradeSummary("graded", flags=flags)

    def _changes(self, record: Record) -> str:
        """Say in what a submission differs from the one that was graded; "" where it does not."""
        folder = self.course.submitted / record.student / self.module.name
        name = self.module.notebook
        try:
            file = intake.read_file(
                folder, record.student, name, self.release, self.zone, self.module.siblings
            )
        except SubmissionError:
            return "handed in anew"  # grading says what is wrong with it
        return records.changes(record, file, self.times)

    def doubt_of_time(self, student: str) -> tuple[str, ...]:
        """Return the flag of a time of submission that cannot be read for certain."""
        folder = self.course.submitted / student / self.module.name
        try:
            return intake.read_timestamp(folder, self.zone)[1]
        except OSError:
            return ()  # grading says that it cannot be read


def comments(course: Course, module: Module) -> dict[str, dict[str, str]]:
    """Return what the person who graded wrote, by student and cell."""
    with open_gradebook(course) as book:
        columns = (BaseCell.name, Comment.manual_comment, Comment.auto_comment)
        rows = (
            submissions_in(book, module, SubmittedAssignment.student_id, *columns)
            .join(SubmittedAssignment.notebooks)
            .join(SubmittedNotebook.comments)
            .join(Comment.cell)
        )
        by_student: dict[str, dict[str, str]] = {}
        for student, cell, manual, auto in rows:
            if text := manual or auto:
                by_student.setdefault(student, {})[cell] = text
        return by_student


def number(value: float) -> str:
    """Write a mark with at most two decimals, as the pages and the platforms show it."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
