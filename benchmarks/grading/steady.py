"""The part of a run in which all workers have work: without start, audit and end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.grading.classroom import MODULE
from tito.course import Course
from tito.gradebook import records

#: Notebooks are put in place in batches; so many seconds lie between two of them, at least.
_BETWEEN_BATCHES = 0.1
#: Submissions that keep the workers of a usual machine busy, and of a small class the part.
_STILL_TO_DO, _PART = 10, 4
#: So many submissions of a run are graded both ways at its beginning.
_AUDITED = 3
#: Which cells of a submission ran.
SHORT, WHOLE, BOTH = "without demonstrations", "whole", "both ways"


@dataclass(frozen=True)
class Steady:
    """Who was graded in it, from when to when by the clock."""

    students: tuple[str, ...]
    begin: float
    end: float

    @property
    def rate(self) -> float:
        """Submissions a second."""
        return len(self.students) / (self.end - self.begin)


def steady_part(times: Mapping[str, float], after: float = 0.0) -> Steady | None:
    """Return the steady part of a run; None where it is too short to have one.

    Parameters
    ----------
    times : mapping of str to float
        When each student's notebook was put in place. Counted is from the end of a batch to the end
        of one after which there was still enough to do: at both some submissions were half done.
    after : float, optional
        It begins then or later.
    """
    placed = sorted(times, key=times.__getitem__)
    ends = [
        n
        for n, (one, next_) in enumerate(zip(placed, placed[1:], strict=False))
        if times[next_] - times[one] > _BETWEEN_BATCHES
    ]
    last = len(placed) - min(_STILL_TO_DO, len(placed) // _PART)
    chosen = [n for n in ends if times[placed[n]] >= after and n < last]
    if len(chosen) < 2:
        return None
    first, last = chosen[0], chosen[-1]
    return Steady(tuple(placed[first + 1 : last + 1]), times[placed[first]], times[placed[last]])


def steady_part_of(course: Course, students: list[str]) -> Steady | None:
    """Return the steady part of a run over some students, behind the audit of its beginning."""
    times = {
        student: path.stat().st_mtime
        for student in students
        for path in (course.autograded / student).rglob("*.ipynb")
    }
    # Others that are drawn for it come later, and belong to the part.
    audited = [times[student] for student in students[:_AUDITED] if student in times]
    return steady_part(times, max(audited, default=0.0))


def way_of(course: Course, student: str) -> str:
    """Say which cells ran when a student was graded."""
    record = records.load(course, course.module(MODULE), student)
    if record is not None and record.audit:
        return BOTH
    return SHORT if record is not None and record.left_out else WHOLE
