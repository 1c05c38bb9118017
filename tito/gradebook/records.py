"""What grading notes of each submission: one JSON file a student, replaced as a whole."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from tito.authoring.releases import current
from tito.course import Course, Module
from tito.course.files import replace_text
from tito.gradebook.result import Result
from tito.submission.intake import SubmissionFile
from tito.text import printable

_VERSION = 1


@dataclass(frozen=True)
class Record:
    """What the last grading of a submission came to."""

    student: str
    status: Literal["graded", "failed"]
    reason: str = ""
    #: Whether the mark in the gradebook is of an earlier submission than this failed one.
    stale: bool = False
    #: What a person should know.
    flags: tuple[str, ...] = ()
    #: How long it took.
    seconds: float = 0.0
    #: When, in ISO format, UTC.
    graded_at: str = ""
    #: The digest of the notebook that was handed in, and of the release it was graded against.
    submission: str = ""
    release: str = ""
    #: The verdict on each autograded cell: points, earned, parts, and the names of those that are
    #: right on the public inputs only.
    cells: dict[str, Any] = field(default_factory=dict)
    #: From which the fresh inputs were drawn.
    seed: int | None = None
    #: What is wrong with the file, for the student.
    problem: str = ""
    #: What kept the student's code apart; see :class:`tito.sandbox.Isolation`.
    isolation: dict[str, Any] = field(default_factory=dict)
    #: The cells that did not run, by their ids in the graded notebook; why none was left out;
    #: whether it was graded with all cells too, and what came of that.
    left_out: tuple[str, ...] = ()
    whole: str = ""
    audit: str = ""
    #: By graded cell: the digest of what a mark by hand is given for; see
    #: :func:`tito.course.cells.questions`.
    questions: dict[str, str] = field(default_factory=dict)
    #: The marks before this one, the oldest first: when, of which submission, from which seed, and
    #: what each cell earned.
    earlier: tuple[dict[str, Any], ...] = ()


def record_of(result: Result, last: Record | None, stale: bool) -> Record:
    """Return the record of a result: what they share, and what the last record says."""
    shared = {field.name for field in fields(Record)} & {field.name for field in fields(Result)}
    graded = result.status == "graded"
    return replace(
        Record(**{name: getattr(result, name) for name in shared}),
        reason=printable(result.reason),
        problem=printable(result.problem),
        flags=tuple(map(printable, result.flags)),
        stale=stale,
        graded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        submission=result.digest if graded else "",
        questions=result.questions or (last.questions if last else {}),
        audit=result.audit or _audit_before(last, result),
        earlier=_earlier(last, result),
    )


def _audit_before(last: Record | None, result: Result) -> str:
    """Return what came of grading this very submission both ways, if it was before."""
    if last is None or not result.left_out:
        return ""
    same = (last.submission, last.release) == (result.digest, result.release)
    return last.audit if same else ""


def _earlier(last: Record | None, result: Result) -> tuple[dict[str, Any], ...]:
    """Return the marks before this one, the oldest first."""
    if last is None:
        return ()
    # A result that is entered once more, since a run was killed, is not a new one.
    again = (last.submission, last.seed, last.cells) == (result.digest, result.seed, result.cells)
    if last.status != "graded" or again:
        return last.earlier
    earned = {name: cell["earned"] for name, cell in last.cells.items()}
    mark = {
        "graded_at": last.graded_at,
        "submission": last.submission,
        "seed": last.seed,
        "earned": earned,
    }
    return (*last.earlier, mark)


def changes(record: Record, file: SubmissionFile, times: Mapping[str, datetime | None]) -> str:
    """Say in what a submission differs from the one that was graded; "" where it does not.

    `times` are those of submission in the gradebook, by student: what lateness is counted from,
    whoever entered it.
    """
    if file.digest != record.submission:
        return "handed in anew"
    if record.student not in times:
        return "not in the gradebook any more"
    same = file.timestamp == times[record.student]
    return "" if same else "its time of submission has changed"


def path_of(course: Course, module: Module, student: str) -> Path:
    """Return the file that holds a student's record."""
    return course.records_of(module) / f"{student}.json"


def save(course: Course, module: Module, record: Record) -> None:
    """Write a record; a reader sees the old one or the new one, never half of one."""
    text = json.dumps({"version": _VERSION, **asdict(record)}, indent=1, ensure_ascii=False)
    replace_text(path_of(course, module, record.student), text + "\n")


def load(course: Course, module: Module, student: str) -> Record | None:
    """Read a record; None where there is none, or none that this version can read."""
    try:
        data = json.loads(path_of(course, module, student).read_text(encoding="utf-8"))
        if data.pop("version") != _VERSION:
            return None
        lists = {name: tuple(data.get(name, ())) for name in ("flags", "earlier", "left_out")}
        return Record(**{**data, **lists})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def load_all(course: Course, module: Module) -> list[Record]:
    """Read the records of a class, by student."""
    students = sorted(path.stem for path in course.records_of(module).glob("[!.]*.json"))
    loaded = (load(course, module, student) for student in students)
    return [record for record in loaded if record is not None]


#: What is said of a mark that another release gave.
EARLIER = "graded with an earlier release"


def stale(course: Course, module: Module, students: Sequence[str] | None = None) -> list[str]:
    """Return whose marks another release gave, of these students or of all."""
    if not course.released(module).is_file():
        return []
    now = current(course, module)
    graded = (record for record in load_all(course, module) if is_stale(record, now))
    return [r.student for r in graded if students is None or r.student in students]


def is_stale(record: Record, release: str) -> bool:
    """Whether a mark was given by another release than the one of this digest."""
    return record.status == "graded" and bool(record.release) and record.release != release
