"""Wrong solutions, each with its idea and the cells that must take points for it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.solutions.harness import FOLDER


@dataclass(frozen=True)
class Wrong:
    """A solution cell with one wrong idea.

    Attributes
    ----------
    cell, name : str
        The grade_id of the solution cell, and what is wrong in a few words.
    idea : str
        What is wrong, in a sentence.
    source : str
        The whole cell.
    loses : tuple of str
        The graded cells that must take points.
    """

    cell: str
    name: str
    idea: str
    source: str
    loses: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.cell}/{self.name}"


@cache
def wrong_solutions() -> tuple[Wrong, ...]:
    """Return all of them: files that hold a whole cell, and edits of a right one."""
    return (*_whole_cells(), *_edits())


def _whole_cells() -> Iterator[Wrong]:
    for path in sorted((FOLDER / "wrong").glob("*/*.py")):
        source = path.read_text()
        loses = re.findall(r"^# expect-loss: (\S+)$", source, re.MULTILINE)
        idea = source.partition("\n")[0].removeprefix("# ")
        yield Wrong(path.parent.name, path.stem, idea, source, tuple(loses))


def _edits() -> Iterator[Wrong]:
    for path in sorted((FOLDER / "wrong").glob("*.toml")):
        table = tomllib.loads(path.read_text())
        base = (FOLDER / table["base"]).read_text()
        for entry in table["wrong"]:
            source = base
            for edit in entry["edit"]:
                if source.count(edit["find"]) != 1:
                    raise ValueError(f"{path.name}, {entry['name']}: find must stand there once")
                source = source.replace(edit["find"], edit["replace"])
            yield Wrong(path.stem, entry["name"], entry["idea"], source, tuple(entry["loses"]))
