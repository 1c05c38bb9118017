"""What a graded cell shows: the points of its parts, and what was wrong with the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tinytorch.checks.problem import Problem

#: Notebook outputs of this type carry a report as data; see :meth:`Report.data`.
MIME_TYPE = "application/vnd.tinytorch.checks+json"

#: Readable on light and on dark pages.
_COLOURS = {"ok": "#3a9b4a", "no": "#d64545", "todo": "#b8860b", "note": "#b8860b"}
#: A name that a check misses: an exception without a line of the student's.
_MISSING = re.compile(r"NameError: name '(\w+)' is not defined")
#: What to do about it where cells are run by hand; elsewhere all have been.
RUN_ABOVE = "run the cells above (Run, then Run All Above)"
_NOWHERE = "no cell that ran defines it"
_CELL = "text-align:left;vertical-align:top;padding:3px 12px 3px 0;border:none;"
_PLAIN = "background:none;"
_VALUE = "margin:0;padding:0;white-space:pre-wrap;background:none;font-size:inherit;"


@dataclass(frozen=True)
class PartVerdict:
    """The verdict on one part of a graded cell.

    Attributes
    ----------
    name : str
        The name of the part's function.
    title : str
        The behaviour, in one line.
    points, earned : float
        What the part is worth, and all of it or 0; of an assertion's partial credit, a part.
    problem : Problem or None
        What was wrong, where something was.
    hint : str
        Shown with the problem.
    unfinished : bool
        Whether the student's code is still to be written.
    earlier : str
        Where to look first: the earlier graded cells that fail on what this part uses.
    """

    name: str
    title: str
    points: float
    earned: float
    problem: Problem | None
    hint: str
    unfinished: bool = False
    earlier: str = ""

    @property
    def missing(self) -> str | None:
        """The name that the part needs and the notebook does not have."""
        if self.problem is None or not self.problem.raised or self.problem.source:
            return None
        found = _MISSING.fullmatch(self.problem.got)
        return found and found[1]

    @property
    def mark(self) -> str:
        """One word for the state of the part."""
        if self.problem is None:
            return "ok"
        return "todo" if self.unfinished else "no" if self.points else "note"

    @property
    def score(self) -> str:
        """Points out of points, or a dash where the part does not count."""
        return f"{self.earned:g}/{self.points:g}" if self.points else "-"

    def details(self) -> list[tuple[str, str]]:
        """Return what to show below a part that does not hold: names and texts."""
        if self.problem is None:
            return []
        if self.unfinished:
            return [("open", self.problem.got)]
        first = [("first", self.earlier)] if self.earlier else []
        advice = [] if self.points else [("note", "this part does not count for the mark")]
        return [
            ("where", self.problem.label),
            ("expected", self.problem.expected),
            ("got", self.problem.got),
            ("hint", self.problem.source or self.hint),
            *first,
            *advice,
        ]


@dataclass(frozen=True)
class Report:
    """The verdicts on the parts of one graded cell."""

    grade_id: str
    points: float
    parts: tuple[PartVerdict, ...]

    @property
    def earned(self) -> float:
        """Points of the parts that hold."""
        return sum(part.earned for part in self.parts)

    @property
    def passed(self) -> bool:
        """Whether every part that counts holds."""
        return all(part.problem is None for part in self.parts if part.points)

    def data(self) -> dict[str, Any]:
        """Return the report as JSON-ready data, the content of an output of MIME_TYPE."""
        parts = [
            {**vars(part), "problem": part.problem and dict(vars(part.problem))}
            for part in self.parts
        ]
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

    def explained(
        self, remedy: str = _NOWHERE
    ) -> Iterator[tuple[PartVerdict, list[tuple[str, str]]]]:
        """Give the parts with their details, and each exception or open TODO in full only once.

        Parameters
        ----------
        remedy : str
            What to do where a name is missing. The parts that need it are given as one.
        """
        said: set[tuple[str, str]] = set()
        for part in self.parts:
            if part.missing is not None:
                if ("missing", part.missing) not in said:
                    yield self._missing(part.missing, remedy), []
                said.add(("missing", part.missing))
                continue
            details = part.details()
            if part.problem is not None and (part.problem.raised or part.unfinished):
                told = part.problem.got, part.problem.source
                if told in said:
                    details = [] if part.unfinished else [("got", _again(part.problem.got))]
                said.add(told)
            yield part, details

    def _missing(self, name: str, remedy: str) -> PartVerdict:
        """Return all parts that need a name as one."""
        parts = [part for part in self.parts if part.missing == name]
        needed = "1 part needs it" if len(parts) == 1 else f"{len(parts)} parts need it"
        title = f"{name} is not defined here: {remedy}; {needed}"
        return replace(parts[0], title=title, points=sum(part.points for part in parts))

    def __str__(self) -> str:
        return self.text()

    def text(self, remedy: str = _NOWHERE) -> str:
        """Return the report as text; for `remedy` see :meth:`explained`."""
        lines = [f"{self.grade_id}: {self.earned:g} of {self.points:g} points"]
        for part, details in self.explained(remedy):
            lines.append(f"  {part.mark:<4} {part.score:>6}  {part.title}")
            for name, text in details:
                first, *rest = text.split("\n")
                lines.append(f"{'':15}{name + ':':<10}{first}")
                lines.extend(f"{'':25}{line}" for line in rest)
        return "\n".join(lines)

    def html(self, remedy: str = _NOWHERE) -> str:
        """Return the report as an HTML table; for `remedy` see :meth:`explained`."""
        rows = "".join(_row(part, details) for part, details in self.explained(remedy))
        heads = "".join(
            f'<th style="{_CELL}">{name}</th>' for name in ("part", "points", "behaviour")
        )
        return (
            f"<p><b>{_escape(self.grade_id)}: {self.earned:g} of {self.points:g} points</b></p>"
            f'<table style="border-collapse:collapse;margin:0;"><thead><tr>{heads}</tr></thead>'
            f"<tbody>{rows}</tbody></table>"
        )


def _escape(text: str) -> str:
    from html import escape  # a terminal need not wait for it

    return escape(text)


def _again(got: str) -> str:
    """Refer to what was told before: an exception by its type."""
    kind = re.match(r"(?!None$)\w+(?=:|$)", got)
    return f"the same {kind[0]} as above" if kind else "the same as above"


def _row(part: PartVerdict, details: list[tuple[str, str]]) -> str:
    mark = f'<b style="color:{_COLOURS[part.mark]};">{part.mark}</b>'
    title = _escape(part.title) + _details(details)
    cells = "".join(f'<td style="{_CELL}">{text}</td>' for text in (mark, part.score, title))
    return f'<tr style="{_PLAIN}">{cells}</tr>'


def _details(details: list[tuple[str, str]]) -> str:
    """Return names and texts as a table of their own; values keep their line ends."""
    if not details:
        return ""
    rows = "".join(
        f'<tr style="{_PLAIN}"><td style="{_CELL}">{_escape(name)}</td>'
        f'<td style="{_CELL}">{_text(name, _escape(text))}</td></tr>'
        for name, text in details
    )
    return (
        f'<table style="border-collapse:collapse;margin:2px 0 6px 0;"><tbody>{rows}</tbody></table>'
    )


def _text(name: str, text: str) -> str:
    return f'<pre style="{_VALUE}">{text}</pre>' if name in ("expected", "got") else text
