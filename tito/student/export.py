"""Make the student's own modules of the package out of their notebook.

The notebooks of a course's sources go through nbdev. Here the same directives are followed
without it: the cells that begin with ``#| export``, in their order, are the notebook's module, and
those with ``#| export core.NAME`` another one.
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
#: Runs modules under their names, each file behind its name, so that a later one finds the others.
_TRY = """
import importlib.util, sys
for name, file in zip(sys.argv[1::2], sys.argv[2::2]):
    spec = importlib.util.spec_from_file_location(name, file)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
"""


@dataclass(frozen=True)
class Exported:
    """The modules that an export wrote, with their files, and what is still to be written."""

    files: dict[str, Path]
    unfinished: tuple[str, ...]


def export(
    notebook: Path,
    module: str,
    assignment: Assignment | None = None,
    package: Path | None = None,
) -> Exported:
    """Write what a student's notebook exports, and see that it can be imported.

    Parameters
    ----------
    notebook : Path
        The student's notebook.
    module : str
        What it must export to in the first place, such as ``tinytorch.core.optimizers``.
    assignment : Assignment, optional
        A cell that it exports is exported whatever became of its directive.
    package : Path, optional
        The folder of the package; by default the installed ``tinytorch``.

    Raises
    ------
    TitoError
        If the notebook is of another assignment, its code is not valid or fails on import, or
        the package cannot be written. Earlier modules stay.
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
    texts = {module: "", **{cell.exports_to or module: "" for cell in chosen}}
    for name in texts:
        own = [cell for cell in chosen if (cell.exports_to or module) == name]
        texts[name] = "\n".join(_lines(own, notebook)) + "\n"
    try:
        files = _write(texts, folder)
    except OSError as error:
        raise TitoError(
            f"{folder} cannot be written to: {error.strerror}. Install the bundle in an "
            "environment of your own, as its README says."
        ) from error
    return Exported(files, tuple(still_open(chosen)))


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


def _write(texts: dict[str, str], folder: Path) -> dict[str, Path]:
    """Put modules in place, all of them or, if one cannot be imported, none."""
    paths = {
        name: folder / f"{name.removeprefix('tinytorch.').replace('.', '/')}.py" for name in texts
    }
    with tempfile.TemporaryDirectory(dir=folder / "core", prefix=".export-") as scratch:
        fresh = {name: Path(scratch) / path.name for name, path in paths.items()}
        for name, text in texts.items():
            fresh[name].write_text(text, encoding="utf-8")
        _try_import(fresh, folder.parent)
        for name, path in paths.items():
            os.replace(fresh[name], path)
    return paths


def _try_import(files: dict[str, Path], root: Path) -> None:
    pairs = [str(word) for pair in files.items() for word in pair]
    command = [sys.executable, "-P", "-B", "-c", _TRY, *pairs]
    module = " or ".join(files)
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
