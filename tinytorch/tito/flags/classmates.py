"""What only the whole class shows: solutions that are nearly the same."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import nbformat
from nbgrader import utils

from tinytorch.tito.course import Course, Module
from tinytorch.tito.files import replace_text
from tinytorch.tito.flags.fingerprints import fingerprints
from tinytorch.tito.flags.similarity import Match, Sources, like_reference, similar
from tinytorch.tito.grading.cells import grade_id

_VERSION = 1
#: Of those who share a solution, how many a flag names.
_NAMED = 3


def compare(course: Course, module: Module) -> list[Match]:
    """Compare the graded notebooks of a class, and keep what was found for :func:`load`."""
    source = course.source_notebook(module)
    reference = _solutions(source)
    graded = course.autograded.glob(f"*/{module.name}/{module.notebook}.ipynb")
    submissions = {}
    for path in graded:
        # A graded notebook that somebody has damaged since must not stop the class.
        with suppress(OSError, ValueError, KeyError, AttributeError, TypeError):
            submissions[path.parent.parent.name] = _solutions(path)
    matches = _matches(submissions, reference)
    data = {"version": _VERSION, "matches": [asdict(match) for match in matches]}
    replace_text(_path(course, module), json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    return matches


def _matches(submissions: dict[str, Sources], reference: Sources) -> list[Match]:
    """Compare cell by cell, so that the fingerprints of one are kept for all that asks for them."""
    alike: list[Match] = []
    copied: list[Match] = []
    found = {cell for sources in submissions.values() for cell in sources}
    for cell in [*reference, *sorted(found - reference.keys())]:
        handed_in = {who: {cell: own.get(cell, "")} for who, own in submissions.items()}
        original = {cell: reference[cell]} if cell in reference else {}
        alike += similar(handed_in, original)
        copied += like_reference(handed_in, original)
        fingerprints.cache_clear()
    return sorted(alike, key=lambda match: (-match.score, match.cell, match.students)) + copied


def load(course: Course, module: Module) -> list[Match]:
    """Return what :func:`compare` found last; nothing where it has not been called."""
    try:
        data = json.loads(_path(course, module).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    if data["version"] != _VERSION:
        return []
    return [
        Match(
            tuple(found["students"]),
            found["cell"],
            found["score"],
            tuple((one, other) for one, other in found["evidence"]),
        )
        for found in data["matches"]
    ]


def flags(matches: Sequence[Match]) -> dict[str, list[str]]:
    """Say of each student what a person should know.

    Parameters
    ----------
    matches : sequence of Match
        What :func:`load` returns.

    Returns
    -------
    dict of list of str
        By student; only of those of whom there is something to say.
    """
    cells: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for match in matches:
        for student in match.students:
            others = tuple(other for other in match.students if other != student)
            cells[student, others].append(match.cell)
    said: dict[str, list[str]] = defaultdict(list)
    for (student, others), names in cells.items():
        like = f"the same as {_names(others)}" if others else "the course's own solution"
        said[student].append(f"nearly {like}: {', '.join(names)}")
    return dict(said)


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
        if cell.cell_type == "code" and utils.is_solution(cell) and (name := grade_id(cell))
    }


def _path(course: Course, module: Module) -> Path:
    # No student's id begins with a dot, so that this is nobody's record.
    return course.records / module.name / ".similar.json"
