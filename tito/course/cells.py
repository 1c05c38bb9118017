"""What cells and notebooks say of themselves, whatever an editor left in their metadata."""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from tito.student.notebook import named_modules

#: Kinds of cells, by nbformat's names.
KINDS = ("code", "markdown", "raw")


def new_cell(kind: str, source: str, cell_id: str) -> NotebookNode:
    """Make a cell as nbformat makes it, without holding each against the schema.

    For a class that would be a third of all the work before its code runs.
    """
    cell = NotebookNode(id=cell_id, cell_type=kind, metadata=NotebookNode(), source=source)
    if kind == "code":
        cell.update(execution_count=None, outputs=[])
    return cell


def nbgrader_metadata(cell: dict[str, Any]) -> dict[str, Any]:
    """Return a cell's nbgrader metadata; empty where there is none or it is not a mapping."""
    metadata = cell.get("metadata")
    ours = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return ours if isinstance(ours, dict) else {}


def grade_id(cell: dict[str, Any]) -> str | None:
    """Return nbgrader's name of a cell, or None where it has no usable one."""
    name = nbgrader_metadata(cell).get("grade_id")
    return name if isinstance(name, str) and name else None


def is_grade(cell: dict[str, Any]) -> bool:
    """Whether a cell is worth points, by running it or as an answer."""
    return bool(nbgrader_metadata(cell).get("grade"))


def is_solution(cell: dict[str, Any]) -> bool:
    """Whether students write in a cell."""
    return bool(nbgrader_metadata(cell).get("solution"))


def is_task(cell: dict[str, Any]) -> bool:
    """Whether a cell is a question that is answered in any cells below it."""
    return bool(nbgrader_metadata(cell).get("task"))


def is_locked(cell: dict[str, Any]) -> bool:
    """Whether nbgrader puts back what a cell was."""
    if is_solution(cell):
        return False
    return is_grade(cell) or bool(nbgrader_metadata(cell).get("locked"))


def checksum_of(cell: dict[str, Any]) -> str:
    """Return nbgrader's digest of a named cell, which stands in its metadata."""
    ours = nbgrader_metadata(cell)
    kinds = (is_grade(cell), is_solution(cell), is_locked(cell))
    worth = str(float(ours["points"])) if is_grade(cell) else ""
    texts = (cell["source"], cell["cell_type"], *map(str, kinds), ours["grade_id"], worth)
    return hashlib.md5("".join(texts).encode(), usedforsecurity=False).hexdigest()


def is_fixed(cell: NotebookNode) -> bool:
    """Whether a cell of the release is the course's own, so that students may not change it."""
    if is_solution(cell):
        return False
    return bool(is_grade(cell) or is_locked(cell) or is_task(cell))


def is_autograded(cell: NotebookNode) -> bool:
    """Whether a cell's points come from running it."""
    return bool(cell.cell_type == "code" and is_grade(cell) and not is_solution(cell))


def name_of(nb: NotebookNode, index: int) -> str:
    """Name a cell for people: its grade_id, or where it stands."""
    if own := grade_id(nb.cells[index]):
        return own
    before = next((name for cell in nb.cells[index::-1] if (name := grade_id(cell))), None)
    return f"a cell after {before}" if before else "a cell at the beginning"


def keep_shown(cell: NotebookNode, outputs: Any) -> None:
    """Keep, whatever it is, what a student's file has as the outputs of a cell."""
    if isinstance(outputs, list) and outputs:
        cell.metadata.tinytorch = NotebookNode(shown=outputs)


def take_shown(cell: NotebookNode) -> list[Any]:
    """Take out what was kept of a cell's outputs."""
    if "shown" not in cell.metadata.get("tinytorch", {}):
        return []
    return cell.metadata.pop("tinytorch").shown


def mark_left_out(cell: NotebookNode) -> None:
    """Note in a cell of a graded notebook that it did not run, and shows what was handed in."""
    cell.metadata.tinytorch = NotebookNode(left_out=True)


def is_left_out(cell: NotebookNode) -> bool:
    """Whether a cell of a graded notebook did not run."""
    return bool(cell.metadata.get("tinytorch", {}).get("left_out"))


def mark_answered_beside(cell: NotebookNode) -> None:
    """Note in a cell of a rebuilt notebook that an answer may stand beside it."""
    cell.metadata.tinytorch = NotebookNode(answered_beside=True)


def is_answered_beside(cell: NotebookNode) -> bool:
    """Whether an answer may stand beside a cell, so that a person must look."""
    return bool(cell.metadata.get("tinytorch", {}).get("answered_beside"))


def questions(nb: NotebookNode) -> dict[str, str]:
    """Digest, by graded cell, what a mark by hand is given for: where that stays, the mark does.

    Returns
    -------
    dict of str to str
        Of a written answer: it, what stands around it (question, rubric, text beside it) and its
        points. Of a cell whose points come from running it: it, and all of the student's code.
    """
    code = [cell.source for cell in nb.cells if cell.cell_type == "code" and not is_fixed(cell)]
    digests, since = {}, 0
    named = [index for index, cell in enumerate(nb.cells) if grade_id(cell)]
    for index, after in itertools.pairwise([*named, len(nb.cells)]):
        cell = nb.cells[index]
        if is_grade(cell) or is_task(cell):
            around = nb.cells[since:after]
            texts = [[c.cell_type, c.source, c.get("attachments")] for c in around]
            answer = [cell.source, code] if is_autograded(cell) else texts
            question = json.dumps([nbgrader_metadata(cell).get("points"), answer], sort_keys=True)
            digests[grade_id(cell) or ""] = hashlib.sha256(question.encode()).hexdigest()
        if cell.cell_type == "code" or is_solution(cell) or is_task(cell):
            since = index + 1
    return digests


def answers_of(nb: NotebookNode) -> tuple[str, ...]:
    """Return the modules that a notebook of the course exports to: there the answers would be."""
    named = [named_modules(cell.source) for cell in nb.cells if cell.cell_type == "code"]
    return tuple(dict.fromkeys(itertools.chain(*named)))


def flags(nb: NotebookNode) -> list[str]:
    """Return what a person should know of a graded notebook, in the order it was noticed."""
    return list(nb.metadata.get("tinytorch", {}).get("flags", []))


def add_flag(nb: NotebookNode, text: str) -> None:
    """Note something that a person should know; the same thing once."""
    ours = nb.metadata.setdefault("tinytorch", NotebookNode())
    noted = ours.setdefault("flags", [])
    if text not in noted:
        noted.append(text)


@dataclass(frozen=True)
class SourceCell:
    """What the gradebook holds of a cell of an assignment; it is what is graded."""

    name: str
    cell_type: str
    #: Whether students may not change it.
    locked: bool
    source: str
    checksum: str
    #: What it is worth, if it is graded.
    max_score: float | None = None
