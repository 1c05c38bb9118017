"""The extension of a student's IPython."""

import ast
from unittest.mock import Mock

import nbformat

from tests.tito.student.conftest import RIGHT
from tinytorch.checks import MIME_TYPE
from tito.student import jupyter
from tito.student.execute import execute


def test_report_names_cell_that_raised(desk):
    desk.write("answer", RIGHT.replace("ONE", "ON"))
    cells = [nbformat.v4.new_code_cell("%load_ext tito.student.jupyter")]
    cells += [desk.cell(name) for name in ("imports", "answer", "test-answer")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    execute(notebook, desk.path.parent, desk.package)
    report = notebook.cells[-1].outputs[0].data[MIME_TYPE]
    assert report["parts"][1]["problem"]["source"] == (
        "line 4 of your cell In[3], in Answer.give: return 41 + ON"
    )


def test_with_the_extension_a_lone_graded_cell_asks_for_the_cells_above(desk):
    load = nbformat.v4.new_code_cell("%load_ext tito.student.jupyter")
    own = nbformat.v4.new_code_cell("print(Answer)")
    notebook = nbformat.v4.new_notebook(cells=[load, desk.cell("test-answer"), own])
    execute(notebook, desk.path.parent, desk.package)
    told = "\n".join(notebook.cells[1].outputs[0].traceback)
    first, second = told.splitlines()
    assert first == ("Answer is not defined here: run the cells above (Run, then Run All Above).")
    assert second.endswith("answer_checks.show(Answer)")
    assert "Traceback" in "\n".join(notebook.cells[2].outputs[0].traceback)


def test_kernel_language_matches_release(desk):
    released = nbformat.read(desk.path, as_version=4).metadata
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("%load_ext tito.student.jupyter")]
    )
    notebook.cells.append(nbformat.v4.new_code_cell("get_ipython().kernel.language_info"))
    execute(notebook, desk.path.parent, desk.package)
    told = notebook.cells[1].outputs[0].data["text/plain"]
    assert ast.literal_eval(told) == released.language_info


def test_a_cell_is_called_by_its_grade_id_as_long_as_it_is_the_released_one(desk, monkeypatch):
    monkeypatch.setattr(jupyter.Assignment, "installed", lambda: desk.assignment)
    shell = Mock(kernel=None, execution_count=8)
    shell.compile.get_code_name.return_value = "file"
    jupyter.load_ipython_extension(shell)
    name_cell = shell.events.register.call_args[0][1]
    for source, cell_id, title in (
        (desk.cell("imports").source, "anything", "the given cell imports"),
        ("mine", "answer", "your cell answer"),
        ("mine", "imports", "your cell In[7]"),  # edited, so it is no longer the given one
        ("mine", None, "your cell In[7]"),
    ):
        name_cell(Mock(raw_cell=source, cell_id=cell_id))
        assert jupyter.CELLS["file"] == title
