"""A page about a class, for those who teach it."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tinytorch.checks import Report
from tito.course import Course, Module
from tito.errors import TitoError
from tito.gradebook import records, scores
from tito.gradebook.scores import Row
from tito.pages import environment, evidence

_WORST = 15
_LONGEST_ANSWER = 120
_BINS = 20
#: What share of a cell's points somebody earned; the class of its colour on the page.
_BANDS = {"nothing": "none", "under half": "some", "half or more": "most", "all": "full"}


@dataclass
class Part:
    """A part of a graded cell, and how many students have a verdict on it and fail."""

    cell: str
    title: str
    points: float
    judged: int = 0
    failed: int = 0
    unfinished: int = 0  # of those who fail, who has yet to begin
    answers: Counter[str] = field(default_factory=Counter)  # what the others got instead

    @property
    def share(self) -> float:
        """The share of students who fail."""
        return self.failed / self.judged if self.judged else 0.0

    @property
    def common(self) -> tuple[str, int] | None:
        """What more than one of them got, if anything, and how many."""
        (answer, count), *_ = self.answers.most_common(1) or [("", 0)]
        return (answer, count) if count > 1 else None


def write(course: Course, module: Module, path: Path | None = None) -> Path:
    """Write the page, by default as ``overview.html`` beside the records.

    Raises
    ------
    TitoError
        If nobody handed anything in.
    """
    rows = scores.table(course, module)
    if not any(row.status != "missing" for row in rows):
        raise TitoError(f"nobody handed in {module.name}; take submissions in with 'tito collect'.")
    reports = _reports(course, module, rows)
    path = path or course.records_of(module) / "overview.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = evidence.page_of(course, module)
    link = flags.name if flags.parent == path.parent and flags.is_file() else ""
    path.write_text(render(module.name, rows, reports, link), encoding="utf-8")
    return path


def _reports(course: Course, module: Module, rows: Sequence[Row]) -> list[list[Report]]:
    """Return the verdicts on every graded student's cells."""
    reports = []
    for row in rows:
        record = records.load(course, module, row.student) if row.status == "graded" else None
        if record:
            reports.append([Report.from_data(data) for data in record.cells.values()])
    return reports


def render(
    title: str, rows: Sequence[Row], reports: Sequence[Sequence[Report]], evidence: str = ""
) -> str:
    """Return the page on a class.

    Parameters
    ----------
    title : str
        The module's name.
    rows : sequence of Row
        What :func:`tito.gradebook.scores.table` returns.
    reports : sequence
        For each graded student the verdicts on the cells.
    evidence : str
        The page of the flags' evidence beside this one, if there is one.
    """
    graded = [row for row in rows if row.status == "graded"]
    failing = [part for part in parts_of(reports) if part.failed]
    return (
        environment()
        .get_template("overview.html.j2")
        .render(
            title=title,
            made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            counts=Counter(row.status for row in rows),
            numbers=_numbers(graded),
            worth=scores.worth(rows),
            bins=_histogram(graded),
            cells=_cells(graded),
            bands=_BANDS,
            failing=failing,
            worst=failing[:_WORST],
            by_hand=sum(bool(row.needs_manual) for row in rows),
            late=[row for row in rows if row.penalty],
            rows=rows,
            evidence=evidence,
        )
    )


def parts_of(reports: Sequence[Sequence[Report]]) -> list[Part]:
    """Count how the parts of all cells came out, those that most students fail first."""
    found: dict[tuple[str, str], Part] = {}
    for report in (report for student in reports for report in student):
        for verdict in report.parts:
            key = (report.grade_id, verdict.name)
            part = found.setdefault(key, Part(report.grade_id, verdict.title, verdict.points))
            part.judged += 1
            if verdict.problem is None:
                continue
            part.failed += 1
            part.unfinished += verdict.unfinished
            if not verdict.unfinished:
                part.answers[verdict.problem.got[:_LONGEST_ANSWER]] += 1
    return sorted(found.values(), key=lambda part: (-part.share, -part.points))


def _numbers(graded: Sequence[Row]) -> dict[str, float]:
    totals = [row.total for row in graded]
    if not totals:
        return {}
    return {
        "median": statistics.median(totals),
        "mean": statistics.mean(totals),
        "lowest": min(totals),
        "highest": max(totals),
    }


def _histogram(graded: Sequence[Row]) -> list[int]:
    """Count the totals by twentieths of what the whole is worth."""
    shares = [row.total / row.max for row in graded if row.max]
    counts = Counter(min(int(share * _BINS), _BINS - 1) for share in shares)
    return [counts[number] for number in range(_BINS)] if shares else []


def _cells(graded: Sequence[Row]) -> list[dict[str, Any]]:
    """Return a line of numbers for each cell."""
    lines = []
    for name, worth in graded[0].maxima.items() if graded else ():
        marked = [points for row in graded if (points := row.points[name]) is not None]
        lines.append(
            {
                "name": name,
                "worth": worth,
                "marked": len(marked),
                "mean": statistics.mean(marked) if marked else 0.0,
                "bands": Counter(_band(points / worth) for points in marked if worth),
            }
        )
    return lines


def _band(share: float) -> str:
    if share < 1e-9:
        return "nothing"
    if share > 1 - 1e-9:
        return "all"
    return "half or more" if share >= 0.5 else "under half"
