"""Processes are killed while a class is graded; no mark is lost, none is another one's."""

import json
import os
import signal
import subprocess

import pytest

from tinytorch.tito.fleet.job import Result
from tinytorch.tito.fleet.journal import Journal
from tinytorch.tito.grading import pipeline, records, scores

from .conftest import start_tito


def marks(course, module) -> dict[str, tuple]:
    rows = scores.table(course, module)
    return {row.student: (row.points["test-double"], row.points["test-triple"]) for row in rows}


def test_a_result_of_a_killed_run_is_entered_once(course, module, class_of):
    class_of(1)
    pipeline.grade(course, module)
    record = records.load(course, module, "student-000")
    path = course.autograded / "student-000" / module.name / f"{module.notebook}.ipynb"
    left = Result(
        "student-000", record.submission, "graded", notebook=path.read_text(),
        scores={"test-double": 4.0, "test-triple": 6.0}, comments={"question-1": "No response."},
        cells=record.cells, seed=record.seed, isolation=record.isolation,
    )  # fmt: skip
    journal = Journal(course.records / module.name / ".journal")
    journal.add(left)
    (journal.folder / ".student-000.new").write_text('{"half": ')  # killed amid writing
    run = pipeline.grade(course, module)
    assert [outcome.status for outcome in run.outcomes] == ["skipped"]
    assert marks(course, module) == {"student-000": (4.0, 6.0)}
    assert records.load(course, module, "student-000").earlier == (), "it is no second mark"
    assert list(journal) == []


def test_a_submission_that_kills_its_workers_is_given_up_and_the_others_are_graded(
    course, module, class_of, monkeypatch
):
    expected = class_of(4)
    tries = course.root / "tries"
    monkeypatch.setattr("tinytorch.tito.fleet.driver.grade", _Poison("student-001", str(tries)))
    run = pipeline.grade(course, module, where=pipeline.Where(workers=2))
    assert [outcome.student for outcome in run.failed] == ["student-001"]
    assert "each worker that graded it was lost (the worker was killed)" in run.failed[0].reason
    assert len(tries.read_text()) == 2, "retried once, not for ever"
    del expected["student-001"]
    assert {s: m for s, m in marks(course, module).items() if s in expected} == expected


class _Poison:
    """Grades as a worker does, but one submission ends the process it is graded in."""

    def __init__(self, student: str, tries: str) -> None:
        self.student, self.tries = student, tries

    def __call__(self, packed, job):
        from tinytorch.tito.fleet.worker import grade

        if job.student == self.student:
            with open(self.tries, "a") as file:
                file.write("x")
            os.kill(os.getpid(), signal.SIGKILL)
        return grade(packed, job)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
@pytest.mark.parametrize("trouble", ["full", "read-only"])
def test_a_folder_that_cannot_be_written_costs_no_mark(course, module, class_of, trouble):
    expected = class_of(2)
    folder = course.autograded
    folder.mkdir(exist_ok=True)
    size = ["-o", "size=4k"] if trouble == "full" else ["-o", "ro"]
    subprocess.run(["mount", "-t", "tmpfs", *size, "tmpfs", folder], check=True)
    try:
        done = start_tito(course.root, "grade", "08")
        out, error = done.communicate(timeout=120)
        assert done.returncode == 1 and "no mark is lost" in error + out, out + error
    finally:
        subprocess.run(["umount", folder], check=True)
    done = start_tito(course.root, "grade", "08", "--json")
    out, error = done.communicate(timeout=120)
    assert json.loads(out)["failed"] == 0, error
    assert marks(course, module) == expected


def test_a_locked_gradebook_is_waited_for_and_then_reported(course, module, class_of, monkeypatch):
    import sqlite3

    expected = class_of(1)
    monkeypatch.setattr("tinytorch.tito.fleet.gradebook._PATIENCE", 0.1)
    monkeypatch.setattr("tinytorch.tito.fleet.gradebook._PAUSE", 0.05)
    with sqlite3.connect(course.root / "gradebook.db", timeout=0.1) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Exception, match="locked.*Grading again goes on from here"):
            pipeline.grade(course, module)
        other.rollback()
    other.close()
    run = pipeline.grade(course, module)
    assert [outcome.status for outcome in run.outcomes] == ["skipped"], "it was graded before"
    assert marks(course, module) == expected
