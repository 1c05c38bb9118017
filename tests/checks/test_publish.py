"""What a graded cell asks arrives where a student's code runs, and answers it."""

import sys

import IPython.display
import pytest
from nbformat.v4 import new_code_cell, new_output

from tests.solutions.harness import assignments
from tests.solutions.session import plan
from tito.scoring.check_plan import Session

CELLS = [(each, name) for each in assignments() for name in each.graded]


@pytest.fixture
def shown(monkeypatch):
    """What is displayed; the modules of exercises are gone afterwards."""
    found = []
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: found.append(data))
    yield found
    for name in [name for name in sys.modules if name.split(".")[0] == "exercises"]:
        del sys.modules[name]


@pytest.mark.parametrize(("assignment", "name"), CELLS, ids=[name for _, name in CELLS])
def test_the_reference_answers_what_is_sent_for_a_graded_cell(assignment, name, shown):
    session = Session.begin(plan(assignment, (0,)))
    nbgrader = {"grade_id": name}
    cell = new_code_cell(assignment.cells[name].source, metadata={"nbgrader": nbgrader})
    exec(session.payload(cell), assignment.run({}, name))
    cell.outputs = [new_output("display_data", data) for data in shown]
    report, _ = session.verdict(cell)
    assert report.passed, f"\n{report}"
