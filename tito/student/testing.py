"""Run the checks of a student's notebook, in a process of its own, in about a second."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tinytorch.checks import Report
from tito.student.notebook import (
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
    """What a notebook's checks said."""

    #: One a graded cell that reported, in the order of the notebook.
    reports: list[Report]
    #: Cells that raised, and graded cells without a report.
    failures: list[str]
    #: What does not count, but may explain a failure.
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether nothing failed and every part that counts holds."""
        return not self.failures and all(report.passed for report in self.reports)


class CheckRunner:
    """Runs a notebook's cells as in grading, on the public inputs, and collects the reports.

    Parameters
    ----------
    notebook : Path
        The student's notebook.
    assignment : Assignment, optional
        Where the course's own cells are taken from, whatever the notebook makes of them.
    package : Path, optional
        A folder with the ``tinytorch`` to run with, instead of the installed one.
    only : collection of str
        The graded cells whose checks run; none for all.

    Attributes
    ----------
    checked : set of str
        The graded cells whose checks ran the last time.
    """

    def __init__(
        self,
        notebook: Path,
        assignment: Assignment | None = None,
        package: Path | None = None,
        only: Collection[str] = (),
    ) -> None:
        self.notebook, self.assignment, self.package = notebook, assignment, package
        self.only = only
        self.checked: set[str] = set()
        self._cells: list[Cell] = []
        self._reports: dict[str, Report] = {}
        self._spare: subprocess.Popen[str] | None = None

    def prepare(self) -> None:
        """Start the process of the next run now: then a save need not wait for its imports."""
        if self._spare is None:
            self._spare = _start(self.package)

    def close(self) -> None:
        """End the process that was prepared, if there is one."""
        if self._spare is not None:
            with self._spare as process:
                process.kill()
            self._spare = None

    def _fresh_process(self) -> subprocess.Popen[str]:
        """Return a process that has run nothing: the one prepared, if it is still there."""
        if self._spare is not None and self._spare.poll() is not None:
            self.close()
        process, self._spare = self._spare or _start(self.package), None
        return process

    def run(self) -> Result:
        """Run the checks that depend on what has changed since the last time, at first all.

        Returns
        -------
        Result
            With the earlier reports of the others.

        Raises
        ------
        TitoError
            If the notebook cannot be read, or is no notebook of the course.
        """
        cells = read_cells(self.notebook)
        blocked = exported_module(cells, self.notebook)
        notes = []
        if self.assignment is not None:
            released = [cell for cell in self.assignment.cells if cell.kind == "code"]
            notes = list(differences(cells, released))
            cells = as_graded(cells, released)
        code = [cell for cell in cells if cell.kind == "code"]
        graded = {cell.name for cell in code if cell.checks}
        self._select(code, graded)
        result = Result([], [], notes)
        # What is not chosen only declares its checks.
        chosen = [c if c.name in self.checked else replace(c, graded=False) for c in code]
        kept = {name: report.data() for name, report in self._reports.items()}
        process = self._fresh_process()
        for cell, message in _messages(process, chosen, self.notebook.stem, blocked, kept):
            _collect(cell, message, result)
        self._reports |= {report.grade_id: report for report in result.reports}
        shown = [self._reports[c.name] for c in code if c.checks and c.name in self._reports]
        return replace(result, reports=shown)

    def _select(self, code: list[Cell], graded: set[str]) -> None:
        """Choose what to check, and forget its earlier reports."""
        wanted = graded
        if self._cells:
            from tito.student.needs import affected  # who tests once need not wait for it

            wanted = (graded - self._reports.keys()) | affected(self._cells, code)
        self.checked = wanted & (set(self.only) or graded)
        self._cells = code
        for name in self._reports.keys() - (graded - self.checked):
            del self._reports[name]


def _collect(cell: Cell, message: dict[str, Any], result: Result) -> None:
    """Sort what one cell said into a result."""
    error = message.get("error")
    if message.get("report"):
        result.reports.append(Report.from_data(message["report"]))
    elif error and (cell.grade_id or message.get("last")):
        result.failures.append(f"{cell.place}, {error}")
    elif error:
        result.notes.append(f"{cell.place}, {error} (a cell of your own; it does not count)")
    elif cell.checks:
        result.failures.append(f"{cell.name}: the cell ran without a report")


def _messages(
    process: subprocess.Popen[str],
    code: list[Cell],
    name: str,
    blocked: str,
    kept: Mapping[str, dict[str, Any]],
) -> Iterator[tuple[Cell, dict[str, Any]]]:
    """Run cells in a process; give each with what it said, until one ends it.

    What graded cells are not asked again about is known from earlier: `kept`, as data.
    """
    lines = _lines_of(process)
    keys = ("name", "source", "checks", "title")
    cells = [
        {**{key: getattr(cell, key) for key in keys}, "kept": kept.get(cell.name)} for cell in code
    ]
    try:
        assert process.stdin is not None  # a pipe was asked for
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
            json.dump({"name": name, "blocked": blocked, "cells": cells}, pipe)
        for cell in code:
            try:
                line = lines.get(timeout=SECONDS_A_CELL)
            except queue.Empty:
                error = f"not finished within {SECONDS_A_CELL:g} s; a loop?"
                yield cell, {"error": error, "last": True}
                return
            if not line:
                yield cell, {"error": f"the process ended with code {process.wait()}", "last": True}
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
        [sys.executable, "-P", "-m", "tito.student.running"],
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
