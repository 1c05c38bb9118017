"""One submission graded anew, beside `jupyter execute` of its cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from benchmarks.grading.classroom import MODULE, NOTEBOOK
from benchmarks.grading.graders import Grader
from benchmarks.grading.programs import PROGRAMS, grade
from tito.gradebook import records
from tito.gradebook.records import Record


@dataclass(frozen=True)
class Regraded:
    """Seconds of processor time.

    Attributes
    ----------
    known, drawn : float
        `tito grade --student X --force`, of one whose marks are known to be the same both ways, and
        of one who is graded both ways now.
    all_cells, needed_cells : float
        `jupyter execute` of the first one's notebook, and of its cells that must run.
    """

    known: float
    drawn: float
    all_cells: float
    needed_cells: float


def regrade(grader: Grader, students: list[str]) -> Regraded:
    """Grade two students anew who have a mark: one of whom some cells were left out, each."""
    known = _one(grader, students, lambda record: bool(record.audit and record.left_out))
    drawn = _one(grader, students, lambda record: bool(record.left_out and not record.audit))
    place = grader.course.autograded / known.student / MODULE / NOTEBOOK
    whole = nbformat.read(place, nbformat.NO_CONVERT)
    kept = [cell for cell in whole.cells if cell.id not in known.left_out]
    needed = NotebookNode({**whole, "cells": kept})
    cpu = {
        name: grader.used(grade([record.student], "--force")).cpu
        for name, record in (("known", known), ("drawn", drawn))
    }
    return Regraded(
        **cpu,
        all_cells=_execute(grader, whole, place.with_name("whole.ipynb")),
        needed_cells=_execute(grader, needed, place.with_name("needed.ipynb")),
    )


def _one(grader: Grader, students: list[str], is_it: Callable[[Record], bool]) -> Record:
    module = grader.course.module(MODULE)
    found = filter(None, (records.load(grader.course, module, one) for one in students))
    return next(filter(is_it, found))


def _execute(grader: Grader, notebook: NotebookNode, path: Path) -> float:
    nbformat.write(notebook, path)
    used = grader.used([str(PROGRAMS / "jupyter-execute"), "--allow-errors", str(path)])
    path.unlink()
    return used.cpu
