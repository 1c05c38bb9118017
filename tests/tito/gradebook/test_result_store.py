"""Results that no file and no gradebook can hold cost their own student, and nobody else."""

from dataclasses import replace

import pytest
from nbgrader.api import SubmittedNotebook
from sqlalchemy.exc import DataError

from tests.tito.small_course import statuses
from tito.autograde import grade_submission
from tito.autograde.executor_config import ExecutorConfig
from tito.autograde.executors import InlineExecutor
from tito.gradebook import writer


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch):
    """Grade where the patches of these tests are."""
    where, inline = ExecutorConfig, InlineExecutor
    monkeypatch.setattr(where, "executor", lambda *_: inline())
    monkeypatch.setattr(where, "warm_up", lambda *_: None)


#: What makes a result of one student's that cannot be written, by where it cannot.
SPOILED = {
    "a file": {"notebook": "\ud800"},
    "a record": {"isolation": {"\ud800": 1}},
    "JSON": {"isolation": {"leaks": {1, 2}}},
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
    plain = writer.set_penalties

    def refuse(db, assignment, policy, notebooks):
        rows = db.query(SubmittedNotebook).filter(SubmittedNotebook.id.in_(notebooks))
        if "student-001" in {row.student.id for row in rows}:
            raise error
        plain(db, assignment, policy, notebooks)

    monkeypatch.setattr(writer, "set_penalties", refuse)
    run = grade()
    assert list(statuses(run).values()) == ["graded", "failed", "graded"]
    assert not list(journal)
