"""Make the student's own module of the package out of their notebook.

The notebooks of a course's sources go through nbdev. Here the same directives are followed
without it: the cells that begin with ``#| export``, in their order, are the module.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tinytorch
from tito.errors import TitoError
from tito.student.notebook import Assignment, Cell, exported_module, read_cells, still_open

_DIRECTIVES = re.compile(r"^#\|.*\n?", re.MULTILINE)
_SECONDS = 30


@dataclass(frozen=True)
class Exported:
    """The module that an export wrote, its file, and what is still to be written, by cell."""

    module: str
    path: Path
    unfinished: tuple[str, ...]


def export(
    notebook: Path,
    module: str,
    assignment: Assignment | None = None,
    package: Path | None = None,
) -> Exported:
    """Write the module that a student's notebook exports to, and see that it can be imported.

    Parameters
    ----------
    notebook : Path
        The student's notebook.
    module : str
        What it must export to, such as ``tinytorch.core.optimizers``.
    assignment : Assignment, optional
        A cell that it exports is exported whatever became of its directive.
    package : Path, optional
        The folder of the package; by default the installed ``tinytorch``.

    Raises
    ------
    TitoError
        If the notebook is of another assignment, its code is not valid or fails on import, or
        the package cannot be written. An earlier module stays.
    """
    cells = read_cells(notebook)
    exports_to = exported_module(cells, notebook)
    if exports_to != module:
        raise TitoError(
            f"{notebook} exports to {exports_to}, not to {module}. Is it another notebook?"
        )
    named = {cell.grade_id for cell in assignment.cells if cell.exported} if assignment else set()
    chosen = [cell for cell in cells if cell.exported or cell.grade_id and cell.grade_id in named]
    _refuse_syntax_errors(chosen, notebook)
    folder = package or Path(tinytorch.__file__).parent
    path = folder / f"{module.removeprefix('tinytorch.').replace('.', '/')}.py"
    try:
        _write("\n".join(_lines(chosen, notebook)) + "\n", module, path)
    except OSError as error:
        raise TitoError(
            f"{path} cannot be written: {error.strerror}. Install the bundle in an environment of "
            "your own, as its README says."
        ) from error
    return Exported(module, path, tuple(still_open(chosen)))


def _refuse_syntax_errors(cells: list[Cell], notebook: Path) -> None:
    for cell in cells:
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            raise TitoError(
                f"{notebook}: the cell {cell.name} is not valid Python, line {error.lineno}: "
                f"{error.msg}. Fix it; the package stays as it was."
            ) from error


def _lines(cells: list[Cell], notebook: Path) -> Iterator[str]:
    yield f"# Made of {notebook.name} by 'tito export'. Edit the notebook, not this file."
    for cell in cells:
        yield f"\n# %% {cell.name}"
        yield _DIRECTIVES.sub("", cell.source).strip("\n")


def _write(text: str, module: str, path: Path) -> None:
    """Put a module in place, unless it cannot be imported."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as scratch:
        fresh = Path(scratch) / path.name
        fresh.write_text(text, encoding="utf-8")
        _try_import(fresh, module, path.parents[len(module.split(".")) - 1])
        os.replace(fresh, path)


def _try_import(file: Path, module: str, root: Path) -> None:
    code = "import runpy, sys; runpy.run_path(sys.argv[1], run_name=sys.argv[2])"
    command = [sys.executable, "-P", "-c", code, str(file), module]
    environment = os.environ | {"PYTHONPATH": str(root)}
    try:
        answer = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise TitoError(
            f"{module} does not finish its import within {_SECONDS} s; is there a loop in an "
            "exported cell outside of every function? The package stays as it was."
        ) from error
    if answer.returncode:
        reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise TitoError(
            f"{module} cannot be imported: {reason}. Fix the notebook; the package stays as it was."
        )
