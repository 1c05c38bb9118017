"""Whose file is which: the names that platforms give to the files of a download.

Canvas (`lib/content_zipper.rb`): ``NAME[_LATE]_USER_FILE_ORIGINAL`` in one folder, the name in
small letters without spaces and commas; an ORIGINAL handed in again ends in ``-1``, ``-2``.
Moodle (`mod/assign`): ``[GROUP-]FULL NAME_NUMBER_assignsubmission_file_`` and a slash or not.
Gradescope: folders ``submission_NUMBER``, explained by ``submission_metadata.yml``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tinytorch.tito.collecting.archive import Entry
from tinytorch.tito.collecting.gradescope import NAME as METADATA
from tinytorch.tito.collecting.gradescope import read_metadata
from tinytorch.tito.errors import TitoError
from tinytorch.tito.roster import Person, Roster

_CANVAS = re.compile(
    r"(?:(?P<name>.+?)_)?(?P<late>LATE_)?(?P<user>\d+|anon_[^_]+)_(?P<file>\d+)_(?P<original>.+)"
)
_MOODLE = re.compile(
    r"(?P<name>[^/]*)_(?P<number>\d+)_assignsubmission_[a-z]+(?:_?/|_)(?P<original>.+)"
)
_AGAIN = re.compile(r"-\d+(?=\.ipynb$)")


@dataclass(frozen=True)
class Found:
    """A file, and what its place in the download says about it.

    Attributes
    ----------
    entry : Entry
        The file.
    owner : str
        Whose it is, as the download writes it; for messages.
    people : tuple of Person
        Who of the roster that is; nobody where it fits no one, or several by name alone.
    filename : str
        What the student called the file.
    when : datetime or None
        When it was handed in, with its time zone, where the download says so.
    late : bool
        Whether the platform marks it as late.
    order : int
        Of two files of a student the later one has the greater number.
    """

    entry: Entry
    owner: str
    people: tuple[Person, ...]
    filename: str
    when: datetime | None = None
    late: bool = False
    order: int = 0


Scheme = Callable[[Sequence[Entry], Roster], list[Found]]


def recognize(entries: Sequence[Entry]) -> str:
    """Return whose download it is.

    Raises
    ------
    TitoError
        If the names are not of a known kind.
    """
    names = [entry.name for entry in entries]
    if any(_basename(name) == METADATA for name in names):
        return "gradescope"
    if any("_assignsubmission_" in name for name in names):
        return "moodle"
    notebooks = [name for name in names if name.endswith(".ipynb")]
    if any(_CANVAS.fullmatch(_basename(name)) for name in notebooks):
        return "canvas"
    if notebooks:
        return "folders"
    example = f", for example {names[0]!r}" if names else ""
    raise TitoError(
        f"there is no notebook among its {len(names)} files{example}. Name the platform's "
        "download of all submissions (Canvas: Download Submissions; Moodle: Download all "
        "submissions; Gradescope: Export Submissions)."
    )


def canvas(entries: Sequence[Entry], roster: Roster) -> list[Found]:
    """Read Canvas's names; a student is found by the number, else by the name."""
    found = []
    for entry in entries:
        match = _CANVAS.fullmatch(_basename(entry.name))
        if match is None:
            found.append(_nobodys(entry))
            continue
        name, user = match["name"] or "", match["user"]
        people = roster.by_key("canvas", user) or roster.by_name(name)
        found.append(
            Found(
                entry,
                f"{name} ({user})" if name else user,
                _only(people),
                _AGAIN.sub("", match["original"]),
                late=bool(match["late"]),
                order=int(match["file"]),
            )
        )
    return found


def moodle(entries: Sequence[Entry], roster: Roster) -> list[Found]:
    """Read Moodle's names; a student is found by the participant's number, else by the name."""
    found = []
    for order, entry in enumerate(entries):
        match = _MOODLE.search(entry.name)
        if match is None:
            found.append(_nobodys(entry))
            continue
        name, number = match["name"], match["number"]
        people = (
            roster.by_key("moodle", number)
            or roster.by_name(name)
            or roster.by_name(name.partition("-")[2])  # before it stands a group
        )
        found.append(
            Found(
                entry,
                f"{name} ({number})",
                _only(people),
                _basename(match["original"]),
                order=order,
            )
        )
    return found


def gradescope(entries: Sequence[Entry], roster: Roster) -> list[Found]:
    """Read Gradescope's folders by its metadata; a group's file is everybody's of the group."""
    place = next(entry for entry in entries if _basename(entry.name) == METADATA)
    metadata = read_metadata(place)
    found = []
    for entry in entries:
        if entry is place:
            continue
        key = next((part for part in entry.name.split("/") if part in metadata), None)
        if key is None:
            found.append(_nobodys(entry))
            continue
        about = metadata[key]
        if not about.submitters:
            found.append(_nobodys(entry))
        found.extend(
            Found(
                entry,
                f"{person['name']} ({key})",
                _only(_submitter(person, roster)),
                _basename(entry.name),
                when=about.when,
            )
            for person in about.submitters
        )
    return found


def folders(entries: Sequence[Entry], roster: Roster) -> list[Found]:
    """Read a folder for each student, or a file named after each."""
    found = []
    for order, entry in enumerate(entries):
        parts = entry.name.split("/")
        stem = parts[-1].rpartition(".")[0]
        names = [*parts[:-1], stem]
        owner = next((name for name in names if _known(name, roster)), names[0])
        found.append(Found(entry, owner, _only(_known(owner, roster)), parts[-1], order=order))
    return found


SCHEMES: dict[str, Scheme] = {
    "canvas": canvas,
    "moodle": moodle,
    "gradescope": gradescope,
    "folders": folders,
}


def _known(name: str, roster: Roster) -> list[Person]:
    own = roster.by_student().get(name)
    return [own] if own else roster.by_name(name)


def _only(people: Sequence[Person]) -> tuple[Person, ...]:
    """Return the person, if there is no doubt; namesakes are not guessed at."""
    return tuple(people) if len(people) == 1 else ()


def _nobodys(entry: Entry) -> Found:
    return Found(entry, entry.name, (), _basename(entry.name))


def _basename(name: str) -> str:
    return name.rpartition("/")[2]


def _submitter(person: dict[str, str], roster: Roster) -> list[Person]:
    return (
        roster.by_key("sid", person["sid"])
        or roster.by_key("email", person["email"])
        or roster.by_name(person["name"])
    )
