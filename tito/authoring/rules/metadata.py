"""What stands in the header of a cell: keys, ids, kinds and points."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from nbformat import NotebookNode

from tito.authoring.rules.each_cell import Fault, Kind, id_of, kind_of

_FLAGS = ("grade", "solution", "locked", "task")
_KEYS = {"schema_version", "grade_id", *_FLAGS}
_GRADE_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SCHEMA = 3


def faults(notebook: NotebookNode) -> Iterator[Fault]:
    """Look at the metadata of every cell that has some."""
    cells = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    counts = Counter(id_of(cell) for cell in cells)
    for cell in cells:
        if counts[id_of(cell)] > 1:
            yield Fault(cell, f"the grade_id is used by {counts[id_of(cell)]} cells")
        yield from _key_faults(cell)
        yield from _kind_faults(cell)
        yield from _point_faults(cell)


def _key_faults(cell: NotebookNode) -> Iterator[Fault]:
    meta = cell.metadata.nbgrader
    if missing := _KEYS - set(meta):
        yield Fault(cell, f"missing keys {sorted(missing)}; nbgrader needs all of {sorted(_KEYS)}")
    if unknown := set(meta) - _KEYS - {"points"}:
        yield Fault(cell, f"unknown keys {sorted(unknown)}; nbgrader refuses them")
    if meta.get("schema_version", _SCHEMA) != _SCHEMA:
        yield Fault(cell, f"schema_version must be {_SCHEMA}, got {meta['schema_version']!r}")
    for key in _FLAGS:
        if not isinstance(meta.get(key, False), bool):
            yield Fault(cell, f"{key} must be true or false, got {meta[key]!r}")
    grade_id = meta.get("grade_id", "")
    if "grade_id" in meta and not _GRADE_ID.fullmatch(str(grade_id)):
        yield Fault(cell, f"grade_id must be like test-sgd, got {grade_id!r}")


def _kind_faults(cell: NotebookNode) -> Iterator[Fault]:
    meta = cell.metadata.nbgrader
    if meta.get("task"):
        yield Fault(cell, "tasks are not used here; a written question is a prompt and an answer")
    if kind_of(cell) is Kind.NONE:
        flags = ", ".join(f"{key} {str(meta.get(key)).lower()}" for key in _FLAGS[:3])
        yield Fault(
            cell,
            f"a {cell.cell_type} cell with {flags} is of no kind: a cell is locked (locked only), "
            "a solution (code, solution only), graded (code, grade and locked) or an answer "
            "(markdown, grade and solution)",
        )


def _point_faults(cell: NotebookNode) -> Iterator[Fault]:
    meta = cell.metadata.nbgrader
    points = meta.get("points")
    if not meta.get("grade"):
        if "points" in meta:
            yield Fault(cell, f"points {points!r} on a cell that is not graded")
        return
    least = 0 if meta.get("solution") else 1  # a question is dropped after grading by 0 points
    if type(points) is not int or points < least:
        yield Fault(cell, f"a graded cell needs whole points, at least {least}, got {points!r}")
