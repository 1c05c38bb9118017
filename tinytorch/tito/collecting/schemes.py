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
from datetime import UTC, date, datetime
from typing import Any

import yaml

from tinytorch.tito.collecting.archive import Entry
from tinytorch.tito.errors import TitoError
from tinytorch.tito.roster import Person, Roster

_CANVAS = re.compile(
    r"(?:(?P<name>.+?)_)?(?P<late>LATE_)?(?P<user>\d+|anon_[^_]+)_(?P<file>\d+)_(?P<original>.+)"
)
_MOODLE = re.compile(
    r"(?P<name>[^/]*)_(?P<number>\d+)_assignsubmission_[a-z]+(?:_?/|_)(?P<original>.+)"
)
_AGAIN = re.compile(r"-\d+(?=\.ipynb$)")
_METADATA = "submission_metadata.yml"
_MAX_METADATA = 100_000_000


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
    if any(_basename(name) == _METADATA for name in names):
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
    place = next(entry for entry in entries if _basename(entry.name) == _METADATA)
    metadata = _read_metadata(place)
    found = []
    for entry in entries:
        if entry is place:
            continue
        key = next((part for part in entry.name.split("/") if part in metadata), None)
        if key is None:
            found.append(_nobodys(entry))
            continue
        about = metadata[key]
        created = about.get(":created_at")
        found.extend(
            Found(
                entry,
                f"{person.get(':name')} ({key})",
                _only(_submitter(person, roster)),
                _basename(entry.name),
                when=_aware(created),
            )
            for person in about.get(":submitters") or [{}]
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


def _submitter(person: dict[str, Any], roster: Roster) -> list[Person]:
    return (
        roster.by_key("sid", str(person.get(":sid") or ""))
        or roster.by_key("email", str(person.get(":email") or ""))
        or roster.by_name(str(person.get(":name") or ""))
    )


def _aware(value: Any) -> datetime | None:
    """Return a time with its zone; YAML gives Gradescope's either way."""
    if not isinstance(value, date):
        return None
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class _Ruby(yaml.SafeLoader):
    """YAML as a Ruby program writes it: its classes are read as the data that they hold."""


def _plain(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


_Ruby.add_multi_constructor("!ruby/", _plain)


def _read_metadata(entry: Entry) -> dict[str, dict[str, Any]]:
    try:
        data = yaml.load(entry.read(_MAX_METADATA), Loader=_Ruby)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise TitoError(f"{entry.name} is not Gradescope's metadata ({error}).") from error
    if not isinstance(data, dict) or not all(isinstance(about, dict) for about in data.values()):
        raise TitoError(f"{entry.name} is not Gradescope's metadata: it lists no submissions.")
    return data
