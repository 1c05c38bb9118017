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
    assert made.files == {MODULE: desk.package / "tinytorch" / "core" / "second.py"}


def test_module_holds_exported_cells_only(desk):
    text = make(desk.write("answer", RIGHT).add("print('mine')")).files[MODULE].read_text()
    assert text.startswith("# Made of second_dev.ipynb by 'tito export'. Edit the notebook")
    assert "from tinytorch.core.first import ONE" in text and "return 41 + ONE" in text
    assert not any(word in text for word in ("#|", "mine", "Checks"))


def test_exports_unfinished_cells_and_names_them(desk):
    assert make(desk).unfinished == ("answer: still open: Answer.give",)


def test_a_cell_that_lost_its_directive_is_exported(desk):
    made = make(desk.write("answer", RIGHT.removeprefix("#| export\n")))
    assert "return 41 + ONE" in made.files[MODULE].read_text()


def test_cells_that_name_another_module_become_that_module(desk):
    desk.write("answer", RIGHT).add("#| export core.more\nfrom tinytorch.core.second import Answer")
    made = make(desk)
    assert [path.name for path in made.files.values()] == ["second.py", "more.py"]
    first, second = (path.read_text() for path in made.files.values())
    assert "import Answer" in second and "class Answer" in first and "import Answer" not in first


def test_modules_are_exported_all_or_none(desk):
    before = make(desk.write("answer", RIGHT)).files[MODULE].read_bytes()
    desk.write("answer", f"{RIGHT}# changed").add("#| export core.more\nAnswer")
    with pytest.raises(TitoError, match="core.more cannot be imported: NameError: name 'Answer'"):
        make(desk)
    assert (desk.package / "tinytorch/core/second.py").read_bytes() == before


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("#| export\nclass Answer(:", "the cell answer is not valid Python, line 2"),
        ("#| export\nAnswer = TWO", "cannot be imported: NameError: name 'TWO' is not defined"),
    ],
)
def test_broken_export_keeps_earlier_module(desk, source, message):
    before = make(desk.write("answer", RIGHT)).files[MODULE].read_bytes()
    with pytest.raises(TitoError, match=message):
        make(desk.write("answer", source))
    core = desk.package / "tinytorch" / "core"
    assert (core / "second.py").read_bytes() == before
    assert not list(core.glob(".export-*"))


def test_a_notebook_of_another_module_is_refused(desk):
    with pytest.raises(TitoError, match="exports to tinytorch.core.second, not to tinytorch.core"):
        export(desk.path, "tinytorch.core.first", package=desk.package / "tinytorch")
