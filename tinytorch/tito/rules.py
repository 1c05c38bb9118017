"""Rules that a source and its release must keep; each message names the cell."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tinytorch.tito.course import Module
from tinytorch.tito.errors import TitoError

_KEYS = {"schema_version", "grade", "solution", "locked", "task", "grade_id"}
_MARKERS = re.compile(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)")
_REGION = re.compile(
    r"^\s*### BEGIN (?P<kind>SOLUTION|MARK SCHEME)\s*$(?P<body>.*?)^\s*### END (?P=kind)\s*$",
    re.MULTILINE | re.DOTALL,
)


def check_source(module: Module, notebook: NotebookNode) -> None:
    """Check a module's source before a release is made of it.

    Raises
    ------
    TitoError
        With a line for each rule that is broken.
    """
    _refuse(module, "source", list(_source_faults(notebook)))


def check_release(module: Module, path: Path, source: NotebookNode) -> None:
    """Check a release before students get it: it compiles, and holds no solution or rubric.

    Raises
    ------
    TitoError
        With a line for each rule that is broken.
    """
    released = nbformat.read(path, as_version=4)
    _refuse(module, "release", list(_release_faults(released, source)))


def _refuse(module: Module, what: str, faults: list[str]) -> None:
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise TitoError(f"the {what} of {module.name} breaks {len(faults)} rule(s):\n{lines}")


def name_of(cell: NotebookNode) -> str:
    """Return what to call a cell: its grade_id, or its id, which tells its position."""
    return cell.metadata.get("nbgrader", {}).get("grade_id") or str(cell.get("id"))


def _source_faults(notebook: NotebookNode) -> Iterator[str]:
    graded = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    counts = Counter(name_of(cell) for cell in graded)
    yield from (f"{name}: used by {n} cells" for name, n in counts.items() if n > 1)
    for cell in notebook.cells:
        yield from _marker_faults(cell)
    for cell in graded:
        meta = cell.metadata.nbgrader
        missing = _KEYS - set(meta)
        unknown = set(meta) - _KEYS - {"points"}
        if missing or unknown or meta.get("schema_version") != 3:
            yield f"{name_of(cell)}: missing keys {sorted(missing)}, unknown {sorted(unknown)}"
        if meta.get("grade") and not isinstance(meta.get("points"), int):
            yield f"{name_of(cell)}: a graded cell needs whole points"
        if meta.get("solution") and "### BEGIN SOLUTION" not in cell.source:
            yield f"{name_of(cell)}: a solution cell needs a solution region"


def _marker_faults(cell: NotebookNode) -> Iterator[str]:
    """Find markers that nbgrader would take for real although they are not, or are unpaired."""
    rest = _REGION.sub("", cell.source)
    for match in _MARKERS.finditer(rest):
        yield f"{name_of(cell)}: stray marker {match[0]!r}; nbgrader matches it anywhere"


def _release_faults(released: NotebookNode, source: NotebookNode) -> Iterator[str]:
    secrets = secret_lines(source)
    for cell in released.cells:
        if _MARKERS.search(cell.source):
            yield f"{name_of(cell)}: a marker is left"
        leaked = secrets & {line.strip() for line in cell.source.split("\n")}
        yield from (f"{name_of(cell)}: leaks {line!r}" for line in sorted(leaked))
        if cell.cell_type == "code":
            try:
                ast.parse(cell.source)
            except SyntaxError as error:
                yield f"{name_of(cell)}: does not compile, line {error.lineno}: {error.msg}"


def secret_lines(source: NotebookNode) -> set[str]:
    """Return the lines of solutions and rubrics that stand nowhere else in the source.

    Lines too short to give anything away (a bare ``return``, a bracket) do not count.
    """
    secret: set[str] = set()
    public: set[str] = set()
    for cell in source.cells:
        for match in _REGION.finditer(cell.source):
            secret |= {line.strip() for line in match["body"].split("\n")}
        public |= {line.strip() for line in _REGION.sub("", cell.source).split("\n")}
    return {line for line in secret - public if len(line) > 15}
