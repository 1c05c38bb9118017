"""Rules that a source and its release must keep; each message names the cell.

One file a subject: its functions yield the faults they find in a notebook.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tito.authoring.rules import (
    bindings,
    graded,
    layout,
    leaks,
    metadata,
    questions,
    regions,
    sizes,
)
from tito.authoring.rules.each_cell import Fault, id_of
from tito.authoring.rules.leaks import secret_lines
from tito.course import Module
from tito.errors import TitoError

__all__ = [
    "check_release",
    "check_source",
    "faults_of",
    "faults_of_release",
    "id_of",
    "secret_lines",
]

#: In the order in which one fixes them: what a cell is, before what stands in it.
_RULES = (
    *(layout.faults, metadata.faults, regions.faults, graded.faults, graded.pairing_faults),
    *(questions.faults, leaks.faults, sizes.faults, bindings.faults),
)


def faults_of(module: Module, notebook: NotebookNode) -> list[str]:
    """Return ``line 12, sgd-class: what is wrong, and the remedy`` for each fault of a source."""
    faults = chain(layout.module_faults(module), *(rule(notebook) for rule in _RULES))
    lines = layout.lines_of_cells(module, notebook)
    return [_message(fault, lines) for fault in faults]


def _message(fault: Fault, lines: dict[int, int]) -> str:
    if fault.cell is None:
        return fault.text
    line = lines.get(id(fault.cell))
    where = f"line {line}, " if line else ""
    return f"{where}{id_of(fault.cell)}: {fault.text}"


def check_source(module: Module, notebook: NotebookNode) -> None:
    """Check a module's source before a release is made of it.

    Raises
    ------
    TitoError
        With a line for each rule that is broken.
    """
    _refuse(module, "source", faults_of(module, notebook))


def check_release(module: Module, path: Path, source: NotebookNode) -> None:
    """Check a release before students get it: it compiles, and holds no solution or rubric.

    Raises
    ------
    TitoError
        With a line for each rule that is broken.
    """
    released = nbformat.read(path, as_version=4)
    _refuse(module, "release", faults_of_release(released, source))


def faults_of_release(released: NotebookNode, source: NotebookNode) -> list[str]:
    """Return what is wrong with a notebook made of a source for students, a line a fault."""
    return [_message(fault, {}) for fault in leaks.release_faults(released, source)]


def _refuse(module: Module, what: str, faults: list[str]) -> None:
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise TitoError(f"the {what} of {module.name} breaks {len(faults)} rule(s):\n{lines}")
