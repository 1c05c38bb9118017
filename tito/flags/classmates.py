"""What only the whole class shows: solutions that are nearly the same."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import nbformat

from tito.course import Course, Module
from tito.course.cells import grade_id, is_solution
from tito.course.files import replace_text
from tito.flags.fingerprints import fingerprints
from tito.flags.similarity import Match, Sources, like_reference, similar

_VERSION = 2
#: Of those who share a solution, how many a flag names.
_NAMED = 3
#: A solution that this share of a class has, and so many students, was given to the class.
_SHARE_OF_GIVEN, _FEWEST_GIVEN = 0.5, 4


@dataclass(frozen=True)
class Comparison:
    """What comparing a class has shown."""

    students: int = 0  # whose submissions were compared
    matches: tuple[Match, ...] = ()

    @cached_property
    def given(self) -> dict[str, int]:
        """How many have the course's own solution, of the cells where that says nothing of any one.

        A class may have been shown the solution, or be made from it to try the tools.
        """
        counts = Counter(match.cell for match in self.matches if match.is_reference)
        least = max(_FEWEST_GIVEN, _SHARE_OF_GIVEN * self.students)
        return {cell: count for cell, count in counts.items() if count >= least}

    def notable(self) -> list[Match]:
        """Return what says something of those who are in it."""
        return [m for m in self.matches if not (m.is_reference and m.cell in self.given)]

    def flag_of_class(self) -> str:
        """Say what goes for the class as a whole; nothing, as a rule."""
        cells = ", ".join(f"{cell} ({count})" for cell, count in self.given.items())
        of = f"{self.students} submissions"
        return f"nearly the course's own solution, in much of the {of}: {cells}" if cells else ""

    def flags(self) -> dict[str, list[str]]:
        """Say, by student, what a person should know; only of whom there is something to say."""
        cells: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
        for match in self.notable():
            for student in match.students:
                others = tuple(other for other in match.students if other != student)
                cells[student, others].append(match.cell)
        flags: dict[str, list[str]] = defaultdict(list)
        for (student, others), names in cells.items():
            like = f"the same as {_names(others)}" if others else "the course's own solution"
            flags[student].append(f"nearly {like}: {', '.join(names)}")
        return dict(flags)


def compare(course: Course, module: Module) -> Comparison:
    """Compare the graded notebooks of a class, and keep what was found for :func:`load`."""
    source = course.source_notebook(module)
    reference = _solutions(source)
    graded = course.autograded.glob(f"*/{module.name}/{module.notebook}.ipynb")
    submissions = {}
    for path in graded:
        # A graded notebook that somebody has damaged since must not stop the class.
        with suppress(OSError, ValueError, KeyError, AttributeError, TypeError):
            submissions[path.parent.parent.name] = _solutions(path)
    comparison = Comparison(len(submissions), tuple(_matches(submissions, reference)))
    data = {"version": _VERSION, **asdict(comparison)}
    replace_text(_path(course, module), json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    return comparison


def _matches(submissions: dict[str, Sources], reference: Sources) -> list[Match]:
    """Compare cell by cell, so that the fingerprints of one are kept for all that asks for them."""
    alike: list[Match] = []
    copied: list[Match] = []
    cells = {cell for sources in submissions.values() for cell in sources}
    for cell in [*reference, *sorted(cells - reference.keys())]:
        handed_in = {who: {cell: own.get(cell, "")} for who, own in submissions.items()}
        original = {cell: reference[cell]} if cell in reference else {}
        alike += similar(handed_in, original)
        copied += like_reference(handed_in, original)
        fingerprints.cache_clear()
    return sorted(alike, key=lambda match: (-match.score, match.cell, match.students)) + copied


def load(course: Course, module: Module) -> Comparison:
    """Return what :func:`compare` found last; nothing where it has not been called."""
    try:
        data = json.loads(_path(course, module).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Comparison()
    if data["version"] != _VERSION:
        return Comparison()
    matches = (
        Match(
            tuple(match["students"]),
            match["cell"],
            match["score"],
            tuple((one, other) for one, other in match["evidence"]),
        )
        for match in data["matches"]
    )
    return Comparison(data["students"], tuple(matches))


def _names(students: Sequence[str]) -> str:
    named = students[:_NAMED]
    rest = len(students) - len(named)
    return ", ".join(named) + (f" and {rest} more" if rest else "")


def _solutions(path: Path) -> Sources:
    """Return the sources of a notebook's solution cells by name; its outputs are not looked at."""
    cells = nbformat.from_dict(json.loads(path.read_text(encoding="utf-8"))["cells"])
    return {
        name: cell.source if isinstance(cell.source, str) else "".join(cell.source)
        for cell in cells
        if cell.cell_type == "code" and is_solution(cell) and (name := grade_id(cell))
    }


def _path(course: Course, module: Module) -> Path:
    # No student's id begins with a dot, so that this is nobody's record.
    return course.records_of(module) / ".similar.json"
