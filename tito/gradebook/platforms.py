"""Marks as learning platforms import them: a spreadsheet, Canvas, Moodle, Gradescope."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tito.course.roster import Person
from tito.errors import TitoError
from tito.gradebook import scores
from tito.gradebook.gradescope_upload import write_gradescope
from tito.gradebook.scores import number
from tito.gradebook.sheet import Sheet, Written, nobody

_CANVAS = (
    *("Student", "LastName", "FirstName", "ID", "SIS User ID", "SIS Login ID"),
    *("Integration ID", "Root Account", "Section"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(kind: str, sheet: Sheet, path: Path) -> Written:
    """Write the marks in one of the :data:`FORMATS`.

    Raises
    ------
    TitoError
        If not a single student would be in the file.
    """
    write_file, _ = FORMATS[kind]
    if kind != "csv" and not any(sheet.final()):
        raise nobody(sheet.left_out(), sheet.roster)
    written = write_file(sheet, path)
    if not written.students:
        raise nobody(written.left_out, sheet.roster)
    title = _canvas_title(sheet.roster.columns, sheet.title)
    if kind == "canvas" and "final" in title.casefold():
        warning = f"Canvas ignores a column whose title has 'final' in it: {title!r}; use --title"
        return replace(written, warning=warning)
    return written


def write_csv(sheet: Sheet, path: Path) -> Written:
    """Write a table for a spreadsheet: a line for each student, whatever became of the work."""
    cells = list(sheet.rows[0].points) if sheet.rows else []
    notes = ("penalty", "total", "max", "extension", "by hand", "flags", "reason")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["student", "status", *cells, *notes])
        for row in sheet.rows:
            points = ["" if row.points[name] is None else row.points[name] for name in cells]
            numbers = [row.penalty, row.total, row.max, row.extension / timedelta(days=1)]
            texts = ["; ".join(row.needs_manual), "; ".join(row.flags), row.reason]
            about = map(_as_text, (row.student, row.status))
            writer.writerow([*about, *points, *numbers, *map(_as_text, texts)])
    return Written(path, len(sheet.rows))


def _as_text(value: str) -> str:
    """Keep a spreadsheet from calculating a text: students choose the names of files."""
    return f"'{value}" if value.startswith(_FORMULA) else value


def write_canvas(sheet: Sheet, path: Path) -> Written:
    """Write what "Import" in Canvas's gradebook reads.

    The columns that identify a student are those of Canvas's own export, where the roster is
    one; the column of the assignment has its number then ("Optimizers (4711)"), without which
    Canvas would make a new assignment.
    """
    own = [name for name in sheet.roster.columns if name in _CANVAS]
    is_export = {"ID", "Section"} <= set(own)
    columns = own if is_export else ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    title = _canvas_title(sheet.roster.columns, sheet.title)
    worth = {columns[0]: "    Points Possible", title: number(scores.worth(sheet.rows))}
    lines = [
        {**(person.row if is_export else _canvas_person(person)), title: number(row.total)}
        for row, person in sheet.final()
    ]
    return _write_lines(sheet, path, [*columns, title], [worth, *lines], len(lines))


def _canvas_title(columns: Sequence[str], title: str) -> str:
    """Return the export's column for an assignment; its name where there is none."""
    own = re.compile(rf"{re.escape(title)} \(\d+\)")
    return next((name for name in columns if own.fullmatch(name)), title)


def _canvas_person(person: Person) -> dict[str, str]:
    names = [name for name in (person.last_name, person.first_name) if name]
    return {
        "Student": ", ".join(names) or person.student,
        "ID": person.keys.get("canvas", ""),
        "SIS User ID": person.keys.get("sid", ""),
        "SIS Login ID": person.student,
        "Section": "",
    }


def write_moodle(sheet: Sheet, path: Path) -> Written:
    """Write what Moodle imports.

    A grading worksheet as roster is filled in ("Upload grading worksheet"); otherwise it is a file
    for "Grades, Import, CSV file", to be mapped by e-mail address or ID number.
    """
    roles = sheet.roster.roles
    if {"moodle", "grade"} <= set(roles):
        _refuse_other_maximum(sheet)
        grade = roles["grade"]
        lines = [{**person.row, grade: number(row.total)} for row, person in sheet.final()]
        return _write_lines(sheet, path, list(sheet.roster.columns), lines, len(lines))
    columns = ["First name", "Last name", "ID number", "Email address", sheet.title]
    lines = [
        {
            "First name": person.first_name,
            "Last name": person.last_name,
            "ID number": person.keys.get("sid", ""),
            "Email address": person.keys.get("email", ""),
            sheet.title: number(row.total),
        }
        for row, person in sheet.final()
    ]
    return _write_lines(sheet, path, columns, lines, len(lines))


def _refuse_other_maximum(sheet: Sheet) -> None:
    """Compare the assignment's maximum with Moodle's, which would refuse or misread marks."""
    ours = scores.worth(sheet.rows)
    for person in sheet.roster.people:
        text = person.row.get(sheet.roster.roles.get("maximum", ""), "").strip()
        if not text:
            continue
        theirs = _maximum(text)
        if theirs is None:
            raise TitoError(
                f"Moodle's maximum grade of {person.student} is {text!r}, which is no number. Let "
                f"Moodle grade by points, of {ours:g}, and download the worksheet again."
            )
        if theirs != ours:
            raise TitoError(
                f"Moodle's maximum grade is {theirs:g}, the assignment's {ours:g}. "
                f"Set it to {ours:g} in Moodle and download the worksheet again."
            )


def _maximum(text: str) -> float | None:
    """Read a number as Moodle writes it: with two decimals, and the signs of its language."""
    signs = [char for char in text if char in ",."]
    if len(set(signs)) == 2:  # the first of them stands between thousands
        text = text.replace(signs[0], "")
    try:
        return float(re.sub(r"\s", "", text).replace(",", "."))
    except ValueError:
        return None


def _write_lines(
    sheet: Sheet,
    path: Path,
    columns: Sequence[str],
    lines: Sequence[Mapping[str, str]],
    students: int,
) -> Written:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(lines)
    return Written(path, students, sheet.left_out())


#: The formats by the names that the command line knows, and what a file of theirs ends in.
FORMATS: dict[str, tuple[Callable[[Sheet, Path], Written], str]] = {
    "csv": (write_csv, ".csv"),
    "canvas": (write_canvas, ".csv"),
    "moodle": (write_moodle, ".csv"),
    "gradescope": (write_gradescope, ""),
}
