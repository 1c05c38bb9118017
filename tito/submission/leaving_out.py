"""Which demonstrations of a submission need not run, since no mark can depend on them.

A chapter's demonstrations take nearly all of the time that its cells take. One is left out where
the student has not changed it, nothing that runs reads a name that it binds, it changes nothing
else, and the student's code keeps nothing from one call to the next. Nothing is run to find out;
in doubt all cells run. :mod:`tito.autograde.audit` tries on some of a class whether it is true.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import lru_cache

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from tito.course.cells import grade_id, is_autograded, is_fixed
from tito.student.scopes import is_main, scope_of
from tito.submission.search import traces_of
from tito.submission.syntax import DEFINITIONS, changed_by
from tito.submission.traces import Traces

#: So much of a student's code is looked through; the chapter's solutions have a tenth of it.
_MAX_LENGTH = 300_000
_SIMPLE = (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom)
#: What IPython understands, and changes nothing but where figures are shown.
_FIGURES = re.compile(r"^%matplotlib inline[ \t]*$", re.MULTILINE)


class Kind(Enum):
    """Whose a cell of a rebuilt notebook is."""

    GRADED = "graded"  # what runs in its place asks for names of the student's
    GIVEN = "given"  # locked
    DEMONSTRATION = "demonstration"  # as it was released; it runs where it may matter
    STUDENT = "student"  # a solution, or a cell of their own


@dataclass(frozen=True)
class LeftOut:
    """Which cells need not run.

    Attributes
    ----------
    cells : frozenset of int
        Their places in the notebook.
    reason : str
        Where none is left out: why.
    """

    cells: frozenset[int] = frozenset()
    reason: str = ""


@dataclass(frozen=True)
class _Facts:
    """What is known of a cell's source without running it."""

    binds: frozenset[str] = frozenset()
    #: Read while it runs, and not bound by itself before.
    at_once: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()
    traces: Traces = field(default_factory=Traces)

    @property
    def read(self) -> frozenset[str]:
        return self.at_once | self.later


def leave_out(nb: NotebookNode, demonstrations: Collection[str], asked: Collection[str]) -> LeftOut:
    """Decide which cells of a rebuilt notebook need not run.

    Parameters
    ----------
    nb : NotebookNode
        By :func:`tito.submission.rebuild.rebuild_on`.
    demonstrations : collection of str
        What the releases give besides named cells, without blank lines around.
    asked : collection of str
        The names that graded cells ask for.
    """
    cells = [(i, cell) for i, cell in enumerate(nb.cells) if cell.cell_type == "code"]
    kinds = {i: _kind(cell, demonstrations) for i, cell in cells}
    theirs = sum(len(cell.source) for i, cell in cells if kinds[i] is Kind.STUDENT)
    if theirs > _MAX_LENGTH:
        return LeftOut(reason=f"there is more code than {_MAX_LENGTH} characters")
    facts = {
        i: facts_of(cell.source) if kinds[i] is Kind.STUDENT else _facts_of_ours(cell.source)
        for i, cell in cells
        if kinds[i] is not Kind.GRADED
    }
    if any(one.traces.seeds for one in facts.values()):
        facts = {i: replace(one, traces=one.traces.where_seeded()) for i, one in facts.items()}
    kinds = {i: kinds[i] for i in facts}
    if reason := _reason(nb, kinds, facts, frozenset(asked)):
        return LeftOut(reason=reason)
    running = _running(kinds, facts, frozenset(asked))
    for i in sorted(running):
        if kinds[i] is Kind.DEMONSTRATION and (opaque := facts[i].traces.opaque):
            return LeftOut(reason=f"a demonstration that runs uses {opaque[0]}")
    return LeftOut(frozenset(facts.keys() - running))


def _kind(cell: NotebookNode, demonstrations: Collection[str]) -> Kind:
    if is_autograded(cell):
        return Kind.GRADED
    if grade_id(cell):
        return Kind.GIVEN if is_fixed(cell) else Kind.STUDENT
    is_released = cell.source.strip() in demonstrations
    return Kind.DEMONSTRATION if is_released else Kind.STUDENT


def _reason(
    nb: NotebookNode,
    kinds: dict[int, Kind],
    facts: dict[int, _Facts],
    asked: frozenset[str],
) -> str:
    """Say why the student's code does not let anything be left out; "" where it does."""
    theirs = {i: facts[i] for i, kind in kinds.items() if kind is Kind.STUDENT}
    held = asked.union(*(one.later | one.traces.kept_in for one in theirs.values()))
    everything = [one.traces for one in facts.values()]
    made = frozenset().union(*(one.objects for one in everything))
    if objects := sorted(made & held):
        return f"the student's functions keep or use an object: {objects[0]}"
    made -= frozenset().union(*(one.aliases for one in everything))
    for i, one in theirs.items():
        name = grade_id(nb.cells[i]) or "a cell of the student's own"
        if one.traces.opaque:
            return f"{name} uses {one.traces.opaque[0]}"
        given = [where for root, where in one.traces.given if root not in made]
        if lasting := one.traces.lasting + given:
            return f"{name} keeps what calls leave behind: {lasting[0]}"
    return ""


def _running(kinds: dict[int, Kind], facts: dict[int, _Facts], asked: frozenset[str]) -> set[int]:
    """Return the cells that must run, as what they need becomes known."""
    running = {i for i, kind in kinds.items() if kind is not Kind.DEMONSTRATION}
    # Whatever uses a cell that leaves traces leaves them too.
    tainted = {
        name
        for i, one in facts.items()
        if kinds[i] is not Kind.STUDENT and one.traces.lasting
        for name in one.binds
    }
    while True:
        later = asked.union(*(facts[i].later for i in running))
        read = later.union(*(facts[i].at_once for i in running))
        objects = frozenset().union(*(facts[i].traces.objects for i in running))
        if not objects & read:  # where one of them is, it may be another under a second name
            objects = frozenset()
        more, behind = set[int](), set(later)
        for i in sorted(facts, reverse=True):
            one = facts[i]
            if i in running:
                behind |= one.at_once
            elif (
                one.traces.changes
                or one.traces.opaque
                or one.read & (tainted | objects)
                or one.binds & behind
            ):
                more.add(i)
                tainted |= one.binds if one.read & tainted else set()
        if not more:
            return running
        running |= more


@lru_cache(maxsize=1000)
def _facts_of_ours(source: str) -> _Facts:
    """Return what is known of a cell of the course's, which is looked at once for a class."""
    return facts_of(source)


def facts_of(source: str) -> _Facts:
    """Return what is known of a cell."""
    source = _FIGURES.sub("", source)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _facts_of_other(source)
    try:
        scope, traces = scope_of(source), traces_of(tree)
        _empty_functions(tree)  # what is left runs at once
        at_once = frozenset(_read_first(tree.body, set()))
        read = scope.at_once.union(changed_by(tree))
        return _Facts(scope.bound, at_once & read, scope.later, traces)
    except (SyntaxError, ValueError, RecursionError) as error:
        return _Facts(traces=Traces(opaque=[f"what cannot be looked through ({error})"]))


def _empty_functions(node: ast.AST) -> None:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        node.body = [ast.Pass()]
    elif isinstance(node, ast.Lambda):
        node.body = ast.Constant(None)
    for inner in ast.iter_child_nodes(node):
        _empty_functions(inner)


def _read_first(body: Sequence[ast.stmt], done: set[str]) -> Iterator[str]:
    """Give the names that statements may read before they themselves have bound them.

    What is certainly bound behind them is added to those that are `done` before.
    """
    for statement in body:
        match statement:
            case ast.If(test=test, body=then, orelse=orelse):
                yield from _read_at_once(test, done)
                branches = [then] if is_main(statement) and not orelse else [then, orelse]
                ends = [set(done) for _ in branches]
                for branch, end in zip(branches, ends, strict=True):
                    yield from _read_first(branch, end)
                done |= set.intersection(*ends)
            case ast.For(target=target, iter=each, body=inner, orelse=orelse):
                yield from _read_at_once(each, done)
                yield from _read_first(inner, done | scope_of(ast.unparse(target)).at_once)
                yield from _read_first(orelse, set(done))
            case ast.With(items=items, body=inner):
                for item in items:
                    yield from _read_at_once(item.context_expr, done)
                    if item.optional_vars:
                        done |= scope_of(ast.unparse(item.optional_vars)).at_once
                yield from _read_first(inner, set(done))  # an error in it may be suppressed
            case _:
                scope = scope_of(ast.unparse(statement))
                yield from scope.at_once.union(changed_by(statement)) - done
                if isinstance(statement, DEFINITIONS):
                    done.add(statement.name)
                elif isinstance(statement, ast.AnnAssign) and statement.value is None:
                    pass  # an annotation alone binds nothing
                elif isinstance(statement, _SIMPLE):
                    done |= scope.bound


def _read_at_once(node: ast.AST, done: set[str]) -> Iterator[str]:
    yield from scope_of(ast.unparse(node)).at_once - done


def _facts_of_other(source: str) -> _Facts:
    """Return what is known of what is no Python: IPython may run it, or nobody does."""
    try:
        ast.parse(TransformerManager().transform_cell(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _Facts()
    return _Facts(traces=Traces(opaque=["what only IPython understands"]))
