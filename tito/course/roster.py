"""Who is in the class: a CSV of one's own, or the one that a learning platform exports.

The columns are recognized by :mod:`headings`, so that the files of Canvas (gradebook export),
Moodle (grading worksheet, grade export) and Gradescope (roster, grades) serve as they are. A
column ``student_id`` decides under which name a student stands in the gradebook.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tito.course import headings
from tito.course.course import problem_with_id
from tito.errors import TitoError

#: Where a student's name in the gradebook comes from: the first of these that names everyone.
_STUDENT = ("student", "id", "login", "sid", "email", "canvas")
#: What a platform knows a student by.
_KEYS = ("canvas", "moodle", "sid", "login", "email")
#: The rows that Canvas's export has beside those of students.
_POINTS, _TEST_STUDENT = "Points Possible", ("Student, Test", "Test Student")
#: Whom Gradescope's roster and lists of participants name beside students.
_STAFF = ("instructor", "ta", "reader", "teacher")
_SEPARATOR = re.compile(r"sep=(.)", re.IGNORECASE)


@dataclass(frozen=True)
class Person:
    """A student of the class."""

    #: The name in the gradebook, and of the folder below ``modules/submitted``.
    student: str
    #: As far as the file says.
    first_name: str = ""
    last_name: str = ""
    #: What platforms know the student by: "canvas", "moodle", "sid", "login", "email".
    keys: dict[str, str] = field(default_factory=dict)
    #: The line of the file, for formats that want it back.
    row: dict[str, str] = field(default_factory=dict)
    #: When the platform says that the student submitted; empty where it does not.
    submitted_at: str = ""

    @property
    def name(self) -> str:
        """The full name, first name first."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True)
class Roster:
    """The students of a class."""

    people: tuple[Person, ...]
    columns: tuple[str, ...] = ()
    #: Which column holds what; see :func:`headings.roles_of`.
    roles: dict[str, str] = field(default_factory=dict)

    def recognized(self) -> str:
        """Say which columns name the students."""
        kinds = {
            "number": ("student", "id", "login", "sid", "canvas", "moodle"),
            "name": ("name", "first", "last"),
            "e-mail": ("email",),
        }
        columns = {
            kind: ", ".join(repr(self.roles[role]) for role in roles if role in self.roles)
            for kind, roles in kinds.items()
        }
        return "; ".join(f"{kind}: {names or 'none'}" for kind, names in columns.items())

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


def read(path: Path, for_export: bool = False) -> Roster:
    """Read a roster.

    Parameters
    ----------
    path : Path
    for_export : bool
        Whether Moodle's participant numbers will do for ids: an assignment numbers the class anew,
        so that the gradebook cannot have them.

    Raises
    ------
    TitoError
        If the file cannot be read, has no usable columns, or names a student twice.
    """
    lines, columns = _table(path)
    roles = headings.roles_of(columns, lines)
    names = (*_STUDENT, "moodle") if for_export else _STUDENT
    if not set(names) & set(roles):
        raise TitoError(
            f"{path} has no column that names students; its columns are {', '.join(columns)}. "
            "Add a column student_id with the names that the gradebook shall use."
        )
    rows = [row for row in lines if _is_student(row, roles)]
    chosen = _chosen(path, rows, [roles[role] for role in names if role in roles])
    people = [_person(row, row[chosen].strip(), roles) for row in rows]
    _refuse_ids(path, chosen, people)
    return Roster(tuple(people), columns, roles)


def _is_student(row: dict[str, str], roles: dict[str, str]) -> bool:
    """Whether a line is about a student: not empty, nor Canvas's own, nor about staff."""
    if _cell(row, roles, "role").casefold() in _STAFF:
        return False
    name = _cell(row, roles, "name")
    if "canvas" in roles and _POINTS in name:
        return False
    if "canvas" in roles and name in _TEST_STUDENT and not _cell(row, roles, "sid"):
        return False
    return any(_cell(row, roles, role) for role in (*_STUDENT, "moodle", "name", "first", "last"))


def _chosen(path: Path, rows: list[dict[str, str]], candidates: list[str]) -> str:
    """Return the column that names students in the gradebook: the first without a gap."""
    if not rows:
        raise TitoError(f"{path} names no student in its column {candidates[0]}.")
    for column in candidates:
        if all(row[column].strip() for row in rows):
            return column
    gap = next(row for row in rows if not row[candidates[0]].strip())
    who = ", ".join(filter(None, (value.strip() for value in gap.values())))[:60]
    raise TitoError(
        f"{path}: a line ({who}) has nothing in column {candidates[0]}, and no other column names "
        "everyone. Fill it in, or add a column student_id."
    )


def _table(path: Path) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    """Read a CSV whatever program saved it: its encoding, its separator, lines before the table."""
    text, separator, skipped = _without_preamble(_text(path))
    header = text.split("\n", 1)[0]
    separator = separator or max(",;\t", key=header.count)
    # Strict: a quotation mark that is never closed would take the students behind it along.
    reader = csv.DictReader(io.StringIO(text), delimiter=separator, restval="", strict=True)
    try:
        lines = [
            {key: value or "" for key, value in row.items() if key is not None} for row in reader
        ]
    except csv.Error as error:
        line = reader.line_num + skipped
        raise TitoError(f"{path}, line {line}, is not CSV ({error}).") from error
    return lines, tuple(reader.fieldnames or ())


def _text(path: Path) -> str:
    """Return the text of a file, with plain ends of lines."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TitoError(f"{path} cannot be read ({error.strerror}).") from error
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise TitoError(
            f"{path} is not UTF-8 text (byte {error.start}). Save it as 'CSV UTF-8'."
        ) from error
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def _without_preamble(text: str) -> tuple[str, str, int]:
    """Cut empty lines and a spreadsheet's "sep=;" before the headings; return how many, too."""
    separator, skipped = "", 0
    while text:
        line, _, rest = text.partition("\n")
        if match := _SEPARATOR.fullmatch(line.strip(' "')):
            separator = match[1]
        elif line.strip(' ,;\t"'):
            break
        text, skipped = rest, skipped + 1
    return text, separator, skipped


def _person(row: dict[str, str], student: str, roles: dict[str, str]) -> Person:
    first, last = _cell(row, roles, "first"), _cell(row, roles, "last")
    if not first and not last:
        first, last = _split(_cell(row, roles, "name"))
    keys = {kind: _cell(row, roles, kind) for kind in _KEYS}
    keys["moodle"] = re.sub(r".*\D", "", keys["moodle"])  # "Participant 123"
    submitted = _cell(row, roles, "submitted")
    return Person(student, first, last, keys, row, "" if submitted == "-" else submitted)


def _cell(row: dict[str, str], roles: dict[str, str], role: str) -> str:
    # Not "" for what is missing: so a table's column of line numbers is headed.
    return row[roles[role]].strip() if role in roles else ""


def _split(name: str) -> tuple[str, str]:
    """Separate first and last name; Canvas writes the last name first, with a comma."""
    if "," in name:
        last, _, first = name.partition(",")
    else:
        first, _, last = name.rpartition(" ")
    return first.strip(), last.strip()


def _refuse_ids(path: Path, chosen: str, people: list[Person]) -> None:
    """Refuse names that cannot be a folder's, and two students of one name."""
    counts = Counter(person.student.casefold() for person in people)  # not all disks tell apart
    twins = dict.fromkeys(p.student for p in people if counts[p.student.casefold()] > 1)
    if twins:
        raise TitoError(f"{path} names {', '.join(twins)} more than once in its column {chosen}.")
    for student in (person.student for person in people):
        problem = problem_with_id(student)
        if not problem and (student.startswith(".") or "/" in student or "\\" in student):
            problem = "it is to be a folder's name"
        if problem:
            raise TitoError(f"{path}: {student!r} in column {chosen} cannot be an id: {problem}.")


def _spellings(person: Person) -> set[str]:
    """Return a person's name as file names have it."""
    first, last = person.first_name, person.last_name
    return {squeezed(first + last), squeezed(last + first), squeezed(person.student)} - {""}


def squeezed(text: str) -> str:
    """Return the letters and digits of a text, in one case and one normal form."""
    plain = unicodedata.normalize("NFC", text).casefold()
    return re.sub(r"[\W_]", "", plain)


def _keys_in_gradebook(person: Person) -> set[tuple[str, str]]:
    """Return a student's id, address and numbers, as the gradebook has them."""
    keys = {("id", person.student), *person.keys.items()}
    return {(kind, value.casefold()) for kind, value in keys if value}


def _keys_in_file(person: Person) -> set[tuple[str, str]]:
    """Return the same of a person of a file, where each key may be the id, too."""
    # The number that Moodle gives for one assignment is no key.
    keys = {(kind, value) for kind, value in person.keys.items() if kind != "moodle"}
    keys |= {("id", value) for value in (person.student, *(value for _, value in keys))}
    return {(kind, value.casefold()) for kind, value in keys if value}


def _links(
    ours: Iterable[Person],
    theirs: Iterable[Person],
    of_ours: Callable[[Person], Iterable[Hashable]],
    of_theirs: Callable[[Person], Iterable[Hashable]],
) -> dict[str, list[Person]]:
    """Return who of a file could be each person of the gradebook, by what both have in common."""
    index: dict[Hashable, list[Person]] = defaultdict(list)
    for person in theirs:
        for key in of_theirs(person):
            index[key].append(person)
    links = {}
    for person in ours:
        same = {p.student: p for key in of_ours(person) for p in index.get(key, ())}
        if same:
            links[person.student] = list(same.values())
    return links


def with_gradebook_ids(
    theirs: Roster, ours: Sequence[Person]
) -> tuple[Roster, dict[str, str], dict[str, str]]:
    """Give the people of a file (`theirs`) the ids that the gradebook has for them (`ours`).

    Returns
    -------
    Roster
        The file's people, under the ids of the gradebook where a number or an address is there.
    dict of str to str
        Whose id is another than in the file, by the file's id.
    dict of str to str
        Of whom it cannot be said who they are, and why; they are not in the roster returned.
    """
    taken = {person.student for person in theirs.people}
    ids = {person.student for person in ours}
    strange = [person for person in theirs.people if person.student not in ids]
    links = _links(ours, strange, _keys_in_gradebook, _keys_in_file)
    owners: dict[str, list[str]] = defaultdict(list)
    for owner, people in links.items():
        for person in people:
            owners[person.student].append(owner)
    renamed, doubtful = {}, {}
    for student, [owner, *others] in owners.items():
        if not others and owner not in taken and len(links[owner]) == 1:
            renamed[student] = owner
        else:
            doubtful[student] = f"a number or an address is that of {', '.join([owner, *others])}"
    people_ = tuple(
        replace(person, student=renamed.get(person.student, person.student))
        for person in theirs.people
        if person.student not in doubtful
    )
    return replace(theirs, people=people_), renamed, doubtful


def matched(ours: Sequence[Person], theirs: Roster) -> dict[str, Person]:
    """Find people of the gradebook in a file: by id, else by any key of the file, else by name.

    Who could be several people of the file is nobody, and so are two who could be the same, and
    whoever has a key of one line and the name of another.
    """
    named = _links(ours, theirs.people, _name_of, _spellings)
    by_id = theirs.by_student()
    links = {person.student: [by_id[person.student]] for person in ours if person.student in by_id}
    for of_ours, of_theirs in ((_keys_in_gradebook, _keys_in_file), (_name_of, _spellings)):
        taken = {person.student for people in links.values() for person in people}
        left = [person for person in ours if person.student not in links]
        free = [person for person in theirs.people if person.student not in taken]
        links |= _links(left, free, of_ours, of_theirs)
    claims = Counter(person.student for people in links.values() for person in people)
    return {
        student: people[0]
        for student, people in links.items()
        if len(people) == 1
        and claims[people[0].student] == 1
        and people[0].student in {person.student for person in named.get(student, people)}
    }


def _name_of(person: Person) -> set[str]:
    return {squeezed(person.name)} - {""}
