"""The chapters as notebooks: they run from top to bottom, in a kernel."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from tests.conftest import ASSIGNMENTS
from tito.authoring.source import read_source
from tito.course import Course, Module

COURSE = Course(Path(__file__).resolve().parents[2])
#: Figures of a module's demonstrations.
FIGURES = {
    "06_autograd": 2,
    "08_optimizers": 15,
    "09_training_systems": 4,
    "10_modern_optimizers": 6,
}


def run(notebook: NotebookNode) -> list[tuple[str, str]]:
    """Run a notebook in a kernel; return the errors as (name of the cell, message)."""
    NotebookClient(notebook, kernel_name="python3", timeout=120, allow_errors=True).execute()
    return [
        (cell.metadata.get("nbgrader", {}).get("grade_id") or cell.id, f"{out.ename}: {out.evalue}")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for out in cell.outputs
        if out.output_type == "error"
    ]


def pictures(notebook: NotebookNode) -> int:
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    return sum("image/png" in out.get("data", {}) for out in outputs)


@pytest.mark.parametrize("module", COURSE.modules, ids=lambda module: module.name)
def test_the_instructors_notebook_runs_from_top_to_bottom(module: Module):
    notebook = read_source(module.source)
    assert run(notebook) == []
    assert pictures(notebook) == FIGURES.get(module.name, 0)
    streams = [out for c in notebook.cells for out in c.get("outputs", []) if "name" in out]
    assert [out.text for out in streams if out.name == "stderr"] == []


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_the_release_runs_and_every_error_names_an_open_todo(name, real_course):
    path = real_course.released(real_course.module(name))
    errors = run(nbformat.read(path, as_version=4))
    assert errors
    for cell, message in errors:
        # A cell that uses what an earlier unfinished cell would have made may miss its name.
        assert message.startswith(("NotImplementedError: TODO in ", "NameError: ")), (cell, message)
    graded = [cell for cell, _ in errors if cell.startswith("test-")]
    assert graded == []
