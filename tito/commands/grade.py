"""`tito grade`: mark a class."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from tito.authoring.releases import read_release
from tito.authoring.source import read_source
from tito.autograde import grade_class
from tito.autograde.executor_config import ExecutorConfig
from tito.autograde.grading_run import GradingRun
from tito.commands._shared import console, pass_assignment, print_line, say
from tito.commands._watch import watch_each
from tito.course import Course, Module
from tito.course.cells import is_grade, is_task
from tito.course.files import written
from tito.errors import TitoError, UsageError
from tito.pages import evidence, feedback
from tito.sandbox import LEVELS, Isolation


@click.command("grade")
@pass_assignment
@click.option("--student", "students", multiple=True, help="Only this student; may be repeated.")
@click.option("--force", is_flag=True, help="Grade again what has not changed.")
@click.option("--watch", is_flag=True, help="Go on with whatever is handed in, until Ctrl-C.")
@click.option("--whole", is_flag=True, help="Run all cells, also those no mark depends on.")
@click.option("--seed", type=int, help="Repeat the fresh inputs of an earlier run.")
@click.option(
    "--isolation",
    type=click.Choice(LEVELS),
    help="Accept isolation of students' code down to this level; 'tito doctor' says which it is.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Processes of this machine; half as many again as it has processors, and one, by default.",
)
@click.option("--scheduler", help="Use the workers of this Dask scheduler: tcp://HOST:8786.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def command(
    modules: list[Module],
    students: tuple[str, ...],
    force: bool,
    watch: bool,
    whole: bool,
    seed: int | None,
    isolation: str | None,
    workers: int | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Grade the submissions of MODULE that are new or have changed.

    A submission that cannot be graded is named and never stops the others; the command then
    exits with 1. An interrupted run, however it ended, is resumed by the same command.
    """
    if workers is not None and scheduler is not None:
        raise click.UsageError("--workers is of this machine and --scheduler of others; use one.")
    if watch and (students or force or as_json):
        raise click.UsageError("--watch is of the whole class, and prints lines; use it alone.")
    if watch and len(modules) > 1:
        options = {"--seed": seed, "--isolation": isolation, "--whole": whole}
        of_workers = {"--workers": workers, "--scheduler": scheduler}
        sys.exit(watch_each(modules, {**options, **of_workers}))
    where = ExecutorConfig(workers, scheduler)
    chosen = students or None
    course, runs = Course.find(), dict[Module, GradingRun]()
    _refuse_lab(course, modules)

    def grade(module: Module, show: grade_class.Progress) -> GradingRun:
        return grade_class.grade(
            course, module, chosen, force, show, seed, isolation, where, whole, watch
        )

    for module in modules:
        runs[module] = run = _grade(course, module, grade, as_json, watch)
        if run.interrupted:  # Ctrl-C once more, while Python ends, would change the exit code
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        if not as_json:
            _summarize(run, module)
        if run.interrupted:
            break
    if as_json:
        data = {module.notebook: _data(run) for module, run in runs.items()}
        one = data[modules[0].notebook] if len(modules) == 1 else {"notebooks": data}
        click.echo(json.dumps(one, indent=1))
    sys.exit(1 if any(run.failed or run.interrupted for run in runs.values()) else 0)


def _grade(
    course: Course,
    module: Module,
    grade: Callable[[Module, grade_class.Progress], GradingRun],
    as_json: bool,
    watch: bool,
) -> GradingRun:
    """Grade one notebook of the class, and show how that goes on."""
    with _bar(hidden=as_json or watch) as bar:
        task = bar.add_task("grade", total=None, speed="", left="", failed="")
        shown: list[str] = []
        begun: list[GradingRun] = []
        lines = _lines(course, module)
        next(lines)

        def show(run: GradingRun) -> None:
            begun[:] = [run]
            for notice in run.notices[len(shown) :]:
                say(notice)
                shown.append(notice)
            if watch:
                lines.send(run)
                return
            fields: dict[str, Any] = _rate(run, bar)
            bar.update(task, completed=len(run.outcomes), total=run.total, **fields)

        try:
            run = grade(module, show)
            if not run.interrupted:  # then somebody waits for the end
                with written("the page of flags"):
                    evidence.write(course, module)
            return run
        except KeyboardInterrupt:  # before the first submission, after the last one, or once more
            if begun and begun[0].outcomes:
                begun[0].interrupted = True
                return begun[0]
            raise TitoError(f"interrupted, and nothing is lost; {_resume(module)}.") from None


def _lines(course: Course, module: Module) -> Generator[None, GradingRun, None]:
    """Write the page of each who was graded since the last look at a run, and print a line."""
    shown = 0
    run = yield
    say(f"watching {course.submitted} for {module.title}; end it with Ctrl-C")
    while True:
        for outcome in run.outcomes[shown:]:
            shown += 1
            if outcome.status != "skipped":
                feedback.write(course, module, students=[outcome.student])
                graded = outcome.status == "graded"
                what = f"graded in {outcome.seconds:.1f} s" if graded else outcome.reason
                print_line(f"{datetime.now():%H:%M:%S} {outcome.student}: {what}")
        run = yield


def _refuse_lab(course: Course, modules: Sequence[Module]) -> None:
    """Say at once that a module has no points, instead of asking for its submissions."""
    for module in modules:
        released = course.released(module)
        notebook = read_release(released) if released.is_file() else read_source(module.source)
        if any(is_grade(cell) or is_task(cell) for cell in notebook.cells):
            return
    named = modules[0].title if len(modules) == 1 else modules[0].name
    raise UsageError(f"{named} has no points: nothing to grade.")


def _bar(hidden: bool) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("grading"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("[red]{task.fields[failed]}"),
        console=console,
        transient=True,  # the summary stays
        disable=hidden or not console.is_terminal,
    )


def _rate(run: GradingRun, bar: Progress) -> dict[str, str]:
    """Say how fast it goes, how long it will take, and how many failed so far."""
    elapsed = bar.tasks[0].elapsed or 0.0
    failed = f"{len(run.failed)} failed" if run.failed else ""
    # What is unchanged takes no time, so it says nothing of the rest.
    done = len(run.graded) + len(run.failed)
    if elapsed < 1 or not done:
        return {"failed": failed}
    left = timedelta(seconds=round((run.total - len(run.outcomes)) * elapsed / done))
    return {"speed": f"{60 * done / elapsed:.0f}/min", "left": f"{left} left", "failed": failed}


def _summarize(run: GradingRun, module: Module) -> None:
    for outcome in run.failed:
        line = f"not graded: {outcome.student}: {outcome.reason}"
        print_line(line, style="red")
    of = f"{module.notebook}: " if module.siblings else ""
    counts = (
        f"{of}{len(run.graded)} graded, {len(run.skipped)} unchanged, {len(run.failed)} not graded"
    )
    rate = f" ({60 * len(run.graded) / run.seconds:.0f} a minute)" if len(run.graded) > 1 else ""
    console.print(f"{counts}, in {run.seconds:.1f} s{rate}")
    print_line(_isolation(run.isolation))
    if left_out := _left_out(run):
        print_line(left_out)
    print_line(f"log: {_shown(run.log)}")
    if run.interrupted:
        left = run.total - len(run.outcomes)
        print_line(
            f"interrupted: {left} are left, and nothing is lost; {_resume(module)}", style="red"
        )


def _left_out(run: GradingRun) -> str:
    """Say what did not run, and how that was tried; "" where all cells ran."""
    shortened = [outcome for outcome in run.graded if outcome.left_out]
    tried = [outcome for outcome in shortened if outcome.audit]
    if not shortened:
        return ""
    cells = sum(outcome.left_out for outcome in shortened)
    audited = f"; {len(tried)} graded both ways, marks equal" if tried else ""
    return f"left out: {cells} demonstrations of {len(shortened)} submissions{audited}"


def _resume(module: Module) -> str:
    return f"resume with 'tito grade {module.name}'"


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _data(run: GradingRun) -> dict[str, object]:
    """Return a run as plain data."""
    return {
        "total": run.total,
        "graded": len(run.graded),
        "unchanged": len(run.skipped),
        "failed": len(run.failed),
        "interrupted": run.interrupted,
        "seconds": run.seconds,
        "log": str(run.log),
        "isolation": run.isolation.as_json(),
        "notices": run.notices,
        "outcomes": [asdict(outcome) for outcome in run.outcomes],
    }


def _isolation(isolation: Isolation) -> str:
    """Say what kept students' code apart, and what did not."""
    by = f" (bubblewrap {isolation.version})" if isolation.bwrap else ""
    leaks = "".join(f"\n  - {leak}" for leak in isolation.leaks)
    return f"isolation: {isolation.level}{by}{leaks}"
