"""Make the file to hand in, after a look at whether it is whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tinytorch.tito.errors import TitoError
from tinytorch.tito.student.execute import collect, execute
from tinytorch.tito.student.notebook import (
    Assignment,
    Cell,
    as_graded,
    differences,
    read_cells,
    still_open,
)
from tinytorch.tito.student.testing import Result, run_checks

#: The folder beside the notebook that gets the file.
FOLDER = "hand-in"


@dataclass(frozen=True)
class HandIn:
    """What is ready to be handed in.

    Attributes
    ----------
    path : Path
        The file: the notebook without outputs.
    digest : str
        Its SHA-256, which grading notes as well.
    warnings : tuple of str
        What a student should look at first.
    result : Result
        What the graded cells say.
    """

    path: Path
    digest: str
    warnings: tuple[str, ...]
    result: Result


def submit(notebook: Path, assignment: Assignment, package: Path | None = None) -> HandIn:
    """Look at a notebook as grading will, and write the file to hand in.

    Nothing that is found keeps the file from being written: late and half done is better than
    not at all.

    Raises
    ------
    TitoError
        If the notebook cannot be read.
    """
    cells = read_cells(notebook)
    result = run_checks(notebook, assignment, package)
    warnings = [
        *differences(cells, assignment.cells),
        *_open(cells, assignment.cells),
        *result.failures,
        *_stops(notebook, cells, assignment, package),
    ]
    path = notebook.parent / FOLDER / assignment.file
    data = _without_outputs(notebook)
    path.parent.mkdir(exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(data)
    os.replace(beside, path)
    unique = tuple(dict.fromkeys(warnings))
    return HandIn(path, hashlib.sha256(data).hexdigest(), unique, result)


def _open(cells: list[Cell], released: list[Cell]) -> Iterator[str]:
    """Name the TODOs and the questions that are still open."""
    yield from still_open(cells)
    given = {cell.grade_id: cell.source.strip() for cell in released}
    for cell in cells:
        question = cell.graded and cell.solution and cell.kind == "markdown"
        if question and cell.source.strip() in ("", given.get(cell.grade_id)):
            yield f"{cell.name}: no answer is written"


def _stops(
    notebook: Path, cells: list[Cell], assignment: Assignment, package: Path | None
) -> Iterator[str]:
    """Run all cells in a kernel, from top to bottom; name those that raise."""
    restored = as_graded(cells, assignment.cells)
    node = nbformat.v4.new_notebook(
        cells=[_runnable(cell, number) for number, cell in enumerate(restored)]
    )
    try:
        execute(node, notebook.parent, package)
    except TitoError as error:
        yield f"the notebook does not run to its end: {error}"
        return
    names = {f"run-{number}": cell.name for number, cell in enumerate(restored)}
    for failure in collect(node).failures:
        where, _, what = failure.partition(": ")
        yield f"running from top to bottom, {names[where]}: {what}"


def _runnable(cell: Cell, number: int) -> NotebookNode:
    make = nbformat.v4.new_code_cell if cell.kind == "code" else nbformat.v4.new_raw_cell
    return make(cell.source, id=f"run-{number}")


def _without_outputs(notebook: Path) -> bytes:
    """Return the notebook as a file without outputs: small, and the same for the same work."""
    try:
        node = nbformat.read(notebook, as_version=4)
    except (nbformat.ValidationError, nbformat.reader.NotJSONError) as error:
        raise TitoError(
            f"{notebook} is not a valid notebook ({error}); open it in JupyterLab and save it."
        ) from error
    for cell in node.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            cell.metadata.pop("execution", None)
    return (nbformat.writes(node) + "\n").encode("utf-8")
