"""Make the file to hand in, after a look at whether it is whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tito.errors import TitoError
from tito.student.execute import collect, execute
from tito.student.needs import needed, only_defines
from tito.student.notebook import Assignment, Cell, as_graded, differences, read_cells, still_open
from tito.student.testing import CheckRunner, Result

#: The folder beside the notebook that gets the file.
FOLDER = "hand-in"


@dataclass(frozen=True)
class HandIn:
    """What is ready to be handed in."""

    path: Path  # the notebook without outputs
    digest: str  # its SHA-256, which grading notes as well
    warnings: tuple[str, ...]  # what a student should look at first
    result: Result


def submit(
    notebook: Path,
    assignment: Assignment,
    package: Path | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> HandIn:
    """Look at a notebook as grading will, and write the file to hand in.

    Nothing that is found keeps the file from being written: late and half done is better than
    not at all.

    Parameters
    ----------
    notebook, assignment, package
        As for :class:`~tito.student.testing.CheckRunner`.
    on_progress : callable, optional
        Called with what is being done.

    Raises
    ------
    TitoError
        If the notebook cannot be read.
    """
    notify = on_progress or (lambda what: None)
    cells = read_cells(notebook)
    notify("running the graded cells")
    result = CheckRunner(notebook, assignment, package).run()
    restored = _without_demonstrations(as_graded(cells, assignment.cells))
    stops = _stops(notebook, restored, package, notify)
    missing = list(_missing(result))
    failed = {failure.partition(",")[0] for failure in result.failures}
    failed |= {warning.partition(":")[0] for warning in missing}
    warnings = [
        *result.failures,
        *differences(cells, assignment.cells),
        *_open(cells, assignment.cells),
        *missing,
        *(f"running from top to bottom, {n}: {what}" for n, what in stops if n not in failed),
    ]
    notify("writing the file")
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


def _missing(result: Result) -> Iterator[str]:
    """Name what graded cells need and the notebook does not define."""
    for report in result.reports:
        for name in dict.fromkeys(part.missing for part in report.parts if part.missing):
            yield f"{report.grade_id}: {name} is not defined"


def _without_demonstrations(cells: list[Cell]) -> list[Cell]:
    """Leave out the code that only defines, draws or prints what no graded cell depends on."""
    graded = [number for number, cell in enumerate(cells) if cell.checks]
    kept = {i for number in graded for i, _ in needed(cells, number, main=True)}
    return [
        cell
        for number, cell in enumerate(cells)
        if cell.kind == "code" and (number in kept or not only_defines(cell.source))
    ]


def _stops(
    notebook: Path, cells: list[Cell], package: Path | None, notify: Callable[[str], None]
) -> Iterator[tuple[str, str]]:
    """Run cells in a kernel, from top to bottom; name those that raise, and what."""
    names = {f"run-{number}": cell.place for number, cell in enumerate(cells)}
    node = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(cell.source, id=f"run-{number}")
            for number, cell in enumerate(cells)
        ]
    )

    def notify_cell(cell: NotebookNode, cell_index: int) -> None:
        notify(f"running from top to bottom, {names[cell.id]} ({cell_index + 1} of {len(cells)})")

    try:
        execute(node, notebook.parent, package, notify_cell)
    except TitoError as error:
        yield "the notebook does not run to its end", str(error)
        return
    for failure in collect(node).failures:
        where, _, what = failure.partition(": ")
        yield names[where], what


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
