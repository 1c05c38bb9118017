"""Right and wrong solutions of single cells: whole, or as edits of a right one.

``right/CELL/NAME.py`` is a whole cell. ``right/CELL.toml`` and ``wrong/CELL.toml``, or the files
of a folder ``CELL/``, hold a table for each edit, under its name::

    [climbs]
    base = "plain"  # a right solution of the cell
    idea = "The parameter moves along the gradient."
    loses = { test-adam = 10 }
    edit = [["param.data.data - update", "param.data.data + update"]]

Above the first table, ``base`` and ``loses`` hold for the whole file. What is found stands in the
base exactly once; a line ``...`` in it stands for what comes between. The first cell that loses
teaches the idea: a slip costs it 1 point at least, a central idea more.
Instead of ``base`` and ``edit``, ``cell`` may hold all of a wrong cell.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.solutions.harness import FOLDER

Table = dict[str, Any]
_KEYS = {"right": {"base", "idea", "edit"}, "wrong": {"base", "idea", "edit", "cell", "loses"}}


@dataclass(frozen=True)
class Solution:
    """A solution cell, as a student may write it.

    Attributes
    ----------
    cell, name : str
        The grade_id of the solution cell, and how this one differs in a few words.
    idea : str
        How it differs, or what is wrong, in a sentence.
    source : str
        The whole cell.
    base : str
        The name of the right solution that it is an edit of; empty where it is written whole.
    """

    cell: str
    name: str
    idea: str
    source: str
    base: str

    def __str__(self) -> str:
        return f"{self.cell}/{self.name}"


@dataclass(frozen=True)
class Wrong(Solution):
    """A solution cell with one wrong idea.

    Attributes
    ----------
    loses : dict of str to int
        The least points that graded cells must take, the one that teaches the idea first.
    """

    loses: Mapping[str, int] = field(hash=False)


@cache
def right_solutions() -> tuple[Solution, ...]:
    """Return all right solutions, by cell and name."""
    return tuple(sorted(load_right(FOLDER / "right").values(), key=str))


@cache
def wrong_solutions() -> tuple[Wrong, ...]:
    """Return all wrong solutions."""
    right = {str(solution): solution for solution in right_solutions()}
    return tuple(load_wrong(FOLDER / "wrong", right).values())


@cache
def source_of(kind: str, solution: str) -> str:
    """Return a cell's source by the kind of solution, right or wrong, and ``CELL/NAME``."""
    solutions = {"right": right_solutions, "wrong": wrong_solutions}[kind]()
    return next(each.source for each in solutions if str(each) == solution)


def load_right(folder: Path) -> dict[str, Solution]:
    """Read right solutions; return them by ``CELL/NAME``."""
    found = {}
    for path in sorted(folder.glob("*/*.py")):
        idea, _, source = path.read_text().partition("\n")
        whole = Solution(path.parent.name, path.stem, idea.removeprefix("# "), source, base="")
        found[str(whole)] = whole
    for where, cell, name, entry in _entries(folder, "right"):
        source = _source(where, cell, entry, found)
        _add(found, Solution(cell, name, entry["idea"], source, entry["base"]), where)
    return found


def load_wrong(folder: Path, right: Mapping[str, Solution]) -> dict[str, Wrong]:
    """Read wrong solutions, which are edits of the right ones; return them by ``CELL/NAME``."""
    found: dict[str, Wrong] = {}
    for where, cell, name, entry in _entries(folder, "wrong"):
        source = _source(where, cell, entry, right)
        base = "" if "cell" in entry else entry["base"]
        _add(found, Wrong(cell, name, entry["idea"], source, base, entry["loses"]), where)
    return found


def _add(found: dict[str, Any], solution: Solution, where: str) -> None:
    if str(solution) in found:
        raise ValueError(f"{where}: another solution has this name; give it one of its own")
    found[str(solution)] = solution


def _entries(folder: Path, kind: str) -> Iterator[tuple[str, str, str, Table]]:
    """Yield file and name of each table for messages, its cell, its name and the table itself."""
    for path in sorted((*folder.glob("*.toml"), *folder.glob("*/*.toml"))):
        file = path.relative_to(folder.parent).as_posix()
        cell = path.relative_to(folder).parts[0].removesuffix(".toml")
        try:
            table = tomllib.loads(path.read_text())
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{file}: {error}; a name may stand there once") from error
        common = {key: table.pop(key) for key in ("base", "loses") if key in table}
        for name, entry in table.items():
            where = f"{file}, {name}"
            _check_keys(where, entry, kind, common)
            yield where, cell, name, common | entry


def _check_keys(where: str, entry: object, kind: str, common: Table) -> None:
    if not isinstance(entry, dict):
        raise ValueError(f"{where}: must be a table [{where.split(', ')[1]}], got {entry!r}")
    if unknown := sorted(entry.keys() - _KEYS[kind]):
        known = ", ".join(sorted(_KEYS[kind]))
        raise ValueError(f"{where}: unknown key {unknown[0]!r}; known are {known}")
    needed = {"idea", "loses"} & _KEYS[kind] | ({"edit"} if "cell" not in entry else set())
    if missing := sorted(needed - entry.keys() - common.keys()):
        raise ValueError(f"{where}: {missing[0]!r} is missing; add it")
    if "cell" in entry and entry.keys() & {"base", "edit"}:
        raise ValueError(f"{where}: a whole cell has neither base nor edit; remove them")


def _source(where: str, cell: str, entry: Table, right: Mapping[str, Solution]) -> str:
    if "cell" in entry:
        return str(entry["cell"])
    base = right.get(f"{cell}/{entry.get('base')}")
    if base is None:
        names = ", ".join(each.name for each in right.values() if each.cell == cell)
        raise ValueError(f"{where}: unknown base {entry.get('base')!r}; {cell} has {names or None}")
    source = base.source
    for edit in entry["edit"]:
        if len(edit) != 2:
            raise ValueError(f"{where}: an edit must be a pair [found, replacement], got {edit!r}")
        source = _replace(where, source, *edit)
    return source


def _replace(where: str, source: str, found: str, replacement: str) -> str:
    head, _, tail = found.partition("\n...\n")
    times = source.count(head)
    if times != 1:
        raise ValueError(
            f"{where}: what is found must stand in the base once, got {times} times: {head!r}; "
            + ("add the lines around it" if times else "copy it from the base")
        )
    start = source.index(head)
    after = start + len(head)
    end = source.find(tail, after)
    if end < 0:
        raise ValueError(f"{where}: after '...' the base has no {tail!r}; copy it from the base")
    return source[:start] + replacement + source[end + len(tail) :]
