"""Who hands in while somebody watches, noticed within moments, and so often as is allowed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from watchfiles import watch

#: Between two looks at what has changed.
_LOOK_MILLISECONDS = 100
#: How long a folder without a notebook is looked at again.
_PATIENCE = timedelta(seconds=30)
_HOUR = timedelta(hours=1)

#: When the submissions of a student were graded, as far as is known.
GradedAt = Callable[[str], Sequence[datetime]]
Signature = tuple[tuple[str, int, int], ...]


class Arrivals:
    """The students whose submissions arrive or change, for as long as one asks.

    Parameters
    ----------
    folder : Path
        Holds ``STUDENT/ASSIGNMENT/*.ipynb``.
    assignment : str
        Whose submissions.
    an_hour : int
        How many of one student are graded within an hour; 0 for any number.
    graded_at : callable
        When the student's submissions were graded.
    tell : callable
        Called with who has to wait, and until when.
    known : collection of str, optional
        Whose submissions somebody else looks at, as they are now.
    """

    def __init__(
        self,
        folder: Path,
        assignment: str,
        an_hour: int,
        graded_at: GradedAt,
        tell: Callable[[str], None],
        known: Collection[str] = (),
    ) -> None:
        self._folder, self._assignment = folder, assignment
        self._an_hour, self._graded_at, self._tell = an_hour, graded_at, tell
        self._known = {student: self._signature(student) for student in known}
        #: What is being written, as it was at the last look, and since when.
        self._changing: dict[str, tuple[Signature, datetime]] = {}
        #: Who has handed in too often, and when it is their turn again.
        self._waiting: dict[str, datetime] = {}

    def __iter__(self) -> Iterator[str | None]:
        """Give each student whose file is there and whole; None where there is none for now."""
        has_begun = False
        for changes in watch(
            self._folder,
            watch_filter=None,
            debounce=_LOOK_MILLISECONDS,
            step=_LOOK_MILLISECONDS // 2,
            rust_timeout=_LOOK_MILLISECONDS,
            yield_on_timeout=True,
            raise_interrupt=True,
        ):
            now = datetime.now(UTC)
            if not has_begun:  # until now nobody watched
                self._changing |= {student: ((), now) for student in self._changed()}
                has_begun = True
            for _, path in changes:
                student = self._student_of(Path(path))
                if student is not None:
                    self._changing.setdefault(student, ((), now))
            yield from self._whole(now)
            yield from self._due(now)
            yield None

    def _changed(self) -> list[str]:
        """Return whose submission is not what is known."""
        students = (path.name for path in self._folder.iterdir() if not path.name.startswith("."))
        return [one for one in students if self._signature(one) != self._known.get(one, ())]

    def _student_of(self, path: Path) -> str | None:
        student, *rest = path.relative_to(self._folder).parts
        return student if not rest or rest[0] == self._assignment else None

    def _whole(self, now: datetime) -> Iterator[str]:
        """Give those whose folder has a notebook, and is as it was at the last look."""
        for student, (before, since) in list(self._changing.items()):
            seen = self._signature(student)
            if seen and seen == before:
                del self._changing[student]
                yield from self._admitted(student, now)
            elif not seen and now - since > _PATIENCE:
                del self._changing[student]
            else:
                self._changing[student] = (seen, since)

    def _signature(self, student: str) -> Signature:
        try:
            files = sorted((self._folder / student / self._assignment).iterdir())
            stats = [(path.name, path.stat()) for path in files]
        except OSError:  # not there yet, or being replaced
            return ()
        if not any(name.lower().endswith(".ipynb") for name, _ in stats):
            return ()
        return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)

    def _admitted(self, student: str, now: datetime) -> Iterator[str]:
        """Give the student, unless they have handed in too often for now."""
        recent = sorted(when for when in self._graded_at(student) if when > now - _HOUR)
        if not self._an_hour or len(recent) < self._an_hour:
            yield student
            return
        until = recent[-self._an_hour] + _HOUR
        if student not in self._waiting:
            self._tell(
                f"{student} has handed in more than {self._an_hour} times within an hour; "
                f"what they hand in now is graded at {until.astimezone():%H:%M}"
            )
        self._waiting[student] = until

    def _due(self, now: datetime) -> Iterator[str]:
        for student, until in list(self._waiting.items()):
            if until <= now:
                del self._waiting[student]
                yield student
