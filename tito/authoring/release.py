"""The student release: nbgrader makes it, in a clean folder, and it moves into place when whole."""

from __future__ import annotations

import ast
import io
import json
import logging
import re
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.api import MissingEntry
from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearSolutions
from traitlets import default

from tito.authoring import releases
from tito.authoring.package import build_package
from tito.authoring.rules import check_release, check_source
from tito.authoring.rules.each_cell import comment_above, function_around
from tito.authoring.source import build_notebook, read_source
from tito.course import Course, Module
from tito.course.cells import is_grade, is_locked, is_solution, is_task
from tito.course.check_modules import take_out
from tito.course.files import put_in_place
from tito.course.gradebook import open_gradebook
from tito.errors import TitoError

#: The last line of a traceback.
_RAISED = re.compile(r"^[\w.]+: .*$", re.MULTILINE)
#: What nbgrader puts in the place of code, before it gets its message.
_STUB = "raise NotImplementedError"


class ClearTodoSolutions(ClearSolutions):
    """nbgrader's ClearSolutions, whose stubs say which TODO is open.

    A solution region becomes ``raise NotImplementedError("TODO in SGD.step: ...")``, with the
    names that enclose it and the text of the ``# TODO`` comment above it, so that a student
    who runs an unfinished cell reads what is to be done and not a bare exception.
    """

    @default("code_stub")
    def _code_stub_default(self) -> dict[str, str]:
        return {"python": _STUB}

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Clear a notebook, which takes no modules of checks along; students have the package."""
        take_out(nb)
        return super().preprocess(nb, resources)

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict, cell_index: int
    ) -> tuple[NotebookNode, dict]:
        """Clear one cell; see the class."""
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = _name_stubs(cell.source)
        return cell, resources


def _name_stubs(source: str) -> str:
    """Give each stub of a cleared cell its message."""
    lines = source.split("\n")
    tree = ast.parse(source)
    for number, line in enumerate(lines):
        if line.strip() == _STUB:
            where, _ = function_around(tree, number + 1)
            todo = _todo_above(lines, number)
            message = f"TODO in {where}: {todo}" if where else f"TODO: {todo}"
            quoted = json.dumps(message, ensure_ascii=False)
            lines[number] = line.replace(_STUB, f"{_STUB}({quoted})")
    return "\n".join(lines)


def _todo_above(lines: list[str], number: int) -> str:
    """Return the text of the TODO in the comment block directly above a line."""
    comment = lines[comment_above(lines, number) : number]
    block = " ".join(line.strip().lstrip("# ") for line in comment)
    match = re.search(r"TODO:?\s*(.*?)\s*(?:Hint:|$)", block)
    return match[1] if match else "write this part."


def release(course: Course, module: Module) -> Path:
    """Make the students' notebook of a module, and the package their code runs with.

    Returns
    -------
    Path
        The folder of the release.

    Raises
    ------
    TitoError
        If the source breaks a rule, or nbgrader refuses it; an earlier release stays in place.
    """
    source = read_source(module.source, course.checks(module))
    check_source(module, source)
    _refuse_other_cells(course, module, source)
    releases.keep(course, module)
    _follow_given_cells(course, module, source)
    build_notebook(course, module)
    build_package(course, module, judging=False)
    course.release.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=course.release.parent) as scratch:
        fresh = generate(course, module, Path(scratch))
        check_release(module, fresh / f"{module.notebook}.ipynb", source)
        target = course.release / module.name
        put_in_place(fresh, target, Path(scratch))
    releases.keep(course, module)
    releases.keep_source(course, module)
    return target


def _refuse_other_cells(course: Course, module: Module, source: NotebookNode) -> None:
    """Say which cells nbgrader would refuse to add or drop, before anything is changed."""
    with open_gradebook(course) as book:
        try:
            notebook = book.find_notebook(module.notebook, module.name)
        except MissingEntry:
            return
        marked = len(notebook.submissions)
        held = {
            (cell.name, kind)
            for kind in ("grade", "solution", "task", "source")
            for cell in getattr(notebook, f"{kind}_cells")
        }
    wanted = {row for cell in source.cells for row in _rows(cell)}
    before, after = ({name for name, _ in rows} for rows in (held, wanted))
    # What is only given has no mark: it comes and goes; see _follow_given_cells.
    given = {name for name, _ in held ^ wanted} - {
        name for name, kind in held | wanted if kind != "source"
    }
    before, after = before - given, after - given
    differing = {
        "adds": after - before,
        "drops": before - after,
        "changes the kind of": {name for name, _ in held ^ wanted} & before & after,
    }
    changes = [f"{what} {', '.join(sorted(names))}" for what, names in differing.items() if names]
    if marked and changes:
        raise TitoError(
            f"{module.name} cannot be released: its source {' and '.join(changes)}, "
            f"and the gradebook holds marks of {marked} submissions, whose named cells must stay. "
            "Take that change back: a written question is dropped by giving it 0 points, and what "
            "is not graded needs no name. docs/instructors.md says how to begin anew with other "
            "questions."
        )


def _follow_given_cells(course: Course, module: Module, source: NotebookNode) -> None:
    """Add and drop rows of locked cells, which nbgrader refuses where there are submissions."""
    with open_gradebook(course) as book:
        try:
            held = {cell.name: cell for cell in book.find_notebook(*_place(module)).source_cells}
        except MissingEntry:
            return
        wanted = {
            cell.metadata.nbgrader.grade_id: cell for cell in source.cells if any(_rows(cell))
        }
        for name in held.keys() - wanted.keys():
            book.db.delete(held[name])
        book.db.commit()
        for name in wanted.keys() - held.keys():
            cell = wanted[name]
            book.add_source_cell(
                name, *_place(module), cell_type=cell.cell_type, source=cell.source, locked=True
            )


def _place(module: Module) -> tuple[str, str]:
    """Return how nbgrader names a notebook: its name, then the assignment's."""
    return module.notebook, module.name


def _rows(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    """Give the cell's name with each table of the gradebook that it has a row in."""
    tables = {"grade": is_grade, "solution": is_solution, "task": is_task, "source": is_locked}
    kinds = {kind for kind, holds in tables.items() if holds(cell)}
    for kind in {*kinds, "source"} if kinds else ():
        yield cell.metadata.nbgrader.grade_id, kind


def generate(course: Course, module: Module, scratch: Path) -> Path:
    """Let nbgrader make the release below a scratch folder."""
    config = course.nbgrader_config()
    config.CourseDirectory.release_directory = str(scratch.relative_to(course.root))
    config.CourseDirectory.assignment_id = module.name
    coursedir = CourseDirectory(config=config)
    coursedir.root = str(course.root)
    converter = GenerateAssignment(coursedir=coursedir, config=config, force=True)
    log = io.StringIO()
    converter.log = coursedir.log = logging.Logger("tito.release", logging.ERROR)
    converter.log.addHandler(logging.StreamHandler(log))
    try:
        with chdir(course.root):  # a configuration may name files as seen from there
            converter.start()
    except (NbGraderException, RuntimeError) as error:
        # nbgrader's own message only points to the traceback that it has logged.
        raised = _RAISED.findall(log.getvalue()) or [str(error)]
        told = " ".join("; ".join(dict.fromkeys(raised)).split())  # from the cause on
        raise TitoError(f"{module.name} could not be released: {told}") from error
    return scratch / module.name
