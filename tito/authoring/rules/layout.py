"""The source as a file: its name, where it exports to, and text that is none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nbformat import NotebookNode

from tito.authoring.rules.each_cell import Fault, Kind, kind_of, of_kind
from tito.course import Module
from tito.student.notebook import named_module

FOLDER = re.compile(r"(?P<number>\d\d)_(?P<name>[a-z][a-z0-9]*(?:_[a-z0-9]+)*)")
_HEADER = re.compile(r"^# %%")


def module_faults(module: Module) -> Iterator[Fault]:
    """Look at the names of a module and its source, and at what jupytext would misread."""
    match = FOLDER.fullmatch(module.name)
    if match is None:
        yield Fault(None, f"the folder must be named like 09_schedules, got {module.name!r}")
    elif module.notebook != f"{match['name']}_dev":
        wanted, got = f"{match['name']}_dev.py", module.source.name
        yield Fault(None, f"the source must be named after its folder, {wanted}, got {got}")
    if module.policy.is_file() and not module.policy.read_text().strip():
        remedy = (
            "write the policy for AI assistants, or delete it and the bundle gets the usual one"
        )
        yield Fault(None, f"{module.policy.name} is empty; {remedy}")
    yield from _uncommented(module.source.read_text().split("\n"))


def _uncommented(lines: list[str]) -> Iterator[Fault]:
    """Find lines of a markdown cell that are no comments: code whose header was forgotten."""
    markdown = False
    for number, line in enumerate(lines, start=1):
        if _HEADER.match(line):
            markdown = "[markdown]" in line
        elif markdown and line.strip() and not line.startswith("#"):
            text = f"line {number}: {line.strip()[:40]!r} would become text; put '# %%' above it"
            yield Fault(None, text)
            markdown = False  # one message a cell


def lines_of_cells(module: Module, notebook: NotebookNode) -> dict[int, int]:
    """Return the line of the source on which each cell begins, by the identity of the cell."""
    lines = module.source.read_text().split("\n")
    headers = [number for number, line in enumerate(lines, start=1) if _HEADER.match(line)]
    if len(headers) != len(notebook.cells):  # text before the first header, or another notebook
        return {}
    return {id(cell): line for cell, line in zip(notebook.cells, headers, strict=True)}


def faults(notebook: NotebookNode) -> Iterator[Fault]:
    """Look for the one export directive, at the top, and for exports that a student could edit."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    named = [cell for cell in code if named_module(cell.source)]
    if named != code[:1]:
        text = "the first code cell, and no other, needs a line '#| default_exp core.NAME'"
        yield Fault(named[-1] if named else next(iter(code), None), text)
    assignment = of_kind(notebook, Kind.GRADED)
    for cell in code:
        exported = cell.source.startswith("#| export")
        if exported and assignment and kind_of(cell) is Kind.PLAIN:
            yield Fault(cell, "an exported cell of an assignment is locked or a solution cell")
