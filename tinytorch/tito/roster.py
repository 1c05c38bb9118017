"""Who is in the class: a CSV of one's own, or the one that a learning platform exports.

The columns are recognized by the names that Canvas (gradebook export), Moodle (grading worksheet,
grade export) and Gradescope (roster, grades) give them, so that their files serve as they are. A
column ``student_id`` decides under which name a student stands in the gradebook.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tinytorch.tito.errors import TitoError
from tinytorch.tito.grading.intake import problem_with_id

#: Where a student's name in the gradebook comes from: the first of these that the file has.
_STUDENT = (
    *("student_id", "id", "username", "Username", "SIS Login ID", "SID", "ID number"),
    *("SIS User ID", "Email address", "Email", "email", "ID"),
)
_NUMBERS = {
    "canvas": ("canvas_id", "ID"),
    "moodle": ("moodle_id", "Identifier"),
    "sid": ("sid", "SID", "SIS User ID", "ID number"),
    "email": ("email", "Email", "Email address"),
}
_NAME = ("name", "Name", "Full name", "Student")
_FIRST = ("first_name", "First name", "First Name", "FirstName")
_LAST = ("last_name", "Last name", "Last Name", "Surname", "LastName")
_SUBMITTED = ("Last modified (submission)",)


@dataclass(frozen=True)
class Person:
    """A student of the class.

    Attributes
    ----------
    student : str
        The name in the gradebook, and of the folder below ``modules/submitted``.
    first_name, last_name : str
        As far as the file says.
    keys : dict of str to str
        What platforms know the student by: "canvas", "moodle", "sid", "email".
    row : dict of str to str
        The line of the file, for formats that want it back.
    """

    student: str
    first_name: str = ""
    last_name: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    row: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The full name, first name first."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def submitted_at(self) -> str:
        """When the platform says that the student submitted; empty where it does not."""
        said = _first(self.row, _SUBMITTED)
        return "" if said == "-" else said


@dataclass(frozen=True)
class Roster:
    """The students of a class.

    Attributes
    ----------
    people : tuple of Person
        In the order of the file.
    columns : tuple of str
        The file's columns.
    points_row : dict of str to str
        Canvas's line "Points Possible", where there is one.
    """

    people: tuple[Person, ...]
    columns: tuple[str, ...] = ()
    points_row: dict[str, str] = field(default_factory=dict)

    def by_key(self, kind: str, value: str) -> list[Person]:
        """Return who a platform knows by a number or an address."""
        wanted = value.strip().casefold()
        return [p for p in self.people if wanted and p.keys.get(kind, "").casefold() == wanted]

    def by_name(self, text: str) -> list[Person]:
        """Return who is called so, first or last name first, however it is written."""
        wanted = squeezed(text)
        return [person for person in self.people if wanted in _spellings(person)]

    def by_student(self) -> dict[str, Person]:
        """Return the people by their names in the gradebook."""
        return {person.student: person for person in self.people}


def read(path: Path) -> Roster:
    """Read a roster.

    Raises
    ------
    TitoError
        If the file cannot be read, has no usable columns, or names a student twice.
    """
    lines, columns = _table(path)
    chosen = next((name for name in _STUDENT if name in columns), None)
    if chosen is None:
        raise TitoError(
            f"{path} has no column that names students; its columns are {', '.join(columns)}. "
            "Add a column student_id with the names that the gradebook shall use."
        )
    points, people = {}, []
    for row in lines:
        if "Points Possible" in row.get("Student", ""):
            points = row
        elif row[chosen].strip():
            people.append(_person(row, chosen))
    if not people:
        raise TitoError(f"{path} names no student in its column {chosen}.")
    _refuse_ids(path, chosen, people)
    return Roster(tuple(people), columns, points)


def _table(path: Path) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    """Read a CSV whatever program saved it: with a mark of its encoding, commas or semicolons."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TitoError(f"{path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise TitoError(
            f"{path} is not UTF-8 text (byte {error.start}). Save it as 'CSV UTF-8'."
        ) from error
    header = text.split("\n", 1)[0]
    separator = max(",;\t", key=header.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=separator, restval="")
    try:
        lines = [
            {key: value or "" for key, value in row.items() if key is not None} for row in reader
        ]
    except csv.Error as error:
        raise TitoError(f"{path}, line {reader.line_num}, is not CSV ({error}).") from error
    return lines, tuple(reader.fieldnames or ())


def _person(row: dict[str, str], chosen: str) -> Person:
    first, last = _first(row, _FIRST), _first(row, _LAST)
    if not first and not last:
        first, last = _split(_first(row, _NAME))
    keys = {kind: _first(row, names) for kind, names in _NUMBERS.items()}
    keys["moodle"] = keys["moodle"].rpartition(" ")[2]  # "Participant 123"
    return Person(row[chosen].strip(), first, last, keys, row)


def _split(name: str) -> tuple[str, str]:
    """Separate first and last name; Canvas writes the last name first, with a comma."""
    if "," in name:
        last, _, first = name.partition(",")
    else:
        first, _, last = name.rpartition(" ")
    return first.strip(), last.strip()


def _first(row: dict[str, str], names: Iterable[str]) -> str:
    return next((row[name].strip() for name in names if row.get(name, "").strip()), "")


def _refuse_ids(path: Path, chosen: str, people: list[Person]) -> None:
    """Refuse names that cannot be a folder's, and two students of one name."""
    counts = Counter(person.student for person in people)
    twins = [student for student, count in counts.items() if count > 1]
    if twins:
        raise TitoError(f"{path} names {', '.join(twins)} more than once in its column {chosen}.")
    for student in counts:
        problem = problem_with_id(student)
        if not problem and (student.startswith(".") or "/" in student or "\\" in student):
            problem = "it is to be a folder's name"
        if problem:
            raise TitoError(f"{path}: {student!r} in column {chosen} cannot be an id: {problem}.")


def _spellings(person: Person) -> set[str]:
    """Return a person's name as file names have it."""
    first, last = person.first_name, person.last_name
    found = {squeezed(first + last), squeezed(last + first), squeezed(person.student)}
    return found - {""}


def squeezed(text: str) -> str:
    """Return the letters and digits of a text, in one case and one normal form."""
    plain = unicodedata.normalize("NFC", text).casefold()
    return re.sub(r"[\W_]", "", plain)
