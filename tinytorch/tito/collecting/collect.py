"""Put a class's notebooks where grading looks for them, and say what became of each file."""

from __future__ import annotations

import re
import warnings
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from dateutil import parser as dates
from dateutil.tz import gettz
from nbgrader.api import Student

from tinytorch.tito.collecting import archive
from tinytorch.tito.collecting.schemes import SCHEMES, Found, recognize
from tinytorch.tito.course import Course, Module
from tinytorch.tito.errors import TitoError
from tinytorch.tito.files import put_in_place, staging_folder
from tinytorch.tito.grading.gradebook import assignment_in, open_gradebook
from tinytorch.tito.grading.intake import MAX_BYTES, read_timestamp
from tinytorch.tito.roster import Person, Roster

_LONGEST_NAME = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = "timestamp.txt"
_YEAR_FIRST = re.compile(r"\d{4}\D")
#: Of no two does a text without a date, or without a year, make the same.
_SOME_DAYS = (datetime(2000, 1, 1), datetime(2001, 2, 2))


@dataclass
class Report:
    """What became of a download, by student, or by owner where that is nobody of the roster.

    Attributes
    ----------
    scheme : str
        Whose download it was.
    collected : list of str
        Students whose submission is new, or was replaced.
    unchanged : list of str
        Students whose submission is the one that is there.
    kept : dict
        Students whose submission differs from the one that is there, which stays.
    late : dict
        Students who are late, and how much.
    unclear : dict
        Students whose time of submission was not understood, and has to be written down.
    duplicates, refused, unknown : dict
        Files not taken: another one counts, they cannot be read, they are nobody's.
    missing : list of str
        Students of the roster of whom the download has no notebook.
    """

    scheme: str
    collected: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    late: dict[str, str] = field(default_factory=dict)
    unclear: dict[str, str] = field(default_factory=dict)
    duplicates: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def collect(
    course: Course,
    module: Module,
    source: Path,
    roster: Roster,
    scheme: str | None = None,
    supersede: bool = False,
) -> Report:
    """Take in a download of all submissions.

    Parameters
    ----------
    course, module
        The notebooks go to ``course.submitted/STUDENT/module.name``.
    source : Path
        A zip archive or a folder.
    roster : Roster
        Who is in the class; everybody gets an entry in the gradebook.
    scheme : str, optional
        Whose download it is; recognized by default.
    supersede : bool
        Put later submissions in the place of those that are there; these move to
        ``course.records/module.name/earlier``.

    Raises
    ------
    TitoError
        If the archive cannot be opened or trusted, or the module was not released. What is
        wrong with one student's files is in the report.
    """
    with archive.entries(source) as entries:
        chosen = scheme or recognize(entries)
        report = Report(chosen)
        due = _enter(course, module, roster)
        ours = _of_students(SCHEMES[chosen](entries, roster), report)
        zone = _zone(course)
        for person in roster.people:
            newest = _newest(person, ours[person.student], module, report)
            files = _read(person, newest, report)
            if not files:
                report.missing += [] if person.student in report.refused else [person.student]
                continue
            when = _when(person, newest, zone)
            if when:
                files[_TIME] = f"{when:%Y-%m-%d %H:%M:%S} UTC\n".encode()
            _place(course, module, person.student, files, supersede, report)
            place = course.submitted / person.student / module.name
            _note_time(person, newest, when or _written_in(place), due, report)
    return report


def _enter(course: Course, module: Module, roster: Roster) -> datetime | None:
    """Enter the class in the gradebook; return when the assignment is due."""
    with open_gradebook(course) as book:
        due = assignment_in(book, module).duedate
        known = {student.id: student for student in book.students}
        for person in roster.people:
            student = known.get(person.student) or Student(id=person.student)
            student.first_name = person.first_name or student.first_name
            student.last_name = person.last_name or student.last_name
            student.email = person.keys.get("email") or student.email
            student.lms_user_id = person.keys.get("canvas") or student.lms_user_id
            book.db.add(student)
        book.db.commit()
    return due.replace(tzinfo=UTC) if due else None


def _of_students(found: Sequence[Found], report: Report) -> dict[str, list[Found]]:
    """Sort the notebooks by student; note what is no notebook, or nobody's."""
    ours: dict[str, list[Found]] = defaultdict(list)
    for file in found:
        if not file.filename.lower().endswith(".ipynb"):
            for person in file.people:
                report.refused.setdefault(person.student, f"{file.filename} is not a notebook")
        elif file.people:
            for person in file.people:
                ours[person.student].append(_usable(file))
        else:
            report.unknown[file.entry.name] = file.owner
    # Something else beside a notebook is no reason for a complaint.
    for student in ours:
        report.refused.pop(student, None)
    return ours


def _usable(file: Found) -> Found:
    """Give a file a name that can be written, whatever the student called it."""
    name = file.filename
    if name.isprintable() and len(name.encode("utf-8", "replace")) <= _LONGEST_NAME:
        return file
    return replace(file, filename=f"notebook-{file.order}.ipynb")


def _newest(person: Person, files: Sequence[Found], module: Module, report: Report) -> list[Found]:
    """Choose, of files of one name, the last that the student handed in."""
    by_name: dict[str, Found] = {}
    dropped = []
    for file in sorted(files, key=lambda file: (file.when or _EPOCH, file.order)):
        if earlier := by_name.get(file.filename):
            dropped.append(earlier.entry.name)
        by_name[file.filename] = file
    if dropped:
        report.duplicates[person.student] = f"not taken: {', '.join(dropped)}"
    wanted = f"{module.notebook}.ipynb"
    others = [name for name in by_name if name != wanted]
    if len(others) > 1 or (others and wanted in by_name):
        note = f"several notebooks: {', '.join(by_name)}"
        report.duplicates[person.student] = "; ".join(
            filter(None, [report.duplicates.get(person.student), note])
        )
    return list(by_name.values())


def _read(person: Person, found: Sequence[Found], report: Report) -> dict[str, bytes]:
    """Read a student's notebooks, by the names that they get."""
    files = {}
    for file in found:
        try:
            files[file.filename] = file.entry.read(MAX_BYTES)
        except archive.UnreadableError as error:
            report.refused[person.student] = str(error)
    return files


def _zone(course: Course) -> tzinfo:
    """Return the time zone of times without one: nbgrader's setting for its exchange."""
    name = course.nbgrader_config().Exchange.get("timezone", "UTC")
    zone = gettz(name)
    if zone is None:
        raise TitoError(
            f"c.Exchange.timezone is {name!r} in nbgrader_config.py, which this machine does not "
            "know; set it to a name such as 'Europe/Berlin'."
        )
    return zone


def _when(person: Person, found: Sequence[Found], zone: tzinfo) -> datetime | None:
    """Return when a student handed in: as the download says, or the roster."""
    told = [file.when for file in found if file.when]
    if told or not person.submitted_at:
        return max(told, default=None)
    when = _understood(person.submitted_at)
    if when is None:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(UTC)


def _understood(text: str) -> datetime | None:
    """Read a time that can be read in one way only.

    Left out are times without a date or a year, which the parser would take from today, months in
    other languages, and 5/12/26, which is in May or in December. With the year first, it is ISO's
    order.
    """
    orders = (False,) if _YEAR_FIRST.match(text) else (False, True)
    try:
        with warnings.catch_warnings():
            # A name of a zone that is not known would be left out.
            warnings.simplefilter("error", dates.UnknownTimezoneWarning)
            readings = {
                dates.parse(text, dayfirst=order, default=day)
                for order in orders
                for day in _SOME_DAYS
            }
    except (ValueError, OverflowError, dates.UnknownTimezoneWarning):
        return None
    return readings.pop() if len(readings) == 1 else None


def _written_in(place: Path) -> datetime | None:
    """Return the time that stands beside a submission, whoever wrote it."""
    try:
        when, _ = read_timestamp(place)
    except OSError:
        return None
    return when.replace(tzinfo=UTC) if when else None


def _note_time(
    person: Person,
    found: Sequence[Found],
    when: datetime | None,
    due: datetime | None,
    report: Report,
) -> None:
    if when and due and when > due:
        report.late[person.student] = f"by {timedelta(seconds=int((when - due).total_seconds()))}"
    elif not when and any(file.late for file in found):
        report.late[person.student] = (
            "the platform says so, but not by how much: write the time into its timestamp.txt"
        )
    elif not when and person.submitted_at:
        report.unclear[person.student] = (
            f"the roster says {person.submitted_at[:60]!r}, which is not English or can be read in "
            f"two ways: write the time into its {_TIME}, as 2026-12-05 23:59:00 UTC"
        )


def _place(
    course: Course,
    module: Module,
    student: str,
    files: dict[str, bytes],
    supersede: bool,
    report: Report,
) -> None:
    """Write a submission as a whole; leave alone what is there, unless told otherwise."""
    place = course.submitted / student / module.name
    try:
        inside = _inside(place)
        there = {path.name: path.read_bytes() for path in inside if path.is_file()}
    except OSError as error:
        report.refused[student] = (
            f"{place} cannot be read ({error.strerror}): chmod -R u+rX {place.parent}"
        )
        return
    if _TIME not in files:  # the download knows none, so a person may have written it
        there.pop(_TIME, None)
    if there == files:
        report.unchanged.append(student)
        return
    if inside and not supersede:
        report.kept[student] = str(place)
        return
    course.submitted.mkdir(parents=True, exist_ok=True)
    with staging_folder(course.submitted) as staging:
        made = staging / "made"
        made.mkdir()
        for name, data in files.items():
            (made / name).write_bytes(data)
        if inside:
            _put_aside(course, module, student, place)
        put_in_place(made, place, staging)
    report.collected.append(student)


def _inside(place: Path) -> list[Path]:
    try:
        return sorted(place.iterdir())
    except FileNotFoundError:
        return []


def _put_aside(course: Course, module: Module, student: str, place: Path) -> None:
    """Move an earlier submission where no grading finds it."""
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    aside = course.records / module.name / "earlier" / student / stamp
    aside.parent.mkdir(parents=True, exist_ok=True)
    place.rename(aside)
