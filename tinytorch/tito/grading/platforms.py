"""Marks as learning platforms import them: a spreadsheet, Canvas, Moodle, Gradescope.

A platform takes an empty cell for a mark that is to be deleted, and a total without the written
answers for the final one. So a student without a final mark has no line in such a file, and is
named to the instructor instead.
"""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from tinytorch.checks import Report
from tinytorch.tito.course import Course, Module
from tinytorch.tito.errors import TitoError
from tinytorch.tito.grading import records, scores
from tinytorch.tito.grading.gradebook import open_gradebook, people_in
from tinytorch.tito.grading.scores import Row
from tinytorch.tito.pages import number
from tinytorch.tito.roster import Person, Roster, matched

_CANVAS = (
    *("Student", "LastName", "FirstName", "ID", "SIS User ID", "SIS Login ID"),
    *("Integration ID", "Root Account", "Section"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes
    ----------
    path : Path
        The file or folder.
    students : int
        How many students' marks it holds.
    left_out : dict of str to str
        Who has no line, and why.
    warning : str
        What the platform will do with the file that nobody would expect.
    """

    path: Path
    students: int
    left_out: dict[str, str] = field(default_factory=dict)
    warning: str = ""


@dataclass(frozen=True)
class Sheet:
    """What a format is made from.

    Attributes
    ----------
    course, module
        Whose marks.
    rows : list of Row
        What :func:`scores.table` returns.
    roster : Roster
        Who the students are on the platform.
    title : str
        The assignment's name on the platform.
    provisional : bool
        Whether totals count before the written answers are marked, and before it is certain whether
        they are late.
    """

    course: Course
    module: Module
    rows: list[Row]
    roster: Roster
    title: str
    provisional: bool = False

    def final(self) -> Iterator[tuple[Row, Person]]:
        """Give the students that have a final mark."""
        for row in self.rows:
            if not self._missing(row):
                yield row, self._people[row.student]

    @cached_property
    def _people(self) -> dict[str, Person]:
        """Who students are on the platform, by any key that its file has."""
        with open_gradebook(self.course) as book:
            known = {person.student: person for person in people_in(book)}
        ours = [known.get(row.student, Person(row.student)) for row in self.rows]
        return matched(ours, self.roster)

    def left_out(self) -> dict[str, str]:
        """Return who has none, and why; not those who handed nothing in."""
        return {
            row.student: reason
            for row in self.rows
            if (reason := self._missing(row)) and row.status != "missing"
        }

    def _missing(self, row: Row) -> str:
        if row.status != "graded":
            return row.reason or row.status
        if row.needs_manual and not self.provisional:
            return f"to be marked by hand: {', '.join(row.needs_manual)}"
        if row.uncertain_time and not self.provisional:
            return "its time of submission is not certain: write it into its timestamp.txt"
        return "" if row.student in self._people else "not in the roster"


def roster_of_gradebook(course: Course, module: Module) -> Roster:
    """Return the students as the gradebook knows them, for a class without a roster file."""
    with open_gradebook(course) as book:
        return Roster(tuple(people_in(book)))


def write(kind: str, sheet: Sheet, path: Path) -> Written:
    """Write the marks in one of the :data:`FORMATS`.

    Raises
    ------
    TitoError
        If not a single student would be in the file.
    """
    write_file, _ = FORMATS[kind]
    if kind != "csv" and not any(sheet.final()):
        raise _nobody(sheet.left_out(), sheet.roster)
    path.parent.mkdir(parents=True, exist_ok=True)
    made = write_file(sheet, path)
    if not made.students:
        raise _nobody(made.left_out, sheet.roster)
    title = _canvas_title(sheet.roster.columns, sheet.title)
    if kind == "canvas" and "final" in title.casefold():
        warning = f"Canvas ignores a column whose title has 'final' in it: {title!r}; use --title"
        return replace(made, warning=warning)
    return made


def _nobody(left_out: Mapping[str, str], roster: Roster) -> TitoError:
    """Say why a file would hold no student."""
    if not left_out:
        return TitoError("there is nobody to write: no student has handed anything in.")
    reasons = Counter(left_out.values())
    why = "; ".join(f"{reason} ({count})" for reason, count in reasons.most_common(5))
    names = ", ".join(list(left_out)[:3])
    return TitoError(
        f"not a single student would be in the file: {why}. They are {names} and so on in the "
        f"gradebook; the roster has {roster.recognized()}."
    )


def write_csv(sheet: Sheet, path: Path) -> Written:
    """Write a table for a spreadsheet: a line for each student, whatever became of the work."""
    cells = list(sheet.rows[0].points) if sheet.rows else []
    notes = ("penalty", "total", "max", "extension", "by hand", "flags", "reason")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["student", "status", *cells, *notes])
        for row in sheet.rows:
            points = ["" if row.points[name] is None else row.points[name] for name in cells]
            texts = ["; ".join(row.needs_manual), "; ".join(row.flags), row.reason]
            writer.writerow(
                [
                    *map(_as_text, (row.student, row.status)),
                    *points,
                    *(row.penalty, row.total, row.max, row.extension / timedelta(days=1)),
                    *map(_as_text, texts),
                ]
            )
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

    With a grading worksheet as roster: that worksheet, its column "Grade" filled in ("Upload
    grading worksheet"). Otherwise a file for "Grades, Import, CSV file", to be mapped by e-mail
    address or ID number.
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
        if not (said := person.row.get(sheet.roster.roles.get("maximum", ""), "").strip()):
            continue
        theirs = _maximum(said)
        if theirs is None:
            raise TitoError(
                f"Moodle's maximum grade of {person.student} is {said!r}, which is no number. Let "
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


def write_gradescope(sheet: Sheet, folder: Path) -> Written:
    """Write ``results.json`` of every student, and an autograder that hands them out.

    Gradescope takes marks from an autograder alone: upload ``autograder.zip`` to a programming
    assignment and rerun it for all; it finds each submission's result by e-mail address.
    """
    final = [(row, person.keys.get("email", "").casefold()) for row, person in sheet.final()]
    if final and not any(email for _, email in final):
        raise TitoError(
            "no student has an e-mail address, by which Gradescope's autograder finds results; "
            "nothing was written. Name the class with --roster FILE that has a column email."
        )
    remarks = scores.comments(sheet.course, sheet.module)
    shared = Counter(email for _, email in final)
    marks, left_out = {}, sheet.left_out()
    for row, email in final:
        if not email:
            left_out[row.student] = "no e-mail address in the roster"
        elif shared[email] > 1:
            left_out[row.student] = f"the roster has the address {email} {shared[email]} times"
        else:
            marks[email] = _results(sheet, row, remarks.get(row.student, {}))
            place = folder / row.student / "results.json"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(_json(marks[email]), encoding="utf-8")
    program = folder / "autograder.zip"
    program.unlink(missing_ok=True)  # an earlier one, of marks that are not final any more
    if marks:
        _write_autograder(program, marks)
    return Written(folder, len(marks), left_out)


def _results(sheet: Sheet, row: Row, remarks: Mapping[str, str]) -> dict[str, Any]:
    """Return one student's results as Gradescope's autograders write them."""
    record = records.load(sheet.course, sheet.module, row.student)
    tests: list[dict[str, Any]] = []
    for place, (name, points) in enumerate(row.points.items(), start=1):
        verdict = record.cells.get(name) if record else None
        if verdict:
            tests += _tests_of_parts(Report.from_data(verdict), place)
        elif points is not None:
            tests.append(
                _test(f"{place}", name, points, row.maxima[name], remarks.get(name, "marked"))
            )
    lines = [f"{name} is still to be marked." for name in row.needs_manual]
    if row.penalty:
        lines.append(f"{row.penalty:g} points were taken for lateness.")
    return {
        "score": round(row.total, 2),
        "execution_time": record.seconds if record else 0.0,
        "output": "\n".join(lines),
        "output_format": "text",
        "stdout_visibility": "hidden",
        "tests": tests,
    }


def _tests_of_parts(report: Report, place: int) -> Iterator[dict[str, Any]]:
    for number_, part in enumerate(report.parts, start=1):
        details = "\n".join(f"{name}: {text}" for name, text in part.details())
        name = f"{report.grade_id}: {part.title}"
        made = _test(f"{place}.{number_}", name, part.earned, part.points, details)
        yield {**made, "status": "passed" if part.problem is None else "failed"}


def _test(place: str, name: str, score: float, worth: float, output: str) -> dict[str, Any]:
    return {
        "number": place,
        "name": name,
        "name_format": "text",
        "score": score,
        "max_score": worth,
        "output": output,
        "output_format": "text",
        "visibility": "visible",
    }


_SETUP = "#!/usr/bin/env bash\napt-get update && apt-get install -y python3\n"
_RUN = '''#!/usr/bin/env python3
"""Hand out a result that was made before: Gradescope runs no student's code here."""

import json
from pathlib import Path

home = Path(__file__).resolve().parent
marks = json.loads((home / "source" / "marks.json").read_text())
users = json.loads((home / "submission_metadata.json").read_text())["users"]
found = [marks[user["email"].casefold()] for user in users if user["email"].casefold() in marks]
nothing = {"score": 0, "output": "Not graded yet.", "visibility": "hidden"}
results = home / "results" / "results.json"
results.parent.mkdir(exist_ok=True)
results.write_text(json.dumps(found[0] if found else nothing))
'''


def _write_autograder(path: Path, marks: Mapping[str, Any]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (
            ("setup.sh", _SETUP),
            ("run_autograder", _RUN),
            ("marks.json", _json(marks)),
        ):
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o755 << 16
            archive.writestr(info, text)


def _json(data: Any) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


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
