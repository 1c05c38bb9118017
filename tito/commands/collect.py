"""`tito collect`: take in a platform's download of all submissions."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tito.commands._roster import people_of, roster_option
from tito.commands._shared import pass_module, print_line
from tito.course import Course, Module
from tito.errors import TitoError
from tito.submission import collect
from tito.submission.schemes import SCHEMES


@click.command("collect")
@pass_module
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@roster_option
@click.option(
    "--from",
    "scheme",
    type=click.Choice(list(SCHEMES)),
    help="Whose download it is, where its file names do not tell.",
)
@click.option(
    "--replace",
    is_flag=True,
    help="Take later submissions in the place of those collected before, which are put aside.",
)
def command(
    module: Module, source: Path, roster: Path | None, scheme: str | None, replace: bool
) -> None:
    """Take in the submissions of MODULE from SOURCE, a zip archive or folder.

    SOURCE is what Canvas ("Download Submissions"), Moodle ("Download all submissions") or
    Gradescope ("Export Submissions") gives, or holds a folder for each student. The roster tells
    whose names these are. What was collected before is never overwritten, and not listed again.
    Exits with 1 if a notebook was not taken, or a time of submission was not understood.
    """
    course = Course.find()
    people = people_of(course, roster)
    if not people.people:
        raise TitoError(
            "nobody is known yet: name the class with --roster FILE, such as the gradebook that "
            "the platform exports."
        )
    report = collect.collect(course, module, source, people, scheme, replace)
    _show(report, course)
    sys.exit(0 if report.is_clean else 1)


def _show(report: collect.Report, course: Course) -> None:
    """Print what is new, and what a person has to see to."""
    for student, other in report.renamed.items():
        print_line(f"known: {student} is {other} in the gradebook, by a number or an address")
    new = set(report.collected)
    for what, notes in (
        ("late", {student: note for student, note in report.late.items() if student in new}),
        ("no time", report.unclear),
        ("duplicate", {who: note for who, note in report.duplicates.items() if who in new}),
        ("not taken", report.refused),
        ("not in the roster", report.unknown),
        ("whose is it", report.doubtful),
        ("who is it", report.strangers),
    ):
        for who, note in notes.items():
            print_line(f"{what}: {who}: {note}")
    for student, place in report.conflicts.items():
        path = Path(place).relative_to(course.root)
        print_line(
            f"not taken: {student}: another submission is in {path}; --replace takes this one"
        )
    if report.missing:
        print_line(f"nothing from: {', '.join(report.missing)}")
    if report.collected:
        print_line(f"new: {', '.join(report.collected)}")
    left = (report.conflicts, report.refused, report.unknown, report.doubtful)
    print_line(
        f"{report.scheme}: {len(report.collected)} collected, {len(report.unchanged)} unchanged, "
        f"{sum(map(len, left))} not taken, {len(report.missing)} missing"
    )
