"""Which graded cells an empty submission passes: tried, by grading the release."""

from __future__ import annotations

import hashlib

import nbformat
from nbformat.v4 import new_code_cell

from tito.authoring.releases import read_release
from tito.autograde import prepare, worker
from tito.autograde.job import Job, fingerprint
from tito.course import Course, Module
from tito.course.gradebook import assignment_in, open_gradebook
from tito.errors import TitoError

#: Code of a student's own, since a notebook without any earns nothing anyway.
_NOTHING = "pass"


def faults(course: Course, module: Module) -> list[str]:
    """Return ``CELL: what is wrong, and the remedy`` for each graded cell that earns points.

    Raises
    ------
    TitoError
        If there is no release, or it cannot be graded.
    """
    config = course.nbgrader_config()
    prepare.check(course, module)
    report = prepare.isolation_here(course, module, config)
    with open_gradebook(course, config) as book:
        assignment_in(book, module)
        assignment = prepare.assignment(course, module, config, book, 0, report)
    notebook = nbformat.from_dict(read_release(course.released(module)))
    notebook.cells.append(new_code_cell(_NOTHING, id="nothing"))
    data = nbformat.writes(notebook).encode()
    digest = hashlib.sha256(data).hexdigest()
    job = Job("nobody", data, f"{module.notebook}.ipynb", digest, version=fingerprint())
    result = worker.grade(assignment.packed(), job)
    if result.status != "graded":
        raise TitoError(f"the release of {module.title} cannot be graded: {result.reason}")
    return [
        f"{name}: an empty submission earns {cell['earned']:g} of its {cell['points']:g} points; "
        "let it fail before the solution is written"
        for name, cell in result.cells.items()
        if cell["earned"]
    ]
