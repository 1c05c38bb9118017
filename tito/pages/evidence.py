"""The page that lists, for whoever is responsible for the marks, what every flag rests on."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from tito.course import Course, Module
from tito.course.files import replace_text
from tito.flags import classmates
from tito.flags.classmates import Comparison
from tito.flags.similarity import Match
from tito.gradebook import records
from tito.gradebook.records import Record
from tito.pages import environment, scripted


class Kind(NamedTuple):
    """A kind of flag: what it is called, how much it weighs, and how its sentences read."""

    name: str
    title: str
    weight: int
    sentence: re.Pattern[str]


#: The heaviest first; the last is whatever the others are not.
KINDS = (
    Kind("fresh", "fails on fresh inputs", 5, re.compile("right on the public inputs, wrong on")),
    Kind(
        "code",
        "suspicious code",
        4,
        re.compile(r".*\(.*line \d+|could not be scanned|and \d+ more susp"),
    ),
    Kind(
        "alike", "near-identical work", 3, re.compile("nearly the same as|nearly the course's own")
    ),
    Kind("other", "the notebook", 1, re.compile("")),
)


def kind_of(flag: str) -> Kind:
    """Return the kind of a flag, by its sentence."""
    return next(kind for kind in KINDS if kind.sentence.match(flag))


@dataclass(frozen=True)
class Case:
    """What a person should look at in one submission."""

    student: str
    points: int  # earned automatically
    seed: int | None  # of the fresh inputs
    flags: tuple[str, ...]
    #: Graded cell and verdict of the parts that are right on the public inputs only.
    parts: tuple[tuple[str, dict[str, Any]], ...]
    matches: tuple[Match, ...]

    @property
    def kinds(self) -> list[Kind]:
        """The kinds of the flags, the heaviest first."""
        present = {kind_of(flag) for flag in self.flags}
        return [kind for kind in KINDS if kind in present]

    @property
    def weight(self) -> int:
        """How much there is to look at: many flags of one kind are no more than one."""
        return sum(kind.weight for kind in self.kinds)


def page_of(course: Course, module: Module) -> Path:
    """Return where the page is; no record has this suffix."""
    return course.records_of(module) / "flags.html"


def write(course: Course, module: Module) -> Path:
    """Write the page of a class that was graded and compared."""
    noted = records.load_all(course, module)
    compared = classmates.load(course, module)
    cases = sorted(_cases(noted, compared), key=lambda c: (-c.weight, -len(c.flags), c.student))
    counts = Counter(kind for case in cases for kind in case.kinds)
    page = (
        environment()
        .get_template("evidence.html.j2")
        .render(
            module=module.name,
            cases=cases,
            kinds=[(kind, counts[kind]) for kind in KINDS if counts[kind]],
            of_class=compared.flag_of_class(),
            graded=len(noted),
            **scripted("cases.js"),
            made_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        )
    )
    replace_text(page_of(course, module), page)
    return page_of(course, module)


def _cases(noted: list[Record], compared: Comparison) -> list[Case]:
    alike = compared.flags()
    own: dict[str, list[Match]] = defaultdict(list)
    for match in compared.notable():
        for student in match.students:
            own[student].append(match)
    cases = []
    for record in noted:
        flags = (*record.flags, *alike.get(record.student, ()))
        if flags:
            points = sum(cell["earned"] for cell in record.cells.values())
            parts = tuple(_parts(record))
            matches = tuple(own[record.student])
            cases.append(Case(record.student, points, record.seed, flags, parts, matches))
    return cases


def _parts(record: Record) -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, part)
        for name, cell in record.cells.items()
        for part in cell["parts"]
        if part["problem"] and part["name"] in cell.get("wrong_on_fresh", ())
    ]
