"""The command `tito` of a student: test, export and submit the notebook of one assignment."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.markup import escape

from tinytorch import __version__
from tito.errors import TitoError, UsageError
from tito.student.notebook import Assignment, exported_module, read_cells
from tito.student.show import console, run, show_export, show_hand_in, show_result
from tito.student.testing import CheckRunner


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tito")
def cli() -> None:
    """Test, export and hand in your notebook.

    NOTEBOOK is a file, or the assignment's name; left out, it is the assignment's notebook in
    this folder.
    """


def _find_notebook(name: str | None, command: str | None, cells: Sequence[str] = ()) -> Path:
    """Return the notebook that is meant: a file, or the one of the assignment in this folder."""
    if name is not None and Path(name).is_file():
        return Path(name)
    assignment = Assignment.installed()
    if name is not None and not assignment.is_called(name):
        or_cell = f" nor one of its graded cells, {', '.join(cells)}" if cells else ""
        raise UsageError(f"{name} is neither a notebook nor {assignment.module}{or_cell}.")
    path = Path(assignment.file)
    if not path.is_file():
        raise UsageError(
            f"{path} is not in {Path.cwd()}. Change into the folder of the bundle, or name the "
            f"notebook: tito {command} PATH."
        )
    return path


def _with_points(what: str) -> Assignment:
    assignment = Assignment.installed()
    if not assignment.has_points:
        raise UsageError(f"{assignment.module} is a lab without points: nothing to {what}.")
    return assignment


notebook_argument = click.argument(
    "notebook", required=False, callback=lambda ctx, _, name: _find_notebook(name, ctx.info_name)
)
every_option = click.option("--all", "every", is_flag=True, help="List the parts that hold, too.")
watch_option = click.option("--watch", is_flag=True, help="Run again whenever the file is saved.")


@cli.command("test")
@click.argument("what", nargs=-1, metavar="[NOTEBOOK] [CELL]...")
@every_option
@watch_option
def test(what: tuple[str, ...], every: bool, watch: bool) -> None:
    """Run the graded cells, or only each CELL, and show the result part by part.

    CELL is the name of a graded cell, such as test-sgd. Exits with 1 while a part that counts
    does not hold.
    """
    assignment = _with_points("test")
    names = [cell.name for cell in assignment.cells if cell.checks]
    only = [word for word in what if word in names]
    others = [word for word in what if word not in names]
    if len(others) > 1:
        raise UsageError(f"One notebook can be tested, got {' and '.join(others)}.")
    notebook = _find_notebook(others[0] if others else None, "test", names)
    finish_test(CheckRunner(notebook, assignment, only=only), every=every, watch=watch)


def finish_test(runner: CheckRunner, *, every: bool, watch: bool) -> None:
    """Run a notebook's checks, once or at every save, show them and exit."""
    with contextlib.closing(runner):
        passed = (_keep_checking if watch else _check)(runner, every)
    sys.exit(0 if passed else 1)


def _check(runner: CheckRunner, every: bool) -> bool:
    result = runner.run()
    show_result(result, every, runner.checked)
    return result.passed


def _keep_checking(runner: CheckRunner, every: bool) -> bool:
    """Check at every save until Ctrl-C; return what the last one said."""
    from tito.student.watch import saves

    later = saves(runner.notebook)
    next(later)  # looks at the file before the first check: who saves during it is not missed
    passed = _check(runner, every)
    console.print("waiting for the next save; Ctrl-C ends this", style="dim")
    with contextlib.suppress(KeyboardInterrupt):
        runner.prepare()
        for _ in later:
            console.rule(time.strftime("%H:%M:%S"), style="dim")
            try:
                passed = _check(runner, every)
            except TitoError as error:  # a file that is half written, or broken for a while
                passed = False
                console.print(f"tito: {error}", markup=False, soft_wrap=True)
            runner.prepare()
    return passed


@cli.command("export")
@notebook_argument
def export(notebook: Path) -> None:
    """Export your notebook as your own module of tinytorch, and list what is still open in it.

    A notebook of an earlier chapter that this one builds on is exported in the same way.
    """
    from tito.student.export import export as make

    assignment = Assignment.installed()
    module = exported_module(read_cells(notebook), notebook)
    if module in assignment.builds_on:
        show_export(make(notebook, module))
    else:
        show_export(make(notebook, assignment.exports_to, assignment))


@cli.command("submit")
@notebook_argument
def submit(notebook: Path) -> None:
    """Write the file to hand in, and warn of what looks incomplete.

    It is written whatever is missing in it.
    """
    from tito.student.submit import submit as make

    assignment = _with_points("hand in")
    with console.status("reading the notebook") as status:
        hand_in = make(
            notebook,
            assignment,
            on_progress=lambda what: status.update(escape(what)),
        )
    show_hand_in(hand_in)


def main() -> None:
    """Run the command line of a student."""
    run(cli)
