"""The marks that may leave the course, and who the students are elsewhere.

A platform takes an empty cell for a mark that is to be deleted, and a total without the written
answers for the final one. So a student without a final mark has no line in a file for it, and is
named to the instructor instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tito.course import Course, Module
from tito.course.gradebook import open_gradebook, people_in
from tito.course.roster import Person, Roster, matched
from tito.errors import TitoError
from tito.gradebook.scores import Row


@dataclass(frozen=True)
class Written:
    """A file or folder that was written."""

    path: Path
    #: How many students' marks it holds.
    students: int
    #: Who has no line, and why.
    left_out: dict[str, str] = field(default_factory=dict)
    #: What the platform will do with the file that nobody would expect.
    warning: str = ""


@dataclass(frozen=True)
class Sheet:
    """What a format is made from."""

    course: Course
    module: Module
    #: What :func:`scores.table` returns.
    rows: list[Row]
    #: Who the students are on the platform.
    roster: Roster
    #: The assignment's name on the platform.
    title: str
    #: Whether totals count before the written answers are marked, and before it is certain whether
    #: they are late.
    provisional: bool = False

    def final(self) -> Iterator[tuple[Row, Person]]:
        """Give the students that have a final mark."""
        for row in self.rows:
            if not self._missing(row):
                yield row, self._people[row.student]

    @cached_property
    def _people(self) -> dict[str, Person]:
        """Who students are on the platform, by any key that its file has."""
        with open_gradebook(self.course) as book:
            enrolled = {person.student: person for person in people_in(book)}
        ours = [enrolled.get(row.student, Person(row.student)) for row in self.rows]
        return matched(ours, self.roster)

    def left_out(self) -> dict[str, str]:
        """Return who has none, and why; not those who handed nothing in."""
        return {
            row.student: reason
            for row in self.rows
            if (reason := self._missing(row)) and row.status != "missing"
        }

    def _missing(self, row: Row) -> str:
        if row.status != "graded":
            return row.reason or row.status
        if row.needs_manual and not self.provisional:
            return f"to be marked by hand: {', '.join(row.needs_manual)}"
        if row.uncertain_time and not self.provisional:
            return "its time of submission is not certain: write it into its timestamp.txt"
        return "" if row.student in self._people else "not in the roster"


def nobody(left_out: Mapping[str, str], roster: Roster) -> TitoError:
    """Say why a file would hold no student."""
    if not left_out:
        return TitoError("there is nobody to write: no student has handed anything in.")
    reasons = Counter(left_out.values())
    why = "; ".join(f"{reason} ({count})" for reason, count in reasons.most_common(5))
    names = ", ".join(list(left_out)[:3])
    return TitoError(
        f"not a single student would be in the file: {why}. They are {names} and so on in the "
        f"gradebook; the roster has {roster.recognized()}."
    )
