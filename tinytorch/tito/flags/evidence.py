"""The page that lists, for whoever is responsible for the marks, what every flag rests on."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tinytorch.tito.course import Course, Module
from tinytorch.tito.files import replace_text
from tinytorch.tito.flags import classmates
from tinytorch.tito.flags.similarity import Match
from tinytorch.tito.grading import records
from tinytorch.tito.grading.records import Record
from tinytorch.tito.pages import environment


@dataclass(frozen=True)
class Case:
    """What a person should look at in one submission.

    Attributes
    ----------
    student : str
        Whose.
    points : int
        What was earned automatically.
    seed : int or None
        From which the fresh inputs were drawn.
    flags : tuple of str
        In one sentence each.
    parts : tuple of (str, dict)
        Graded cell and verdict of the parts that are right on the public inputs only.
    matches : tuple of Match
        Solutions that are nearly those of others.
    """

    student: str
    points: int
    seed: int | None
    flags: tuple[str, ...]
    parts: tuple[tuple[str, dict[str, Any]], ...]
    matches: tuple[Match, ...]


def page_of(course: Course, module: Module) -> Path:
    """Return where the page is; no record has this suffix."""
    return course.records / module.name / "flags.html"


def write(course: Course, module: Module) -> Path:
    """Write the page of a class that was graded and compared."""
    noted = records.load_all(course, module)
    page = (
        environment()
        .get_template("evidence.html.j2")
        .render(
            module=module.name,
            cases=_cases(noted, classmates.load(course, module)),
            graded=len(noted),
            made_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        )
    )
    replace_text(page_of(course, module), page)
    return page_of(course, module)


def _cases(noted: list[Record], matches: list[Match]) -> list[Case]:
    alike = classmates.flags(matches)
    own: dict[str, list[Match]] = defaultdict(list)
    for match in matches:
        for student in match.students:
            own[student].append(match)
    cases = []
    for record in noted:
        flags = (*record.flags, *alike.get(record.student, ()))
        if flags:
            points = sum(cell["earned"] for cell in record.cells.values())
            parts = tuple(_parts(record))
            found = tuple(own[record.student])
            cases.append(Case(record.student, points, record.seed, flags, parts, found))
    return cases


def _parts(record: Record) -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, part)
        for name, cell in record.cells.items()
        for part in cell["parts"]
        if part["problem"] and part["name"] in cell.get("wrong_on_fresh", ())
    ]
