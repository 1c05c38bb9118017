"""Results that no file and no gradebook can hold cost their own student, and nobody else."""

import json
from dataclasses import replace

import nbformat
import pytest
from sqlalchemy.exc import DataError

from tests.tito.small_course import RIGHT, solve
from tito.autograde import grade_class, worker
from tito.gradebook import records, result_store
from tito.gradebook.writer import GradebookWriter


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch):
    """Grade where the patches of these tests are."""
    monkeypatch.setattr(
        grade_class.ExecutorConfig, "executor", lambda *_: grade_class.InlineExecutor()
    )
    monkeypatch.setattr(grade_class.ExecutorConfig, "warm_up", lambda *_: None)


def statuses(run) -> dict[str, str]:
    return {outcome.student: outcome.status for outcome in run.outcomes}


def test_half_characters_in_a_notebook_stop_nobody(course, module, class_of, hand_in, released):
    class_of(1)
    notebook = solve(nbformat.from_dict(released), RIGHT)
    odd = json.loads(nbformat.writes(notebook))
    for cell in odd["cells"]:
        cell["source"] = ["".join(cell["source"]), "\n\n# \ud800"]
        cell["metadata"]["\ud800"] = cell["metadata"].get("nbgrader", {}).get("x", "\ud800")
        if cell["cell_type"] == "markdown":
            cell["attachments"] = {"\ud800.png": {"image/png": "AAAA\ud800"}}
    folder = course.submitted / "odd" / module.name
    folder.mkdir(parents=True)
    (folder / f"{module.notebook}.ipynb").write_text(json.dumps(odd))
    run = grade_class.grade(course, module)
    assert statuses(run) == {"odd": "graded", "student-000": "graded"}
    assert sum(c["earned"] for c in records.load(course, module, "odd").cells.values()) == 10


#: What makes a result of one student's that cannot be written, by where it cannot.
SPOILED = {
    "a file": {"notebook": "\ud800"},
    "a record": {"cells": {"\ud800": {"earned": 1}}},
    "JSON": {"cells": {"test-double": {1, 2}}},
}


@pytest.mark.parametrize("fields", SPOILED.values(), ids=SPOILED)
def test_unwritable_result_fails(course, module, class_of, monkeypatch, fields):
    class_of(3)
    plain = worker._grade

    def grade(job, context):
        made = plain(job, context)
        return replace(made, **fields) if job.student == "student-001" else made

    monkeypatch.setattr(worker, "_grade", grade)
    run = grade_class.grade(course, module)
    assert statuses(run) == {
        "student-000": "graded",
        "student-001": "failed",
        "student-002": "graded",
    }
    assert "cannot be written" in records.load(course, module, "student-001").reason


@pytest.mark.parametrize("error", [ValueError("NUL"), DataError("", {}, Exception("too long"))])
def test_unstorable_mark_fails_one_result(course, module, class_of, monkeypatch, error):
    class_of(3)
    plain = GradebookWriter._set_scores

    def set_scores(self, results, *more):
        if any(result.student == "student-001" for result in results):
            raise error
        plain(self, results, *more)

    monkeypatch.setattr(GradebookWriter, "_set_scores", set_scores)
    run = grade_class.grade(course, module)
    assert [outcome.student for outcome in run.failed] == ["student-001"]
    assert len(run.graded) == 2
    assert not list(result_store.Journal(course.records / module.name / ".journal"))
