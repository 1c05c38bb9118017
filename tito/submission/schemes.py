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

from tito.course.roster import Person, Roster
from tito.errors import TitoError
from tito.submission.archive import METADATA, Entry, is_archive
from tito.submission.gradescope import read_metadata
from tito.submission.intake import notebook_name

_CANVAS = re.compile(
    r"(?:(?P<name>.+?)_)?(?P<late>LATE_)?(?P<user>\d{1,18}|anon_[^_]+)_(?P<file>\d{1,18})_(?P<original>.+)",
    re.DOTALL,
)
#: What stands behind a name and a number in one part of a path; the first one is Moodle's own.
_MOODLE = re.compile(r"_(?P<number>\d+)_assignsubmission_[a-z]+(?:_|$)")
_RESUBMITTED = re.compile(r"-\d+(?=\.ipynb$)")


@dataclass(frozen=True)
class DownloadedFile:
    """A file, and what its place in the download says about it."""

    entry: Entry
    #: Whose it is, as the download writes it; for messages.
    owner: str
    #: Who of the roster that is; nobody where it fits no one, or several by name alone.
    people: tuple[Person, ...]
    #: What the student called the file.
    filename: str
    #: When it was handed in, with its time zone, where the download says so.
    when: datetime | None = None
    #: Whether the platform marks it as late.
    late: bool = False
    #: Of two files of a student the later one has the greater number.
    order: int = 0
    #: Why it cannot be said whose it is, where it could be that of several.
    doubt: str = ""


Scheme = Callable[[Sequence[Entry], Roster], list[DownloadedFile]]


def recognize(entries: Sequence[Entry]) -> str:
    """Return whose download it is.

    Raises
    ------
    TitoError
        If the names are not of a known kind.
    """
    names = [entry.name for entry in entries]
    work = _work(entries)
    if _metadata(entries):
        return "gradescope"
    # Most of the files, since a single one may be called by its student like a platform's.
    if 2 * sum(bool(_MOODLE.search(part)) for part in map(_moodle_part, work)) > len(work):
        return "moodle"
    if 2 * sum(bool(_CANVAS.fullmatch(_basename(entry.name))) for entry in work) > len(work):
        return "canvas"
    if work:
        return "folders"
    example = f", for example {names[0]!r}" if names else ""
    raise TitoError(
        f"there is no notebook among its {len(names)} files{example}. Name the platform's "
        "download of all submissions (Canvas: Download Submissions; Moodle: Download all "
        "submissions; Gradescope: Export Submissions)."
    )


def canvas(entries: Sequence[Entry], roster: Roster) -> list[DownloadedFile]:
    """Read Canvas's names; a student is found by the number, else by the name."""
    files, around = [], _around(entries)
    for entry in entries:
        match = next(filter(None, map(_CANVAS.fullmatch, _parts(entry, around))), None)
        if match is None:
            files.append(_nobodys(entry))
            continue
        name, user = match["name"] or "", match["user"]
        people, doubt = _agreed(roster.by_key("canvas", user), roster.by_name(name))
        files.append(
            DownloadedFile(
                entry,
                f"{name} ({user})" if name else user,
                people,
                match["original"],
                late=bool(match["late"]),
                order=int(match["file"]),
                doubt=doubt,
            )
        )
    return files


def without_number(name: str) -> str:
    """Return a notebook's name without what Canvas adds where it was handed in again."""
    return _RESUBMITTED.sub("", name)


def moodle(entries: Sequence[Entry], roster: Roster) -> list[DownloadedFile]:
    """Read Moodle's names; a student is found by the participant's number, else by the name.

    The first part of a path with Moodle's pattern is Moodle's. Where it holds the pattern more than
    once, a student's file was called like another's, or the student; which, nobody can say.
    """
    files = []
    for order, entry in enumerate(entries):
        part, own = _moodle_part(entry), _basename(entry.name)
        owners = _moodle_owners(part)
        if not owners:
            files.append(_nobodys(entry))
            continue
        name, number = owners[0]
        # Before a name may stand a group.
        named = roster.by_name(name) or roster.by_name(name.partition("-")[2])
        people, doubt = _agreed(roster.by_key("moodle", number), named)
        if len(set(owners)) > 1:
            people, doubt = (), "its name holds those of several"
        files.append(
            DownloadedFile(
                entry,
                " or ".join(dict.fromkeys(f"{name} ({number})" for name, number in owners)),
                people,
                # What the student called it: all of a file in Moodle's folder, or what is left.
                _MOODLE.split(own, maxsplit=1)[-1] if own == part else own,
                order=order,
                doubt=doubt,
            )
        )
    return files


def _moodle_part(entry: Entry) -> str:
    return next((part for part in entry.name.split("/") if _MOODLE.search(part)), "")


def _moodle_owners(part: str) -> list[tuple[str, str]]:
    """Return each name and number that a part of a path holds."""
    pieces = _MOODLE.split(part)  # name, number, name, number, rest
    return list(zip(pieces[:-1:2], pieces[1::2], strict=True))


def gradescope(entries: Sequence[Entry], roster: Roster) -> list[DownloadedFile]:
    """Read Gradescope's folders by its metadata; a group's file is everybody's of the group."""
    place = _metadata(entries)
    if place is None:
        raise TitoError(f"there is no {METADATA} above all submissions.")
    metadata = read_metadata(place)
    files = []
    for entry in entries:
        if entry is place:
            continue
        key = next((part for part in entry.name.split("/") if part in metadata), None)
        if key is None:
            files.append(_nobodys(entry))
            continue
        about = metadata[key]
        for person in about.submitters or ({"name": "", "sid": "", "email": ""},):
            people, doubt = _agreed(
                roster.by_key("sid", person["sid"]),
                roster.by_key("email", person["email"]),
                roster.by_name(person["name"]),
            )
            files.append(
                DownloadedFile(
                    entry,
                    f"{person['name']} ({key})",
                    people,
                    _basename(entry.name),
                    when=about.when,
                    doubt=doubt,
                )
            )
    return files


def _metadata(entries: Sequence[Entry]) -> Entry | None:
    """Return Gradescope's metadata: the file that stands above all work, no student's own."""
    for entry in sorted(entries, key=lambda entry: entry.name.count("/")):
        above = entry.name.removesuffix(METADATA)
        if _basename(entry.name) == METADATA and all(
            work.name.startswith(above) for work in _work(entries)
        ):
            return entry
    return None


def folders(entries: Sequence[Entry], roster: Roster) -> list[DownloadedFile]:
    """Read a folder for each student, or a file named after each.

    A file is named after its student where no folder is: what a student calls a file within the
    own folder says nothing of whose it is.
    """
    around = _around(entries, roster)
    paths = [_parts(entry, around) for entry in entries]
    in_folders = any(_people_called(part, roster) for path in paths for part in path[:-1])
    files = []
    for order, (entry, path) in enumerate(zip(entries, paths, strict=True)):
        stem = (notebook_name(path[-1]) or path[-1]).rpartition(".")[0] or path[-1]
        names = path[:-1] if len(path) > 1 and in_folders else [*path[:-1], stem]
        owner = next((name for name in names if _people_called(name, roster)), names[0])
        people, doubt = _agreed(_people_called(owner, roster))
        files.append(DownloadedFile(entry, owner, people, path[-1], order=order, doubt=doubt))
    return files


SCHEMES: dict[str, Scheme] = {
    "canvas": canvas,
    "moodle": moodle,
    "gradescope": gradescope,
    "folders": folders,
}


def _people_called(name: str, roster: Roster) -> list[Person]:
    own = roster.by_student().get(name)
    return [own] if own else roster.by_name(name)


def _work(entries: Sequence[Entry]) -> list[Entry]:
    """Return what may be a student's work."""
    return [e for e in entries if notebook_name(e.name) or is_archive(e.name)]


def _around(entries: Sequence[Entry], roster: Roster | None = None) -> int:
    """Return how many folders are around all work, and no student's."""
    paths = [entry.name.split("/") for entry in _work(entries)]
    deepest = min(map(len, paths), default=1) - 1
    for depth in range(deepest):
        names = {path[depth] for path in paths}
        if len(names) > 1 or (roster and _people_called(names.pop(), roster)):
            return depth
    return deepest


def _parts(entry: Entry, around: int) -> list[str]:
    """Return the parts of a path below the folders that are around all."""
    parts = entry.name.split("/")
    return parts[min(around, len(parts) - 1) :]


def _agreed(*answers: Sequence[Person]) -> tuple[tuple[Person, ...], str]:
    """Return who it is by the first key that says so, if no other says that it is somebody else."""
    named = [people for people in answers if people]
    if not named:
        return (), ""
    same = {person.student for person in named[0]}
    for people in named[1:]:
        if not same & {person.student for person in people}:
            both = " and ".join(", ".join(p.student for p in people) for people in named)
            return (), f"its number and its name are those of {both}"
    if len(named[0]) > 1:  # namesakes are not guessed at
        return (), f"that could be {' or '.join(person.student for person in named[0])}"
    return tuple(named[0]), ""


def _nobodys(entry: Entry) -> DownloadedFile:
    return DownloadedFile(entry, entry.name, (), _basename(entry.name))


def _basename(name: str) -> str:
    return name.rpartition("/")[2]
