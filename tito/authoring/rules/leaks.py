"""Nothing of a solution or a rubric may reach a student."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbformat import NotebookNode

from tito.authoring.rules.each_cell import MARKERS, REGION, Fault
from tito.course.check_modules import texts_of

#: Lines shorter than this give nothing away: a bare return, a bracket.
_SHORT = 15
#: So many lines of a solution in a row are no coincidence.
_RUN = 3


def faults(notebook: NotebookNode) -> Iterator[Fault]:
    """Look for passages of a solution or rubric in what students receive."""
    secret = {run for cell in notebook.cells for run in passages_of(_inside(cell))}
    for path, text in texts_of(notebook).items():
        for run in passages_of(text):
            if run in secret:
                text = f"checks/{path} repeats {_RUN} lines of a solution, from {run[0]!r} on"
                yield Fault(None, text)
                break
    for cell in notebook.cells:
        for run in passages_of(REGION.sub("", cell.source)):
            if run in secret:
                yield Fault(cell, f"repeats {_RUN} lines of a solution, from {run[0]!r} on")
                break


def _inside(cell: NotebookNode) -> str:
    return "\n".join(match["body"] for match in REGION.finditer(cell.source))


def passages_of(text: str) -> Iterator[tuple[str, ...]]:
    """Yield every passage of a few telling lines."""
    lines = [line.strip() for line in text.split("\n") if len(line.strip()) > _SHORT]
    for start in range(len(lines) - _RUN + 1):
        yield tuple(lines[start : start + _RUN])


def secret_passages(source: NotebookNode) -> set[tuple[str, ...]]:
    """Return the passages of solutions and rubrics that stand nowhere else, checks included."""
    secret = {run for cell in source.cells for run in passages_of(_inside(cell))}
    texts = [*(REGION.sub("", cell.source) for cell in source.cells), *texts_of(source).values()]
    return secret - {run for text in texts for run in passages_of(text)}


def secret_lines(source: NotebookNode) -> set[str]:
    """Return the lines of solutions and rubrics that stand nowhere else, checks included.

    Lines that give nothing away do not count: short ones, and those that only open a call.
    """
    secret: set[str] = set()
    public: set[str] = set()
    for cell in source.cells:
        secret |= {line.strip() for line in _inside(cell).split("\n")}
        public |= {line.strip() for line in REGION.sub("", cell.source).split("\n")}
    for text in texts_of(source).values():
        public |= {line.strip() for line in text.split("\n")}
    return {line for line in secret - public if len(line) > _SHORT and line[-1] not in "([{"}


def release_faults(released: NotebookNode, source: NotebookNode) -> Iterator[Fault]:
    """Look at a release: no marker, no secret line, and every cell compiles."""
    secrets = secret_lines(source)
    for cell in released.cells:
        if MARKERS.search(cell.source):
            yield Fault(cell, "a marker is left")
        leaked = secrets & {line.strip() for line in cell.source.split("\n")}
        yield from (Fault(cell, f"leaks {line!r}") for line in sorted(leaked))
        if cell.cell_type == "code":
            try:
                ast.parse(cell.source)
            except SyntaxError as error:
                yield Fault(cell, f"does not compile, line {error.lineno}: {error.msg}")
