"""`tito test`: the graded checks of a notebook, part by part."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tito.authoring.package import build_package
from tito.commands._shared import console, notebook_option, pass_module
from tito.course import Course, Module
from tito.student.main import every_option, finish_test, watch_option
from tito.student.notebook import Assignment
from tito.student.show import show_result
from tito.student.testing import CheckRunner


@click.command("test")
@pass_module
@notebook_option
@every_option
@watch_option
def command(module: Module, notebook: Path | None, every: bool, watch: bool) -> None:
    """Run the checks of MODULE: all cells of its source, or a student's graded ones.

    With --notebook its code runs as you. Exits with 1 while a part that counts does not hold.
    """
    course = Course.find()
    if notebook is not None:
        release = course.released(module)
        assignment = Assignment(release) if release.is_file() else None
        package = build_package(course, module, judging=True)
        finish_test(CheckRunner(notebook, assignment, package), every=every, watch=watch)
    if watch:
        raise click.UsageError("--watch needs --notebook.")
    _test_source(course, module, every)


def _test_source(course: Course, module: Module, every: bool) -> None:
    """Run all of a source in a kernel, demonstrations too."""
    from tito.authoring.source import read_source
    from tito.student.execute import collect, execute

    source = read_source(module.source)
    with console.status("running the notebook"):
        # With the package that ends before the module, as in grading.
        execute(source, module.source.parent, build_package(course, module, judging=True))
    result = collect(source)
    show_result(result, every)
    if not result.reports:
        console.print(
            f"{module.name}: every cell ran" if result.passed else f"{module.name}: failed"
        )
    sys.exit(0 if result.passed else 1)
