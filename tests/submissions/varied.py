"""Notebooks of students who edit, move, copy, delete and use the demonstrations of a chapter."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable
from random import Random

from nbformat.v4 import new_code_cell

from tests.solutions.wrong_ideas import right_solutions, wrong_solutions
from tests.submissions.notebook import Work
from tito.student.scopes import scope_of

Habit = Callable[[Random, Work], None]
#: Put behind a function or a class: what its calls leave behind, and when that shows.
STATE = {
    "a global counter": (
        "{name}_calls = 0",
        "global {name}_calls; {name}_calls += 1",
        "{name}_calls",
    ),
    "a list": ("{name}_calls = []", "{name}_calls.append(1)", "len({name}_calls)"),
    "a default": ("", "kept.append(1)", "len(kept)"),
    "an attribute": ("{name}.calls = 0", "{name}.calls += 1", "{name}.calls"),
    "an iterator": ("{name}_calls = iter(range(10**9))", "pass", "next({name}_calls)"),
    "shared random numbers": ("np.random.seed(3)", "pass", "1e4 * np.random.rand()"),
    "the namespace": ("{name}_calls = 0", "globals()['{name}_calls'] += 1", "{name}_calls"),
    "nothing": ("", "pass", "0"),
}
WRAPPED = """

{first}
before_{name} = {target}


def with_more_{name}(*args, {default}**options):
    {each}
    if {count} > {most}:
        raise RuntimeError("that was one call too many")
    return before_{name}(*args, **options)


{target} = with_more_{name}
"""


def varied(work: Work, number: int) -> Work:
    """Let one student of many work on a release: any solutions, two or three habits."""
    rng = Random(number)
    work.solve()
    solutions = {cell: [] for cell in work.names(written=False)}
    for one in (*right_solutions(), *wrong_solutions()):
        if one.cell in solutions:
            solutions[one.cell].append(one.source)
    for cell in rng.sample(sorted(solutions), 3):
        work.put(cell, rng.choice(solutions[cell]))
    for habit in rng.sample(HABITS, rng.choice([2, 3])):
        habit(rng, work)
    return work


def edits(rng: Random, work: Work) -> None:
    for cell in rng.sample(work.demonstrations(), 5):
        cell.source = re.sub(
            r"\b(\d+)\b", lambda found: str(int(found[1]) + 1), cell.source, count=1
        )


def deletes(rng: Random, work: Work) -> None:
    for cell in rng.sample(work.demonstrations(), 10):
        work.notebook.cells.remove(cell)


def moves(rng: Random, work: Work) -> None:
    for cell in rng.sample(work.demonstrations(), 5):
        work.notebook.cells.remove(cell)
        work.notebook.cells.insert(rng.randrange(len(work.notebook.cells)), cell)


def copies(rng: Random, work: Work) -> None:
    for cell in rng.sample(work.demonstrations(), 3):
        again = copy.deepcopy(cell)
        again.id = f"again-{cell.id}"[:60]
        work.notebook.cells.insert(rng.randrange(len(work.notebook.cells)), again)


def tries_something(rng: Random, work: Work) -> None:
    cell = rng.choice(work.demonstrations())
    place = work.notebook.cells.index(cell) + 1
    work.notebook.cells.insert(place, new_code_cell(cell.source + "\nprint('so far')"))


def uses_a_name(rng: Random, work: Work) -> None:
    """A function relies on what a demonstration binds."""
    names = sorted({name for cell in work.demonstrations() for name in scope_of(cell.source).bound})
    wrap(rng, work, "", f"assert {rng.choice(names)} is not None", "0")


def has_a_helper_in_a_demonstration(rng: Random, work: Work) -> None:
    cell = rng.choice(work.demonstrations())
    cell.source = f"def helper_of_mine():\n    return 0\n\n\n{cell.source}"
    wrap(rng, work, "", "helper_of_mine()", "0")


def keeps_something(rng: Random, work: Work) -> None:
    wrap(rng, work, *STATE[rng.choice(sorted(STATE))])


def wrap(rng: Random, work: Work, first: str, each: str, count: str) -> None:
    """Put something before each call of a function, or each making of an object."""
    cell = rng.choice(work.names(written=False))
    defined = [
        node
        for node in ast.parse(work.cell(cell).source).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.decorator_list
    ]
    if not defined:  # it is something else that can be called
        return
    name = defined[-1].name
    target = f"{name}.__init__" if isinstance(defined[-1], ast.ClassDef) else name
    code = WRAPPED.format(
        name=name,
        target=target,
        first=first.format(name=name),
        each=each.format(name=name),
        count=count.format(name=name),
        most=rng.choice([5, 50, 500]),
        default="kept=[], " if "kept" in each else "",
    )
    work.put(cell, work.cell(cell).source + code)


HABITS: list[Habit] = [
    *(edits, deletes, moves, copies, tries_something),
    *(uses_a_name, has_a_helper_in_a_demonstration, keeps_something, keeps_something),
]
