"""From notebook to package: the one place where nbdev is called."""

from __future__ import annotations

import re
import tempfile
from functools import partial
from pathlib import Path

from nbdev.export import nb_export
from nbdev.maker import ModuleMaker
from nbformat import NotebookNode

from tito.authoring.rules.each_cell import BEGIN_SOLUTION, END_SOLUTION, comment_above
from tito.authoring.source import read_source, write_notebook
from tito.course import Course, Module

_SCAFFOLD = re.compile(r"^\s*# (TODO|Hint)\b")


def without_scaffolding(source: str) -> str:
    """Drop what only students need from a cell: solution markers and the TODO comment above."""
    kept: list[str] = []
    for line in source.split("\n"):
        if BEGIN_SOLUTION.match(line):
            _drop_todo(kept)
        elif not END_SOLUTION.match(line):
            kept.append(line)
    return "\n".join(kept)


def _drop_todo(lines: list[str]) -> None:
    """Drop the comment block at the end of `lines`, from its first TODO or Hint on."""
    for position in range(comment_above(lines, len(lines)), len(lines)):
        if _SCAFFOLD.match(lines[position]):
            del lines[position:]
            return


def export_notebook(notebook: NotebookNode, named: Path, package: Path) -> None:
    """Write the modules that a notebook exports to into the folder of the package.

    The header of a module names the file `named` as its origin.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = without_scaffolding(cell.source)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "notebook.ipynb"
        write_notebook(notebook, path)
        nb_export(str(path), lib_path=str(package), mod_maker=partial(_NamedMaker, named=named))


class _NamedMaker(ModuleMaker):
    """nbdev's writer of modules, naming the hand-written source instead of a generated file."""

    def __init__(self, *, named: Path, nb_path: str, is_new: bool, **kwargs: object) -> None:
        # nbdev adds to a module that a cell names; here each module is of one notebook alone.
        super().__init__(nb_path=named, is_new=True, **kwargs)


def export_module(course: Course, module: Module) -> list[Path]:
    """Export a module's source to the package; return the files that were written."""
    export_notebook(read_source(module.source), module.source, course.package)
    return module.files_in(course.package)
