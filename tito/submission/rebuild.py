"""A submission, rebuilt on the release.

Whatever happened to the notebook on its way (cells copied, moved, deleted, unlocked, retyped, saved
with another nbgrader), what is graded is the release's cells in the release's order, with the
student's sources in the solution cells and the student's own cells between them.
"""

from __future__ import annotations

import ast
import copy
import itertools
import re
import warnings
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from tito.course.cells import (
    SourceCell,
    add_flag,
    grade_id,
    is_autograded,
    is_fixed,
    is_grade,
    is_solution,
    keep_shown,
    mark_answered_beside,
    nbgrader_metadata,
    new_cell,
    take_shown,
)
from tito.submission import recognize
from tito.submission.recognize import Recognized, definitions, named_cells, texts_of

_SCHEMA = 3
#: Cells beside an answer, and characters of one, that are parsed to see whether they are code.
_MAX_PARSED_CELLS, _MAX_PARSED_LENGTH = 50, 10_000
#: A text in code of so many words may be an answer.
_SENTENCE = 8
_MAGIC = re.compile(r"^[ \t]*[%!?].*$", re.MULTILINE)
#: So many cells that have lost their metadata are named.
_SHOWN = 3


@dataclass
class _Work:
    """What a student handed in, sorted by the release that this student had."""

    had: Mapping[str, NotebookNode]
    #: What is the course's, and no student's: of this release and of the one that they had.
    texts: frozenset[str]
    recognized: Recognized
    handed_in: dict[str, list[NotebookNode]] = field(default_factory=dict)
    #: The student's own cells, by the named cell that they follow.
    own: dict[str | None, list[NotebookNode]] = field(default_factory=dict)
    #: Code that the student's release gave and this one does not, by the named cell before it.
    given: dict[str | None, list[NotebookNode]] = field(default_factory=dict)

    def written(self, name: str) -> list[NotebookNode]:
        """Return the cells of a name that were not left as they were."""
        stub = self.had.get(name)
        cells = self.handed_in.get(name, [])
        return [cell for cell in cells if stub is None or not _same_text(stub, cell)]


def rebuild_on(
    release: NotebookNode, submitted: NotebookNode, earlier: Sequence[NotebookNode] = ()
) -> NotebookNode:
    """Put a student's work into a copy of the release.

    Parameters
    ----------
    release : NotebookNode
        The notebook as it is released now.
    submitted : NotebookNode
        The notebook as it came back, read by :func:`~tito.submission.intake.parse`.
    earlier : sequence of NotebookNode
        Releases before this one; the student is held to the one that fits the submission best.

    Returns
    -------
    NotebookNode
        Every named cell of the release, in its order; solution cells with the student's
        source. A second copy of a solution cell follows the first, so that, as in the student's
        notebook, what runs last counts. Cells the release does not name are the student's own
        and stay behind the named cell that they followed; so does code that an earlier release
        gave and this one does not. No outputs.
    """
    named = named_cells(release)
    had = _fitting([release, *earlier], submitted)
    submitted = NotebookNode(cells=list(_apart_from_tests(submitted, had)))
    work = _sort(release, had, submitted)
    result = new_notebook(metadata=copy.deepcopy(release.metadata))
    result.cells = list(_assemble(named, work))
    flags = [*_flags(work, submitted), *_answers_beside(result, work)]
    for flag in flags:
        add_flag(result, flag)
    return result


def restore(nb: NotebookNode, cells: Mapping[str, SourceCell]) -> None:
    """Give a rebuilt notebook what the gradebook holds and the release lacks.

    Hidden tests, rubrics and points: nbgrader's OverwriteCells, behind :func:`rebuild_on`, so that
    no student is to blame for a difference.
    """
    for cell in nb.cells:
        held = cells.get(grade_id(cell) or "")
        if held is None:
            continue
        ours = cell.metadata.nbgrader
        ours.update(locked=held.locked, checksum=held.checksum)
        # Where they are equal they stay as written: a mark by hand is known by them.
        if is_grade(cell) and held.max_score not in (None, ours.points):
            ours.points = held.max_score
        if held.locked:
            cell.source = held.source


def _fitting(releases: Sequence[NotebookNode], submitted: NotebookNode) -> NotebookNode:
    """Return the release that a student had: most of whose locked texts and names are there."""
    if len(releases) == 1:
        return releases[0]
    texts = {cell.source.strip() for cell in submitted.cells}
    names = set(named_cells(submitted))

    def misfit(release: NotebookNode) -> int:
        fixed = [cell.source.strip() for cell in release.cells if is_fixed(cell)]
        unknown = names - named_cells(release).keys()
        return len(fixed) - 2 * sum(text in texts for text in fixed) + 2 * len(unknown)

    return min(releases, key=misfit)


def _apart_from_tests(submitted: NotebookNode, had: NotebookNode) -> Iterator[NotebookNode]:
    """Take tests out of solutions that they were merged with: they run in their own places."""
    tests = [cell.source.strip() for cell in had.cells if is_autograded(cell)]
    for cell in submitted.cells:
        source = cell.source
        for test in tests:
            if cell.cell_type == "code" and test in source and source.strip() != test:
                source = source.replace(test, "")
        rest = NotebookNode({**cell, "source": source})
        yield rest if source != cell.source and definitions(rest) else cell


def _sort(release: NotebookNode, had: NotebookNode, submitted: NotebookNode) -> _Work:
    """Recognize the cells of a submission, and sort them."""
    named, theirs, texts = named_cells(release), named_cells(had), texts_of(had)
    # What was released later can be in it only with its name.
    later = {name: cell for name, cell in named.items() if name not in theirs}
    recognized = recognize.recognize({**theirs, **later}, submitted.cells, texts)
    work = _Work(theirs, texts | texts_of(release), recognized)
    anchor: str | None = None
    for name, cell in zip(work.recognized.names, submitted.cells, strict=True):
        if name in named:
            if name not in work.handed_in:
                anchor = name
            work.handed_in.setdefault(name, []).append(cell)
            if _is_answered_in(named[name], cell, work.texts):
                work.own.setdefault(anchor, []).append(cell)
        elif name is None or not is_fixed(theirs[name]):
            work.own.setdefault(anchor, []).append(cell)
        else:  # the course's own, which is not taken from here
            work.handed_in.setdefault(name, []).append(cell)
    _keep_given(named, work)
    return work


def _keep_given(named: Mapping[str, NotebookNode], work: _Work) -> None:
    """Keep the code that a student's release gave and this one does not: theirs may use it.

    It comes behind the cell that it followed when it was released. Texts and graded cells that are
    no longer released are dropped.
    """
    anchor: str | None = None
    for name, cell in work.had.items():
        if name in named:
            anchor = name
        elif cell.cell_type == "code" and is_fixed(cell) and not is_autograded(cell):
            work.given.setdefault(anchor, []).append(cell)


def _assemble(named: Mapping[str, NotebookNode], work: _Work) -> Iterator[NotebookNode]:
    """Give the cells of the rebuilt notebook, each with an id of its own."""
    taken = {f"release-{number}" for number in range(len(named))}
    taken |= {cell["id"] for cell in named.values() if "id" in cell}
    fresh = (new for new in map("own-{}".format, itertools.count()) if new not in taken)
    early = _early(named, {*work.handed_in, *work.recognized.merged})
    waiting = [*work.given.get(None, []), *work.own.get(None, [])]
    for number, (name, original) in enumerate(named.items()):
        if name not in early:
            yield from (_own_cell(cell, next(fresh)) for cell in waiting)
            waiting = []
        written = work.written(name)
        source = written[0] if written else work.recognized.merged.get(name)
        yield _named_cell(original, source, f"release-{number}")
        yield from (_own_cell(cell, next(fresh)) for cell in work.given.get(name, []))
        if work.handed_in.get(name):
            copies = [] if is_fixed(original) else written[1:]
            waiting = [*copies, *work.own.get(name, [])]
    yield from (_own_cell(cell, next(fresh)) for cell in waiting)


def _early(named: Mapping[str, NotebookNode], handed_in: Collection[str]) -> set[str]:
    """Return the missing cells that come before the student's own cells of the same place."""
    # These end with the stub of a solution that was deleted: who wrote it into a cell of their
    # own, or lost its metadata, must not have it replaced by the stub.
    early, hold = set(), False
    for name, cell in reversed(list(named.items())):
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
    """Return a student's own cell: type, text, what it shows and pictures, no metadata."""
    own = new_cell(cell.cell_type, cell.source, cell_id)
    keep_shown(own, take_shown(cell))
    if cell.cell_type != "code" and "attachments" in cell:
        own.attachments = cell.attachments
    return own


def _same_text(one: NotebookNode, other: NotebookNode) -> bool:
    return one.source.strip() == other.source.strip()


def _flags(work: _Work, submitted: NotebookNode) -> Iterator[str]:
    """Say what was repaired."""
    if names := work.recognized.by_content:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        yield f"recognized without nbgrader's metadata: {', '.join(names[:_SHOWN])}{more}"
    present = {
        name: cell for name, cell in zip(work.recognized.names, submitted.cells, strict=True)
    }
    for name, original in work.had.items():
        fixed = is_fixed(original)
        kind = "locked cell" if fixed else "solution cell"
        cells = work.handed_in.get(name, [])
        if name in work.recognized.merged:
            yield f"solution written into another cell: {name}"
        elif name not in present:
            yield f"{kind} deleted: {name}"
        if not cells:
            continue
        if len(cells) > 1:
            yield f"{kind} duplicated: {name}"
        if cells[0].cell_type != original.cell_type:
            yield f"{kind} changed to {cells[0].cell_type}: {name}"
        if fixed and not _same_text(original, cells[0]):
            yield f"{kind} edited: {name}"
    for name in _moved(list(work.had), [name for name in work.handed_in if name in work.had]):
        yield f"cell moved: {name}"
    yield from _odd_metadata(work, submitted)


def _odd_metadata(work: _Work, submitted: NotebookNode) -> Iterator[str]:
    """Say what nbgrader's metadata of a submission have that the release's have not."""
    for name, cell in zip(work.recognized.names, submitted.cells, strict=True):
        unknown = grade_id(cell)
        if unknown and name is None:
            yield f"unknown cell, kept as the student's own: {unknown[:80]}"
    versions = {
        str(nbgrader_metadata(cell).get("schema_version", "none"))[:20]
        for name, cell in zip(work.recognized.names, submitted.cells, strict=True)
        if name and grade_id(cell)
    }
    for version in sorted(versions - {str(_SCHEMA)}):
        yield f"nbgrader schema {version} instead of {_SCHEMA}"


def _answers_beside(rebuilt: NotebookNode, work: _Work) -> Iterator[str]:
    """Let written answers wait for a person where text of the student's stands beside them."""
    # An answer cell that was left empty gets 0 unseen, and students write below it, above, into
    # the question, or all answers below the last one. Where it is gone, the answer is anywhere.
    before, answers, beside_answers = None, {}, set()
    for cell in rebuilt.cells:
        name = grade_id(cell)
        if not name:
            continue
        if cell.cell_type != "code" and is_solution(cell) and is_grade(cell):
            answers[name] = cell
            beside = [*work.own.get(name, []), *work.own.get(before, [])]
            if name in work.had and name not in work.handed_in:
                everywhere = itertools.chain(*work.own.values())
                beside += [own for own in everywhere if own.cell_type != "code"]
            if _holds_words(beside, work.texts):
                beside_answers.add(name)
        before = name if cell.cell_type != "code" else ""
    for name, cell in answers.items():
        if name in beside_answers or (beside_answers and not work.written(name)):
            mark_answered_beside(cell)
            yield f"text of the student's own beside an answer, to be looked at: {name}"


def _is_answered_in(original: NotebookNode, cell: NotebookNode, texts: frozenset[str]) -> bool:
    """Whether a student wrote into a text of the course, so that it is no longer the course's."""
    locked = is_fixed(original) and original.cell_type != "code"
    return locked and cell.source.strip() not in texts


def _holds_words(cells: Sequence[NotebookNode], texts: frozenset[str]) -> bool:
    """Whether cells hold words of the student's own; where they are very many, a person looks."""
    own = [cell for cell in cells if cell.source.strip() and cell.source.strip() not in texts]
    return len(own) > _MAX_PARSED_CELLS or any(map(_is_text, own))


def _is_text(cell: NotebookNode) -> bool:
    """Whether a cell holds words, which may stand in a code cell too, and not code alone."""
    if cell.cell_type != "code" or len(cell.source) > _MAX_PARSED_LENGTH:
        return True
    source = _MAGIC.sub("", cell.source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            statements = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    if any(len(text.split()) >= _SENTENCE for text in _texts_in(statements)):
        return True
    silent = (
        isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) for one in statements
    )
    return bool(source.strip()) and all(silent)


def _texts_in(statements: Sequence[ast.stmt]) -> Iterator[str]:
    for node in itertools.chain(*map(ast.walk, statements)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _moved(order: list[str], present: list[str]) -> list[str]:
    """Return the fewest cells that must be moved to bring `present` back into `order`."""
    rank = {name: number for number, name in enumerate(order)}
    tails: list[int] = []
    lengths = []
    for name in present:
        length = bisect_left(tails, rank[name])
        tails[length : length + 1] = [rank[name]]
        lengths.append(length)
    stay, wanted = set(), len(tails) - 1
    for name, length in zip(reversed(present), reversed(lengths), strict=True):
        if length == wanted:
            stay.add(name)
            wanted -= 1
    return [name for name in present if name not in stay]
