"""What a graded cell shows: the points of its parts, and what was wrong with the others."""

from __future__ import annotations

import html
from dataclasses import asdict, dataclass
from typing import Any

from tinytorch.checks.judge import Problem

#: Notebook outputs of this type carry a report as data; see :meth:`Report.data`.
MIME_TYPE = "application/vnd.tinytorch.checks+json"

_STYLE = (
    "border-collapse:collapse;font-size:90%;",
    "text-align:left;vertical-align:top;padding:2px 10px 2px 0;",
)


@dataclass(frozen=True)
class PartVerdict:
    """The verdict on one part of a graded cell.

    Attributes
    ----------
    name : str
        The name of the part's function.
    title : str
        The behaviour, in one line.
    points, earned : int
        What the part is worth, and all of it or 0.
    problem : Problem or None
        What was wrong, where something was.
    hint : str
        Shown with the problem.
    unfinished : bool
        Whether the student's code is still to be written.
    """

    name: str
    title: str
    points: int
    earned: int
    problem: Problem | None
    hint: str
    unfinished: bool = False

    @property
    def mark(self) -> str:
        """One word for the state of the part."""
        if self.problem is None:
            return "ok"
        return "todo" if self.unfinished else "no" if self.points else "note"

    @property
    def score(self) -> str:
        """Points out of points, or a dash where the part does not count."""
        return f"{self.earned}/{self.points}" if self.points else "-"

    def details(self) -> list[tuple[str, str]]:
        """Return what to show below a part that does not hold: names and texts."""
        if self.problem is None:
            return []
        if self.unfinished:
            return [("open", self.problem.got)]
        advice = [] if self.points else [("note", "this part does not count for the mark")]
        return [
            ("where", self.problem.label),
            ("expected", self.problem.expected),
            ("got", self.problem.got),
            ("hint", self.hint),
            *advice,
        ]


@dataclass(frozen=True)
class Report:
    """The verdicts on the parts of one graded cell."""

    grade_id: str
    points: int
    parts: tuple[PartVerdict, ...]

    @property
    def earned(self) -> int:
        """Points of the parts that hold."""
        return sum(part.earned for part in self.parts)

    @property
    def passed(self) -> bool:
        """Whether every part that counts holds."""
        return all(part.problem is None for part in self.parts if part.points)

    def data(self) -> dict[str, Any]:
        """Return the report as JSON-ready data, the content of an output of MIME_TYPE."""
        parts = [asdict(part) for part in self.parts]
        return {
            "version": 1,
            "grade_id": self.grade_id,
            "points": self.points,
            "earned": self.earned,
            "parts": parts,
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Report:
        """Make a report of what :meth:`data` returned."""
        parts = []
        for part in data["parts"]:
            problem = part["problem"] and Problem(**part["problem"])
            parts.append(PartVerdict(**{**part, "problem": problem}))
        return cls(data["grade_id"], data["points"], tuple(parts))

    def __str__(self) -> str:
        lines = [f"{self.grade_id}: {self.earned} of {self.points} points"]
        for part in self.parts:
            lines.append(f"  {part.mark:<4} {part.score:>6}  {part.title}")
            lines.extend(f"{'':15}{name + ':':<10}{text}" for name, text in part.details())
        return "\n".join(lines)

    def html(self) -> str:
        """Return the report as an HTML table."""
        table, cell = _STYLE
        rows = []
        for part in self.parts:
            details = "".join(
                f"<br><small>{html.escape(name)}: <code>{html.escape(text)}</code></small>"
                for name, text in part.details()
            )
            rows.append(
                f'<tr><td style="{cell}">{part.mark}</td><td style="{cell}">{part.score}</td>'
                f'<td style="{cell}">{html.escape(part.title)}{details}</td></tr>'
            )
        return (
            f"<p><b>{html.escape(self.grade_id)}: {self.earned} of {self.points} points</b></p>"
            f'<table style="{table}"><thead><tr><th style="{cell}">part</th>'
            f'<th style="{cell}">points</th><th style="{cell}">behaviour</th></tr></thead>'
            f"<tbody>{''.join(rows)}</tbody></table>"
        )
