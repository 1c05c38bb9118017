"""Run the checks of a student's notebook, in a process of its own, in about a second."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinytorch.checks import Report
from tinytorch.tito.student.notebook import (
    Assignment,
    Cell,
    as_graded,
    differences,
    exported_module,
    read_cells,
)

#: Wall time of one cell; each part of a graded cell has a limit of its own besides.
SECONDS_A_CELL = 30.0


@dataclass(frozen=True)
class Result:
    """What a notebook's checks said.

    Attributes
    ----------
    reports : list of Report
        One a graded cell that reported, in the order of the notebook.
    failures : list of str
        Cells that raised, and graded cells without a report.
    notes : list of str
        What does not count, but may explain a failure.
    """

    reports: list[Report]
    failures: list[str]
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether nothing failed and every part that counts holds."""
        return not self.failures and all(report.passed for report in self.reports)


def run_checks(
    notebook: Path, assignment: Assignment | None = None, package: Path | None = None
) -> Result:
    """Run a notebook's cells as in grading, on the public inputs, and collect the reports.

    Parameters
    ----------
    notebook : Path
        The student's notebook.
    assignment : Assignment, optional
        Where the course's own cells are taken from, whatever the notebook makes of them.
    package : Path, optional
        A folder with the ``tinytorch`` to run with, instead of the installed one.

    Raises
    ------
    TitoError
        If the notebook cannot be read, or is no notebook of the course.
    """
    cells = read_cells(notebook)
    blocked = exported_module(cells, notebook)
    notes = []
    if assignment is not None:
        released = [cell for cell in assignment.cells if cell.kind == "code"]
        notes = list(differences(cells, released))
        cells = as_graded(cells, released)
    code = [cell for cell in cells if cell.kind == "code"]
    result = Result([], [], notes)
    for cell, message in _messages(code, notebook.stem, blocked, package):
        _collect(cell, message, result)
    return result


def _collect(cell: Cell, message: dict[str, Any], result: Result) -> None:
    """Sort what one cell said into a result."""
    error = message.get("error")
    if message.get("report"):
        result.reports.append(Report.from_data(message["report"]))
    elif error and cell.grade_id:
        result.failures.append(f"{cell.name}, {error}")
    elif error:
        result.notes.append(f"{cell.name}, {error} (a cell of your own; it does not count)")
    elif cell.checks:
        result.failures.append(f"{cell.name}: the cell ran without a report")


def _messages(
    code: list[Cell], name: str, blocked: str, package: Path | None
) -> Iterator[tuple[Cell, dict[str, Any]]]:
    """Run cells in a process of their own; give each with what it said, until one ends it."""
    process = _start(package)
    lines = _lines_of(process)
    cells = [{"name": cell.name, "source": cell.source, "checks": cell.checks} for cell in code]
    try:
        assert process.stdin is not None  # a pipe was asked for
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
            json.dump({"name": name, "blocked": blocked, "cells": cells}, pipe)
        for cell in code:
            try:
                line = lines.get(timeout=SECONDS_A_CELL)
            except queue.Empty:
                yield cell, {"error": f"not finished within {SECONDS_A_CELL:g} s; a loop?"}
                return
            if not line:
                yield cell, {"error": f"the process ended with code {process.wait()}"}
                return
            yield cell, json.loads(line)
    finally:
        process.kill()
        process.wait()


def _start(package: Path | None) -> subprocess.Popen[str]:
    environment = {"OPENBLAS_NUM_THREADS": "1", **os.environ, "MPLBACKEND": "agg"}
    if package is not None:
        environment["PYTHONPATH"] = str(package)
    # -P: what lies beside the notebook cannot be imported, as in grading.
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "tinytorch.tito.student.running"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
    )


def _lines_of(process: subprocess.Popen[str]) -> queue.SimpleQueue[str]:
    """Read a process in the background; an empty line means that it has ended."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        assert process.stdout is not None  # a pipe was asked for
        with process.stdout:
            for line in process.stdout:
                lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    return lines
