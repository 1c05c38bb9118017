"""Which submissions of a class are graded both ways, and what follows from a difference."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tito.autograde.audit import EQUAL
from tito.autograde.job import Cells
from tito.course import Course, Module
from tito.course.files import replace_text, written
from tito.gradebook import records
from tito.gradebook.records import Record
from tito.submission.intake import SubmissionFile

#: So many submissions of a run are graded both ways at least, and of many, one in so many.
AT_LEAST, ONE_IN = 3, 50


class Sample:
    """Which cells of a submission run: chooses those that are graded both ways.

    Parameters
    ----------
    course, module
        Of which class.
    release : str
        The digest of the release.
    seed : int
        By which submissions are drawn.
    whole : bool
        Whether all are graded with all cells; they are too once a difference was found.
    """

    def __init__(
        self, course: Course, module: Module, release: str, seed: int, whole: bool = False
    ) -> None:
        self._course, self._module, self._release, self._seed = course, module, release, seed
        self._chosen = 0
        self.whole = whole or self._is_whole()

    def cells_of(self, file: SubmissionFile) -> Cells:
        """Return which cells of a submission run."""
        if self.whole:
            return "all"
        record = records.load(self._course, self._module, file.student)
        known = (file.digest, self._release, EQUAL)
        if record is not None and (record.submission, record.release, record.audit) == known:
            return "needed"
        drawn = hashlib.sha256(f"{self._seed}/{file.digest}".encode()).digest()
        if self._chosen >= AT_LEAST and int.from_bytes(drawn[:8]) % ONE_IN:
            return "needed"
        self._chosen += 1
        return "both"

    def is_shortened(self, record: Record | None) -> bool:
        """Whether a mark is of fewer cells than are to run."""
        current = record is not None and record.release == self._release
        return self.whole and current and bool(record and record.left_out)

    def end(self, because: str) -> None:
        """Grade this class with all cells from now on, until there is another release."""
        self.whole = True
        with written("that the class is graded with all cells"):
            data = {"release": self._release, "because": because}
            replace_text(self._path, json.dumps(data) + "\n")

    @property
    def _path(self) -> Path:
        return self._course.records_of(self._module) / ".whole"

    def _is_whole(self) -> bool:
        try:
            return json.loads(self._path.read_text("utf-8"))["release"] == self._release
        except (OSError, ValueError, TypeError, KeyError):
            return False
