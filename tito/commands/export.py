"""`tito export`: from notebook to package."""

from __future__ import annotations

from pathlib import Path

import click

from tito.commands._shared import notebook_option, print_line
from tito.course import Course, Module
from tito.student.export import export as make
from tito.student.show import show_export


@click.command("export")
@click.argument("modules", nargs=-1, metavar="MODULE...")
@click.option("--all", "every", is_flag=True, help="All modules of the course.")
@notebook_option
def command(modules: tuple[str, ...], every: bool, notebook: Path | None) -> None:
    """Make the package's modules from the sources, or from a student's notebook.

    With --notebook a student's own solution takes the place of the course's module in this
    checkout. Its code runs as you.
    """
    course = Course.find()
    course.require_package()  # before anything is written
    if bool(modules) == every or (notebook and len(modules) != 1):
        wanted = "one MODULE with --notebook" if notebook else "MODULE or --all"
        raise click.UsageError(f"Name {wanted}.")
    chosen = course.modules if every else [course.module(name) for name in modules]
    if notebook:
        show_export(make(notebook, chosen[0].exports_to, package=course.package))
    else:
        _export_sources(course, chosen)


def _export_sources(course: Course, modules: list[Module]) -> None:
    from tito.authoring.nbdev_export import export_module
    from tito.authoring.source import build_notebook

    for module in modules:
        build_notebook(course, module)
        for name, path in zip(module.exports, export_module(course, module), strict=True):
            print_line(f"{name}: {path.relative_to(course.root)}")
