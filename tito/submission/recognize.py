"""Which cells of a submission are those of the release, also where nbgrader's metadata is gone.

Kaggle, Deepnote, converters and copies by hand keep a cell's text, and sometimes its id.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nbformat import NotebookNode

from tito.course.cells import grade_id, is_fixed, is_grade, is_solution, is_task

_DEFINITION = re.compile(r"^(?:async[ \t]+def|def|class)[ \t]+(\w+)", re.MULTILINE)
_ASSIGNMENT = re.compile(r"^(\w+)[ \t]*=(?!=)", re.MULTILINE)


@dataclass
class Recognized:
    """What was recognized in a submission."""

    #: By cell: which cell of the release it is; None for the student's own.
    names: list[str | None]
    #: The cells that were recognized without nbgrader's name for them.
    by_content: list[str] = field(default_factory=list)
    #: Solutions that stand in a cell of another name, and that cell.
    merged: dict[str, NotebookNode] = field(default_factory=dict)


def named_cells(release: NotebookNode) -> dict[str, NotebookNode]:
    """Return the cells of a release that have a name, in its order."""
    return {name: cell for cell in release.cells if (name := grade_id(cell))}


def is_of(release: NotebookNode, submitted: NotebookNode) -> bool:
    """Whether a notebook holds anything of a release that is graded or to be written, if any is."""
    named = named_cells(release)
    ours = {name for name, cell in named.items() if not _is_given(cell)}
    if not ours or any(grade_id(cell) in ours for cell in submitted.cells):
        return True
    return not ours.isdisjoint(recognize(named, submitted.cells, texts_of(release)).names)


def texts_of(release: NotebookNode) -> frozenset[str]:
    """Return the texts of a release, which are not the student's own."""
    return frozenset(cell.source.strip() for cell in release.cells)


def recognize(
    named: Mapping[str, NotebookNode], cells: Sequence[NotebookNode], texts: frozenset[str]
) -> Recognized:
    """Recognize cells by metadata, else by text, else by id, else by what is in them.

    A name or an id that stands on a cell with another one's content does not count.

    `named` and `texts` are of the release; `cells` are those of the submission.
    """
    search = _Search(named, cells, texts)
    for step in (search.by_text, search.by_id, search.by_definitions, search.by_place):
        if search.missing():
            step()
    return search.result


class _Search:
    """One look through a submission; each step takes what the ones before have left."""

    def __init__(
        self,
        named: Mapping[str, NotebookNode],
        cells: Sequence[NotebookNode],
        texts: frozenset[str],
    ) -> None:
        self._named, self._cells, self._texts = named, cells, texts
        self._wanted = _wanted_of_each(named)
        self._defined = [definitions(cell) | _assignments(cell) for cell in cells]
        given = [grade_id(cell) for cell in cells]
        self.result = Recognized([name if name in named else None for name in given])
        self._drop_swapped_names()

    def missing(self) -> list[str]:
        """Return the cells of the release that were not found yet."""
        return [name for name in self._named if name not in self.result.names]

    def _free(self) -> list[int]:
        return [index for index, name in enumerate(self.result.names) if name is None]

    def _take(self, name: str, index: int) -> None:
        self.result.names[index] = name
        if name not in self.result.by_content:
            self.result.by_content.append(name)

    def _drop_swapped_names(self) -> None:
        """Forget the name of a cell with another one's solution, which is nowhere else."""
        names = self.result.names
        with_own_definition = {
            name
            for name, defined in zip(names, self._defined, strict=True)
            if name and self._wanted[name] & defined
        }
        self.result.names = [
            None if name and (self._is_of_others(name, index) - with_own_definition) else name
            for index, name in enumerate(names)
        ]

    def _is_of_others(self, name: str, index: int) -> set[str]:
        """Return the other solutions that a cell holds, where it has nothing of its own name."""
        defined = self._defined[index]
        if is_fixed(self._named[name]) or self._wanted[name] & defined:
            return set()
        return {
            other
            for other, wanted in self._wanted.items()
            if wanted and wanted <= defined and not is_fixed(self._named[other])
        }

    def _fits(self, name: str, index: int) -> bool:
        """Whether nothing in a cell says that it is another one than its id does."""
        cell, original = self._cells[index], self._named[name]
        is_another_text = cell.source.strip() in self._texts - {original.source.strip()}
        holds = {other for other, wanted in self._wanted.items() if wanted & self._defined[index]}
        is_another = bool(holds) and name not in holds
        return cell.cell_type == original.cell_type and not is_another_text and not is_another

    def by_id(self) -> None:
        """Take cells that kept their id."""
        by_id: dict[str, list[int]] = {}
        for index in self._free():
            by_id.setdefault(self._cells[index].get("id", ""), []).append(index)
        for name in self.missing():
            places = by_id.get(self._named[name].get("id", ""), [])
            if len(places) == 1 and self._fits(name, places[0]):
                self._take(name, places[0])

    def by_text(self) -> None:
        """Take cells with the text of a locked one, which no student need have changed."""
        by_text: dict[str, list[int]] = {}
        for index in self._free():
            by_text.setdefault(self._cells[index].source.strip(), []).append(index)
        for name in self.missing():
            text = self._named[name].source.strip()
            if text and is_fixed(self._named[name]) and by_text.get(text):
                self._take(name, by_text[text].pop(0))

    def by_definitions(self) -> None:
        """Take cells that define what a cell of the release defines, and no other one does."""
        defined = self._defined
        for name in self.missing():
            wanted = self._wanted[name]
            if not wanted:
                continue
            if is_fixed(self._named[name]):  # what is taken for it is replaced: all must be there
                places = [index for index in self._free() if wanted <= defined[index]][:1]
            else:
                places = [index for index in self._free() if wanted & defined[index]]
            for index in places:
                self._take(name, index)
            if not places and not is_fixed(self._named[name]):
                self._look_in_named_cells(name)

    def _look_in_named_cells(self, name: str) -> None:
        """Look for a solution that was merged into another cell, be it a locked one."""
        for index, other in enumerate(self.result.names):
            if other and self._wanted[name] <= self._defined[index]:
                self.result.merged[name] = self._cells[index]

    def by_place(self) -> None:
        """Take the text behind the cell before a written answer for that answer."""
        before = None
        for name, cell in self._named.items():
            answer = is_solution(cell) and cell.cell_type != "code"
            if answer and name not in self.result.names and before and before in self.result.names:
                last = len(self.result.names) - 1 - self.result.names[::-1].index(before)
                self._take_text_after(last, name)
            before = name

    def _take_text_after(self, place: int, name: str) -> None:
        stub = self._named[name].source.strip()
        for index in range(place + 1, len(self._cells)):
            if self.result.names[index] is not None:
                return
            text = self._cells[index].source.strip()
            own = text == stub or text not in self._texts
            if text and own and self._cells[index].cell_type != "code":
                self._take(name, index)
                return


def definitions(cell: NotebookNode) -> set[str]:
    """Return the functions and classes of a code cell, also of one that does not parse."""
    return set(_DEFINITION.findall(cell.source)) if cell.cell_type == "code" else set()


def _assignments(cell: NotebookNode) -> set[str]:
    return set(_ASSIGNMENT.findall(cell.source)) if cell.cell_type == "code" else set()


def _wanted_of_each(named: Mapping[str, NotebookNode]) -> dict[str, set[str]]:
    """Return what each cell of a release defines, and no other one does."""
    defined = {name: _wanted(cell) for name, cell in named.items()}
    times = Counter(itertools.chain(*defined.values()))
    return {name: {one for one in wanted if times[one] == 1} for name, wanted in defined.items()}


def _wanted(cell: NotebookNode) -> set[str]:
    """Return by which names a cell of the release is recognized."""
    # A student's own cell may well assign what a locked one does, and must not be taken for it.
    return definitions(cell) or (set() if is_fixed(cell) else _assignments(cell))


def _is_given(cell: NotebookNode) -> bool:
    """Whether a cell is only read: neither graded nor to be written."""
    return not (is_grade(cell) or is_solution(cell) or is_task(cell))
