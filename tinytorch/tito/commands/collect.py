"""`tito collect`: take in a platform's download of all submissions."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tinytorch.tito.collecting import collect
from tinytorch.tito.collecting.schemes import SCHEMES
from tinytorch.tito.commands._roster import roster_file, roster_option
from tinytorch.tito.commands._shared import console, pass_module
from tinytorch.tito.course import Course, Module
from tinytorch.tito.errors import TitoError
from tinytorch.tito.grading import platforms
from tinytorch.tito.roster import read as read_roster


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
    whose names these are. What was collected before is never overwritten. Exits with 1 if a
    notebook was not taken, or a time of submission was not understood.
    """
    course = Course.find()
    file = roster_file(course, roster)
    people = read_roster(file) if file else platforms.roster_of_gradebook(course, module)
    if not people.people:
        raise TitoError(
            "nobody is known yet: name the class with --roster FILE, such as the gradebook that "
            "the platform exports."
        )
    report = collect.collect(course, module, source, people, scheme, replace)
    _show(report, course)
    sys.exit(1 if report.unknown or report.refused or report.kept or report.unclear else 0)


def _show(report: collect.Report, course: Course) -> None:
    for what, notes in (
        ("late", report.late),
        ("no time", report.unclear),
        ("duplicate", report.duplicates),
        ("not taken", report.refused),
        ("not in the roster", report.unknown),
    ):
        for who, note in notes.items():
            console.print(f"{what}: {who}: {note}", markup=False, soft_wrap=True)
    for student, place in report.kept.items():
        console.print(
            f"not taken: {student}: another submission is in "
            f"{Path(place).relative_to(course.root)}; --replace takes this one",
            markup=False,
            soft_wrap=True,
        )
    if report.missing:
        console.print(f"nothing from: {', '.join(report.missing)}", markup=False, soft_wrap=True)
    console.print(
        f"{report.scheme}: {len(report.collected)} collected, {len(report.unchanged)} unchanged, "
        f"{len(report.kept) + len(report.refused) + len(report.unknown)} not taken, "
        f"{len(report.missing)} missing"
    )
