"""A student's notebook, and the released one that came with it.

Read as plain JSON: nbformat takes a second to import, which is all the time `tito test` has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from tito.errors import TitoError
from tito.text import excerpt

_DIRECTIVE = re.compile(r"^#\| default_exp (\S+)", re.MULTILINE)
_EXPORT = re.compile(r"^#\| export[ \t]+(\S+)", re.MULTILINE)
#: Beside a released notebook: which modules of the student's own it builds on.
BUILDS_ON = "builds_on.json"
#: With what many cells begin.
_GUARD = ("#", "if __name__ ==")
_STUB = re.compile(r'^[ \t]*raise NotImplementedError\("TODO(?: in ([\w.]+))?:', re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """One cell, as far as running, exporting and comparing it needs."""

    kind: str  # "code", "markdown" or "raw"
    source: str
    position: int  # which cell of its notebook it is, from 1
    grade_id: str | None = None
    graded: bool = False
    solution: bool = False
    locked: bool = False

    @property
    def name(self) -> str:
        """What to call the cell."""
        return self.grade_id or f"cell {self.position}"

    @property
    def place(self) -> str:
        """The cell's name, and what one without begins with: no editor shows where a cell is."""
        if self.grade_id:
            return self.grade_id
        lines = (line.strip() for line in self.source.split("\n"))
        begins = next((line for line in lines if line and not line.startswith(_GUARD)), "")
        return f"{self.name} ({excerpt(begins, 40)})" if begins else self.name

    @property
    def title(self) -> str:
        """What to call the cell, and whose it is."""
        return f"the given cell {self.name}" if self.fixed else f"your cell {self.name}"

    @property
    def fixed(self) -> bool:
        """Whether the cell is the course's own, so that no student may change it."""
        return self.grade_id is not None and not self.solution and (self.graded or self.locked)

    @property
    def checks(self) -> bool:
        """Whether the cell's points come from running it."""
        return self.kind == "code" and self.graded and not self.solution

    @property
    def exported(self) -> bool:
        """Whether the cell becomes a part of the package."""
        return self.kind == "code" and self.source.lstrip().startswith("#| export")

    @property
    def exports_to(self) -> str | None:
        """The package module that the cell itself names; None where it is the notebook's."""
        match = _EXPORT.match(self.source.lstrip()) if self.kind == "code" else None
        return f"tinytorch.{match[1]}" if match else None

    @property
    def open(self) -> list[str]:
        """Where the cell still holds a stub of the release: names such as ``SGD.step``."""
        stubs = _STUB.findall(self.source) if self.kind == "code" else []
        return [where or "a TODO" for where in stubs]


def read_cells(path: Path) -> list[Cell]:
    """Read the cells of a notebook.

    Raises
    ------
    TitoError
        If the file cannot be read or is not a notebook.
    """
    try:
        content = json.loads(path.read_bytes())
        return [_cell(raw, position) for position, raw in enumerate(content["cells"], start=1)]
    except OSError as error:
        raise TitoError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise TitoError(f"{path} is not UTF-8 text; save it again from Jupyter.") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}: {error.msg}"
        raise TitoError(f"{path} is not a notebook ({where}); save it again from Jupyter.") from (
            error
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise TitoError(
            f"{path} is not a notebook of the present format; open it in JupyterLab and save it."
        ) from error


def _cell(raw: dict[str, Any], position: int) -> Cell:
    text = raw["source"]
    meta = raw.get("metadata", {}).get("nbgrader")
    meta = meta if isinstance(meta, dict) else {}
    name = meta.get("grade_id")
    return Cell(
        kind=raw["cell_type"],
        source="".join(text),
        position=position,
        grade_id=name if isinstance(name, str) and name else None,
        graded=bool(meta.get("grade")),
        solution=bool(meta.get("solution")),
        locked=bool(meta.get("locked")),
    )


@dataclass(frozen=True)
class Assignment:
    """An assignment as it was released."""

    release: Path  # the notebook; its folder is named like the module

    @classmethod
    def installed(cls) -> Assignment:
        """Return the assignment that was installed with this package.

        Raises
        ------
        TitoError
            If there is none, as in a checkout of the course.
        """
        folder = Path(__file__).with_name("released")
        notebooks = sorted(folder.glob("*/*.ipynb"))
        if len(notebooks) != 1:
            raise TitoError(
                f"{folder} must hold one assignment, got {len(notebooks)}. "
                "Install the .whl file of your bundle again."
            )
        return cls(notebooks[0])

    @property
    def module(self) -> str:
        """The module's name, such as ``08_optimizers``."""
        return self.release.parent.name

    @property
    def file(self) -> str:
        """The notebook's file name, which must stay."""
        return self.release.name

    def is_called(self, name: str) -> bool:
        """Whether a name is the module's, such as ``08_optimizers``, or a half of it."""
        return name in (self.module, *self.module.split("_"))

    @cached_property
    def cells(self) -> list[Cell]:
        """The released cells."""
        return read_cells(self.release)

    @cached_property
    def exports_to(self) -> str:
        """The package module that the notebook becomes."""
        return exported_module(self.cells, self.release)

    @property
    def has_points(self) -> bool:
        """Whether anything is graded, by machine or by a person; a lab has no points."""
        return any(cell.graded for cell in self.cells)

    @cached_property
    def builds_on(self) -> dict[str, str]:
        """The student's own modules that it needs, and of which notebooks `tito export` makes them.

        The bundle says so in a file, since it holds none of their answers.
        """
        file = self.release.with_name(BUILDS_ON)
        return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def named_module(source: str) -> str | None:
    """Return the package module that a ``#| default_exp`` line names, if there is one."""
    match = _DIRECTIVE.search(source)
    return f"tinytorch.{match[1]}" if match else None


def named_modules(source: str) -> tuple[str, ...]:
    """Return all package modules that directives name: the notebook's, then those of cells."""
    own = named_module(source)
    named = (own, *(f"tinytorch.{name}" for name in _EXPORT.findall(source)))
    return tuple(dict.fromkeys(filter(None, named)))


def exported_module(cells: list[Cell], path: Path) -> str:
    """Return the package module that a notebook becomes, as its ``#| default_exp`` line says."""
    for cell in cells:
        if cell.kind == "code" and (module := named_module(cell.source)):
            return module
    raise TitoError(
        f"{path} does not say what it exports to: the line '#| default_exp core.NAME' is missing. "
        "Is it a notebook of the course?"
    )


def still_open(cells: Iterable[Cell]) -> list[str]:
    """Say for each unfinished cell what is still to be written in it."""
    return [f"{cell.name}: still open: {', '.join(cell.open)}" for cell in cells if cell.open]


def as_graded(cells: list[Cell], released: list[Cell]) -> list[Cell]:
    """Return a student's cells with the course's own cells as they were released.

    A cell of the release that is missing comes behind the one it followed there.
    """
    theirs = {cell.grade_id: cell for cell in reversed(cells) if cell.grade_id}
    restored = [_restored(cell, released) for cell in cells]
    before: str | None = None
    for cell in released:
        if cell.grade_id is None:
            continue
        if cell.grade_id not in theirs:
            places = [i for i, other in enumerate(restored) if other.grade_id == before]
            restored.insert(places[-1] + 1 if before and places else 0, cell)
        before = cell.grade_id
    return restored


def _restored(cell: Cell, released: list[Cell]) -> Cell:
    for original in released:
        if original.fixed and original.grade_id == cell.grade_id:
            return replace(original, position=cell.position)
    return cell


def differences(cells: list[Cell], released: list[Cell]) -> Iterator[str]:
    """Say which cells of the release are missing, doubled or changed where they may not be."""
    for original in released:
        name = original.grade_id
        if name is None:
            continue
        copies = [cell for cell in cells if cell.grade_id == name]
        if not copies:
            yield f"{name}: the cell is missing; the released one takes its place"
        elif len(copies) > 1:
            where = " and ".join(str(cell.position) for cell in copies)
            yield f"{name}: the cell is there {len(copies)} times (cells {where}); keep one of them"
        elif copies[0].kind != original.kind:
            yield f"{name}: the cell was of type {original.kind}, now {copies[0].kind}"
        elif original.fixed and copies[0].source.strip() != original.source.strip():
            yield f"{name}: the locked cell was changed; the released one takes its place"
