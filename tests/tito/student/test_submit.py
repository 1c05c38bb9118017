"""The file to hand in, and what is said about it first."""

import json
import re

import nbformat
import pytest

from tests.tito.student.conftest import RIGHT
from tito.student import execute as executing
from tito.student import submit as submitting
from tito.student.submit import submit
from tito.student.testing import Result


@pytest.fixture
def quick(monkeypatch):
    """Leave out the run in a kernel, which one test below does for real."""
    monkeypatch.setattr(submitting, "execute", lambda *arguments: None)


def hand_in(desk):
    return submit(desk.path, desk.assignment, desk.package)


def finish(desk):
    return desk.write("answer", RIGHT).write("question", "Because six times seven.")


def test_finished_notebook_has_no_warning(desk, quick):
    made = hand_in(finish(desk))
    assert made.warnings == () and made.result.passed
    assert made.path == desk.path.parent / "hand-in" / "second_dev.ipynb"


def test_the_file_is_the_notebook_without_outputs(desk, quick):
    finish(desk).cell("answer").outputs = [nbformat.v4.new_output("stream", text="long")]
    desk.cell("answer").execution_count = 7
    before = hand_in(desk.save()).path.read_bytes()
    sent = json.loads(before)["cells"]
    assert [cell["source"] for cell in sent] == [
        cell.source.splitlines(True) for cell in desk.node.cells
    ]
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in sent)
    desk.cell("answer").execution_count = 9
    assert hand_in(desk.save()).path.read_bytes() == before


def test_unfinished_notebook_is_written_with_warnings(desk, quick):
    made = hand_in(desk)
    assert made.warnings == ("answer: still open: Answer.give", "question: no answer is written")
    assert made.path.is_file()


def test_names_missing_doubled_and_changed_cells(desk, quick):
    finish(desk)
    desk.node.cells.remove(desk.cell("test-answer"))
    desk.node.cells.append(nbformat.from_dict({**desk.cell("answer"), "id": "copy"}))
    desk.cell("imports").source += "\n# mine"
    desk.cell("question").cell_type = "raw"
    assert hand_in(desk.save()).warnings == (
        "imports: the locked cell was changed; the released one takes its place",
        "answer: the cell is there 2 times (cells 3 and 5); keep one of them",
        "test-answer: the cell is missing; the released one takes its place",
        "question: the cell was of type markdown, now raw",
    )


def test_names_cell_that_stops_run_all(desk):
    finish(desk).add("print(first_defined_below)")
    desk.node.cells.append(nbformat.v4.new_code_cell("first_defined_below = 1", id="below"))
    assert hand_in(desk.save()).warnings == (
        "running from top to bottom, cell 4 (print(first_defined_below)): "
        "NameError: name 'first_defined_below' is not defined",
    )


def test_skips_demonstrations_without_points(desk, monkeypatch):
    ran = []
    monkeypatch.setattr(submitting, "execute", lambda node, *how: ran.extend(node.cells))
    helper = "if __name__ == '__main__':\n    BASE = 41"
    desk.add(helper).add("def draw():\n    raise OSError\nif __name__ == '__main__':\n    draw()")
    desk.add("%matplotlib inline").write("answer", RIGHT.replace("41", "BASE"))
    hand_in(desk)
    assert [cell.source for cell in ran] == [
        *(desk.cell("imports").source, desk.cell("answer").source, helper),
        *("%matplotlib inline", desk.cell("test-answer").source),
    ]


def test_a_cell_that_failed_is_named_once(desk):
    finish(desk).write("answer", "#| export\nclass Answer(:")
    cells = [warning.partition(":")[0] for warning in hand_in(desk).warnings]
    assert cells == ["answer, line 2", "test-answer"]


def test_a_name_that_a_graded_cell_needs_is_named(desk, quick):
    finish(desk).write("answer", "#| export\n")
    assert hand_in(desk).warnings == ("test-answer: Answer is not defined",)


def test_blames_excessive_printing_for_timeout(desk, monkeypatch):
    monkeypatch.setattr(executing, "_SECONDS_A_CELL", 3)
    finish(desk).add("import itertools\nfor n in itertools.count():\n    print(n)")
    monkeypatch.setattr(submitting.CheckRunner, "run", lambda _: Result([], []))
    (warning,) = hand_in(desk).warnings
    assert re.search(
        r"A cell did not finish within 3 s; it printed \d{4,} lines: print less", warning
    )
