"""What is done with a result: the gradebook, the graded notebook, the record."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DataError

from tito.course import Course, Module
from tito.course.files import flush, open_lock, remove_unfinished, replace_text, written
from tito.gradebook import records
from tito.gradebook.journal import Journal
from tito.gradebook.result import Result
from tito.gradebook.writer import GradebookWriter
from tito.text import printable

#: No student's id begins with a dot.
_JOURNAL = ".journal"
#: No file is being written for a day.
_OLD_SECONDS = 86_400.0
#: What a file or the gradebook says of data that it cannot hold, not of a disk or a server.
_UNWRITABLE = (ValueError, TypeError, RecursionError, DataError)


@dataclass
class ResultStore:
    """The only writer of a run."""

    #: Whose.
    course: Course
    module: Module
    #: The gradebook.
    writer: GradebookWriter
    #: The digest of the release, as it is now.
    release: str

    def __post_init__(self) -> None:
        records_of_all = self.course.records_of(self.module)
        with written("the journal of this run"):
            self.journal = Journal(records_of_all / _JOURNAL)
        for folder in (records_of_all, self.journal.folder):  # others may be writing there
            remove_unfinished(folder, _OLD_SECONDS)

    def finish_earlier_run(self, log: logging.Logger) -> list[str]:
        """Enter what an earlier run had found and not entered; return whose it was.

        What was graded against another release is forgotten instead: the gradebook's cells are
        those of the new one, and a new release grades all submissions anew.
        """
        left = list(self.journal)
        outdated = [r.student for r in left if r.status == "graded" and r.release != self.release]
        if outdated:
            names = ", ".join(outdated)
            log.warning("left by an earlier run, of another release: %s; to be graded anew", names)
            with written("the journal of this run"):
                for student in outdated:
                    self.journal.remove(student)
        current = [result for result in left if result.student not in outdated]
        return [result.student for result in self.commit(current)]

    def record(self, result: Result) -> Result:
        """Note a result so that it cannot be lost any more; return what was noted.

        Of one that cannot be written, that it failed: one submission never stops the class.
        """
        try:
            self._add_to_journal(result)
        except _UNWRITABLE as error:
            result = _unwritable(result, error)
            self._add_to_journal(result)
        return result

    def _add_to_journal(self, result: Result) -> None:
        with written("the journal of this run"):
            self.journal.add(result)

    def commit(self, results: Sequence[Result]) -> list[Result]:
        """Enter results that are kept; return what was entered, failed where it cannot be."""
        try:
            self._commit(results)
        except _UNWRITABLE as error:
            if len(results) > 1:
                return [entered for result in results for entered in self.commit([result])]
            if results[0].status == "failed":
                raise
            return self.commit([self.record(_unwritable(results[0], error))])
        return list(results)

    def _commit(self, results: Sequence[Result]) -> None:
        """Enter results: marks first, in one transaction, then files."""
        # The journal has them until the files are on the disk: after a power cut the gradebook may
        # have marks whose notebooks are empty, and the next run enters them again.
        if not results:
            return
        graded = [result for result in results if result.status == "graded"]
        with self._alone():
            if graded:
                self.writer.write(graded, {r.student: self._same_questions(r) for r in graded})
            for result in results:
                with written(f"the graded notebook of {result.student}"):
                    if result.status == "graded":
                        self._put_in_place(result)
                    self._save_record(result)
            with written("what was graded"):
                for folder in (self.course.autograded, self.journal.folder):
                    if folder.exists():
                        flush(folder)
                for result in results:
                    self.journal.remove(result.student)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep another run in this folder from writing between the marks and the files."""
        with written("the journal of this run"):
            file = open_lock(self.journal.folder / ".lock")
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def has_mark(self, student: str) -> bool:
        """Whether an earlier submission was graded."""
        return self.place(student).is_file()

    def place(self, student: str) -> Path:
        """Return where a graded notebook goes."""
        folder = self.course.autograded / student / self.module.name
        return folder / f"{self.module.notebook}.ipynb"

    def _same_questions(self, result: Result) -> set[str]:
        """Return the graded cells of which a mark by hand is for what it was given for."""
        record = records.load(self.course, self.module, result.student)
        before = record.questions if record else {}
        return {name for name, _ in before.items() & result.questions.items()}

    def _put_in_place(self, result: Result) -> None:
        place = self.place(result.student)
        remove_unfinished(place.parent)
        replace_text(place, result.notebook)
        # nbgrader compares it with the submission's to see whether there is a newer one.
        stamp = place.with_name("timestamp.txt")
        if result.timestamp:
            replace_text(stamp, f"{result.timestamp} UTC\n")
        else:
            stamp.unlink(missing_ok=True)

    def _save_record(self, result: Result) -> None:
        earlier = records.load(self.course, self.module, result.student)
        stale = result.status != "graded" and self.has_mark(result.student)
        records.save(self.course, self.module, records.record_of(result, earlier, stale))


def _unwritable(result: Result, error: Exception) -> Result:
    """Return that a result came to nothing, since a file or the gradebook cannot hold it."""
    reason = f"what came of grading it cannot be written ({printable(str(error))}); look at it"
    flags = tuple(map(printable, result.flags))
    return Result(**result.identity, status="failed", flags=flags, reason=reason)
