"""Results that no file and no gradebook can hold cost their own student, and nobody else."""

import json
from dataclasses import replace

import nbformat
import pytest
from sqlalchemy.exc import DataError

from tests.tito.small_course import RIGHT, solve, statuses
from tito.autograde import grade_submission, sample
from tito.autograde.executor_config import ExecutorConfig
from tito.autograde.executors import InlineExecutor
from tito.gradebook.writer import GradebookWriter


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch):
    """Grade where the patches of these tests are."""
    where, inline = ExecutorConfig, InlineExecutor
    monkeypatch.setattr(where, "executor", lambda *_: inline())
    monkeypatch.setattr(where, "warm_up", lambda *_: None)
    monkeypatch.setattr(sample, "AT_LEAST", 0)  # what is odd is not to be compared


def test_half_characters_in_a_notebook_stop_nobody(class_of, hand_in, released, grade, record_of):
    class_of(1)
    notebook = solve(nbformat.from_dict(released), RIGHT)
    odd = json.loads(nbformat.writes(notebook))
    for cell in odd["cells"]:
        cell["source"] = ["".join(cell["source"]), "\n\n# \ud800"]
        cell["metadata"]["\ud800"] = cell["metadata"].get("nbgrader", {}).get("x", "\ud800")
        if cell["cell_type"] == "markdown":
            cell["attachments"] = {"\ud800.png": {"image/png": "AAAA\ud800"}}
    hand_in("odd", json.dumps(odd))
    assert statuses(grade()) == {"odd": "graded", "student-000": "graded"}
    assert sum(c["earned"] for c in record_of("odd").cells.values()) == 10


#: What makes a result of one student's that cannot be written, by where it cannot.
SPOILED = {
    "a file": {"notebook": "\ud800"},
    "a record": {"cells": {"\ud800": {"earned": 1}}},
    "JSON": {"cells": {"test-double": {1, 2}}},
}


@pytest.mark.parametrize("fields", SPOILED.values(), ids=SPOILED)
def test_unwritable_result_fails(class_of, grade, record_of, monkeypatch, fields):
    class_of(3)
    plain = grade_submission.result

    def spoil(*arguments):
        made = plain(*arguments)
        return replace(made, **fields) if made.student == "student-001" else made

    monkeypatch.setattr(grade_submission, "result", spoil)
    assert list(statuses(grade()).values()) == ["graded", "failed", "graded"]
    assert "cannot be written" in record_of("student-001").reason


@pytest.mark.parametrize("error", [ValueError("NUL"), DataError("", {}, Exception("too long"))])
def test_unstorable_mark_fails_one_result(class_of, grade, journal, monkeypatch, error):
    class_of(3)
    plain = GradebookWriter._set_scores

    def set_scores(self, results, *more):
        if any(result.student == "student-001" for result in results):
            raise error
        plain(self, results, *more)

    monkeypatch.setattr(GradebookWriter, "_set_scores", set_scores)
    run = grade()
    assert list(statuses(run).values()) == ["graded", "failed", "graded"]
    assert not list(journal)
