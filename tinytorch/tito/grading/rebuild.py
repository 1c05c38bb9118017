"""A submission, rebuilt on the release.

Whatever happened to the notebook on its way (cells copied, moved, deleted, unlocked, retyped, saved
with another nbgrader), what is graded is the release's cells in the release's order, with the
student's sources in the solution cells and the student's own cells between them.
"""

from __future__ import annotations

import copy
import itertools
from bisect import bisect_left
from collections.abc import Collection, Iterator
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_notebook
from nbgrader.preprocessors import NbGraderPreprocessor

from tinytorch.tito.grading.cells import add_flag, grade_id, is_fixed, nbgrader_metadata, new_cell

_SCHEMA = 3


class Rebuild(NbGraderPreprocessor):
    """Replace a submitted notebook by the release with the student's work in it.

    :class:`~tinytorch.tito.grading.exporter.SubmissionExporter` puts the release, and what was
    noted while reading the submission, into the resources.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Rebuild one notebook; what was noticed is in ``nb.metadata.tinytorch.flags``."""
        ours = resources.get("tinytorch")
        if not ours:  # resources give "" for what they do not have
            raise ValueError(
                "Rebuild needs the release; set c.Autograde.exporter_class to "
                "tinytorch.tito.grading.exporter.SubmissionExporter"
            )
        rebuilt = rebuild(ours["release"], nb)
        noticed = rebuilt.metadata.pop("tinytorch", {}).get("flags", [])
        for flag in (*ours["flags"], *noticed):
            add_flag(rebuilt, flag)
        return rebuilt, resources


def rebuild(release: NotebookNode, submitted: NotebookNode) -> NotebookNode:
    """Put a student's work into a copy of the release.

    Parameters
    ----------
    release : NotebookNode
        The notebook as students received it.
    submitted : NotebookNode
        The notebook as it came back, read by :func:`~tinytorch.tito.grading.intake.parse`.

    Returns
    -------
    NotebookNode
        Every named cell of the release, in its order; solution cells with the student's
        source. A second copy of a solution cell follows the first, so that, as in the student's
        notebook, what runs last counts. Cells the release does not name are the student's own
        and stay behind the named cell that they followed. No outputs.
    """
    named = {name: cell for cell in release.cells if (name := grade_id(cell))}
    handed_in: dict[str, list[NotebookNode]] = {}
    own: dict[str | None, list[NotebookNode]] = {}
    anchor: str | None = None
    for cell in submitted.cells:
        name = grade_id(cell)
        if name and name in named:
            if name not in handed_in:
                anchor = name
            handed_in.setdefault(name, []).append(cell)
        else:
            own.setdefault(anchor, []).append(cell)
    result = new_notebook(metadata=copy.deepcopy(release.metadata))
    result.cells = list(_assemble(named, handed_in, own))
    for flag in _flags(named, handed_in, submitted):
        add_flag(result, flag)
    return result


def _assemble(
    named: dict[str, NotebookNode],
    handed_in: dict[str, list[NotebookNode]],
    own: dict[str | None, list[NotebookNode]],
) -> Iterator[NotebookNode]:
    """Give the cells of the rebuilt notebook, each with an id of its own."""
    taken = {f"release-{number}" for number in range(len(named))}
    taken |= {cell["id"] for cell in named.values() if "id" in cell}
    fresh = (new for new in map("own-{}".format, itertools.count()) if new not in taken)
    early = _early(named, handed_in)
    waiting = own.get(None, [])
    for number, (name, original) in enumerate(named.items()):
        if name not in early:
            yield from (_own_cell(cell, next(fresh)) for cell in waiting)
            waiting = []
        found = handed_in.get(name, [])
        yield _named_cell(original, found[0] if found else None, f"release-{number}")
        if found:
            copies = [] if is_fixed(original) else found[1:]
            waiting = [*copies, *own.get(name, [])]
    yield from (_own_cell(cell, next(fresh)) for cell in waiting)


def _early(named: dict[str, NotebookNode], handed_in: Collection[str]) -> set[str]:
    """Return the missing cells that come before the student's own cells of the same place.

    These end with the stub of a solution that was deleted: who wrote it into a cell of their
    own, or lost its metadata, must not have it replaced by the stub.
    """
    early, hold = set(), False
    for name, cell in reversed(named.items()):
        if name in handed_in:
            hold = False
        elif hold or (cell.cell_type == "code" and not is_fixed(cell)):
            hold = True
            early.add(name)
    return early


def _named_cell(
    original: NotebookNode, handed_in: NotebookNode | None, fallback_id: str
) -> NotebookNode:
    """Return a cell of the release, with the student's source where that is theirs to write."""
    cell = copy.deepcopy(original)
    cell.setdefault("id", fallback_id)
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
    # An answer that differs by blank lines only is untouched: nbgrader compares checksums.
    if handed_in is None or is_fixed(original) or _same_text(original, handed_in):
        return cell
    cell.source = handed_in.source
    if cell.cell_type != "code" and "attachments" in handed_in:
        cell.attachments = handed_in.attachments
    return cell


def _own_cell(cell: NotebookNode, cell_id: str) -> NotebookNode:
    """Return a student's own cell: type, text and pictures, no metadata."""
    made = new_cell(cell.cell_type, cell.source, cell_id)
    if cell.cell_type != "code" and "attachments" in cell:
        made.attachments = cell.attachments
    return made


def _same_text(one: NotebookNode, other: NotebookNode) -> bool:
    return one.source.strip() == other.source.strip()


def _flags(
    named: dict[str, NotebookNode],
    handed_in: dict[str, list[NotebookNode]],
    submitted: NotebookNode,
) -> Iterator[str]:
    """Say what was mended."""
    for name, original in named.items():
        fixed = is_fixed(original)
        kind = "locked cell" if fixed else "solution cell"
        cells = handed_in.get(name, [])
        if not cells:
            yield f"{kind} deleted: {name}"
            continue
        if len(cells) > 1:
            yield f"{kind} duplicated: {name}"
        if cells[0].cell_type != original.cell_type:
            yield f"{kind} changed to {cells[0].cell_type}: {name}"
        if fixed and not _same_text(original, cells[0]):
            yield f"{kind} edited: {name}"
    for name in _moved(list(named), list(handed_in)):
        yield f"cell moved: {name}"
    for cell in submitted.cells:
        unknown = grade_id(cell)
        if unknown and unknown not in named:
            yield f"unknown cell, kept as the student's own: {unknown[:80]}"
    versions = {
        str(nbgrader_metadata(cell).get("schema_version", "none"))[:20]
        for cells in handed_in.values()
        for cell in cells
    }
    for version in sorted(versions - {str(_SCHEMA)}):
        yield f"nbgrader schema {version} instead of {_SCHEMA}"


def _moved(order: list[str], found: list[str]) -> list[str]:
    """Return the fewest cells that must be moved to bring `found` back into `order`."""
    rank = {name: number for number, name in enumerate(order)}
    tails: list[int] = []
    lengths = []
    for name in found:
        length = bisect_left(tails, rank[name])
        tails[length : length + 1] = [rank[name]]
        lengths.append(length)
    stay, wanted = set(), len(tails) - 1
    for name, length in zip(reversed(found), reversed(lengths), strict=True):
        if length == wanted:
            stay.add(name)
            wanted -= 1
    return [name for name in found if name not in stay]
