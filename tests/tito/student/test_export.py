"""A student's own module of the package."""

import subprocess
import sys

import pytest

from tests.tito.student.conftest import RIGHT
from tito.errors import TitoError
from tito.student.export import export

MODULE = "tinytorch.core.second"


def make(desk):
    return export(desk.path, MODULE, desk.assignment, desk.package / "tinytorch")


def test_a_solution_can_be_imported_at_once(desk):
    made = make(desk.write("answer", RIGHT))
    code = f"from {MODULE} import Answer; print(Answer().give())"
    answer = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={"PYTHONPATH": str(desk.package)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (answer.stdout.strip(), made.unfinished) == ("42", ())
    assert made.path == desk.package / "tinytorch" / "core" / "second.py"


def test_module_holds_exported_cells_only(desk):
    text = make(desk.write("answer", RIGHT).add("print('mine')")).path.read_text()
    assert text.startswith("# Made of second_dev.ipynb by 'tito export'. Edit the notebook")
    assert "from tinytorch.core.first import ONE" in text and "return 41 + ONE" in text
    assert not any(word in text for word in ("#|", "mine", "Checks"))


def test_exports_unfinished_cells_and_names_them(desk):
    assert make(desk).unfinished == ("answer: still open: Answer.give",)


def test_a_cell_that_lost_its_directive_is_exported(desk):
    made = make(desk.write("answer", RIGHT.removeprefix("#| export\n")))
    assert "return 41 + ONE" in made.path.read_text()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("#| export\nclass Answer(:", "the cell answer is not valid Python, line 2"),
        ("#| export\nAnswer = TWO", "cannot be imported: NameError: name 'TWO' is not defined"),
    ],
)
def test_broken_export_keeps_earlier_module(desk, source, message):
    before = make(desk.write("answer", RIGHT)).path.read_bytes()
    with pytest.raises(TitoError, match=message):
        make(desk.write("answer", source))
    core = desk.package / "tinytorch" / "core"
    assert (core / "second.py").read_bytes() == before
    assert not list(core.glob(".export-*"))


def test_a_notebook_of_another_module_is_refused(desk):
    with pytest.raises(TitoError, match="exports to tinytorch.core.second, not to tinytorch.core"):
        export(desk.path, "tinytorch.core.first", package=desk.package / "tinytorch")
