"""The file to hand in, and what is said about it first."""

import json

import nbformat
import pytest

from tests.tito.student.conftest import RIGHT
from tinytorch.tito.student import submit as submitting
from tinytorch.tito.student.submit import submit


@pytest.fixture
def quick(monkeypatch):
    """Leave out the run in a kernel, which one test below does for real."""
    monkeypatch.setattr(submitting, "_stops", lambda *arguments: iter(()))


def hand_in(desk):
    return submit(desk.path, desk.assignment, desk.package)


def finish(desk):
    return desk.write("answer", RIGHT).write("question", "Because six times seven.")


def test_a_finished_notebook_is_handed_in_without_a_warning(desk, quick):
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


def test_what_is_open_is_said_and_the_file_is_there_all_the_same(desk, quick):
    made = hand_in(desk)
    assert made.warnings == (
        "answer: still open: Answer.give",
        "question: no answer is written",
    )
    assert made.path.is_file()


def test_cells_that_are_missing_doubled_retyped_or_changed_are_named(desk, quick):
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


def test_a_notebook_that_does_not_run_from_top_to_bottom_is_told_where(desk):
    finish(desk).add("if __name__ == '__main__':\n    print(first_defined_below)")
    desk.node.cells.append(nbformat.v4.new_code_cell("first_defined_below = 1", id="below"))
    assert hand_in(desk.save()).warnings == (
        "running from top to bottom, cell 4: NameError: name 'first_defined_below' is not defined",
    )
