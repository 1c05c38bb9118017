import errno
import json
from datetime import datetime
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from tests.tito.small_course import RIGHT, cell, limits, make_release, position, solve
from tito.autograde import grade_class, grade_submission
from tito.errors import TitoError, UsageError
from tito.gradebook import records, result_store, scores
from tito.gradebook.writer import GradebookWriter
from tito.kernels import isolation
from tito.sandbox import levels
from tito.submission import intake


def points(course, module) -> dict[str, dict]:
    return {row.student: row.points for row in scores.table(course, module)}


def graded_notebook(course, module, student) -> Path:
    return course.autograded / student / module.name / f"{module.notebook}.ipynb"


def gradebook(course) -> Gradebook:
    return Gradebook(course.nbgrader_config().CourseDirectory.db_url, "tinytorch-optimizers")


def snapshot(course) -> list:
    """Return all that the gradebook holds of submissions."""
    with gradebook(course) as book:
        return [
            (s.student.id, s.timestamp, g.name, g.auto_score, g.manual_score, g.needs_manual_grade)
            for s in book.assignment_submissions("08_optimizers")
            for n in s.notebooks
            for g in sorted(n.grades, key=lambda g: g.name)
        ]


def with_id(one, new):
    return nbformat.from_dict({**one, "id": new})


@pytest.fixture
def damaged(released):
    """Make a right notebook that a function then damages."""

    def make(damage=None, solutions=RIGHT):
        nb = solve(nbformat.from_dict(released), solutions)
        if damage:
            damage(nb)
        return nb

    return make


def test_a_class_is_graded_whatever_single_submissions_do(course, module, hand_in, damaged):
    limits(course, timeout=2, grace=1.0)
    hand_in("right")
    hand_in("renamed", name="my homework.ipynb")
    hand_in("broken", "{")
    hand_in("half", damaged(solutions={"double-function": RIGHT["double-function"]}))
    hand_in("deleted", damaged(lambda nb: nb.cells.pop(position(nb, "test-double"))))
    hand_in("kills", damaged(solutions={**RIGHT, "triple-function": "import os; os._exit(1)"}))
    for name, when in (("first ends", "x > 0"), ("last ends", "x < 0")):
        ends = f"def double(x):\n  if type(x) is float and {when}: exit_now(1)\n  return 2 * x"
        ends = f"from os import _exit as exit_now\n{ends}"
        hand_in(name, damaged(solutions={**RIGHT, "double-function": ends}))
    hand_in("partly", damaged(solutions={**RIGHT, "double-function": "def double(x): return 4"}))
    (course.submitted / "empty" / module.name).mkdir(parents=True)
    (course.submitted / "absent").mkdir()
    seen = []
    run = grade_class.grade(
        course, module, on_progress=lambda run: seen.append((len(run.outcomes), run.total))
    )

    assert {o.student: o.status for o in run.outcomes} == {
        "right": "graded",
        "renamed": "graded",
        "broken": "failed",
        "half": "graded",
        "deleted": "graded",
        "kills": "graded",
        "first ends": "graded",
        "last ends": "graded",
        "partly": "graded",
        "empty": "failed",
    }
    assert seen == [(done, 10) for done in range(11)]
    reasons = {o.student: o.reason for o in run.failed}
    assert reasons["broken"].startswith("optimizers_dev.ipynb is not valid JSON (line 1")
    assert "optimizers_dev.ipynb is missing" in reasons["empty"]
    full = {"test-double": 4.0, "test-triple": 6.0, "question-1": 0.0}
    none = {"test-double": None, "test-triple": None, "question-1": None}
    assert points(course, module) == {
        "right": full,
        "renamed": full,
        "broken": none,
        "half": {**full, "test-triple": 0.0},
        "deleted": full,
        "kills": {**full, "test-triple": 0.0},
        # A part that ends the process costs no other part, asked before it or after it.
        "first ends": {**full, "test-double": 2.0},
        "last ends": {**full, "test-double": 2.0},
        "partly": {**full, "test-double": 2.0},
        "empty": none,
    }
    flags = {o.student: o.flags for o in run.graded}
    assert flags["right"] == ()
    assert flags["renamed"] == ("renamed: my homework.ipynb",)
    assert flags["deleted"] == ("locked cell deleted: test-double",)
    assert flags["kills"][-1] == "the kernel died while it ran this cell: triple-function"
    record = json.loads(records.path_of(course, module, "partly").read_text())
    assert [part["earned"] for part in record["cells"]["test-double"]["parts"]] == [2.0, 0]
    assert record["isolation"] == run.isolation.as_json() and run.isolation.level == "full"
    assert not list((course.records / module.name).glob(".journal/*.json")), (
        "nothing is still to be done"
    )


def test_an_unchanged_submission_is_skipped_unless_forced(course, module, hand_in, damaged):
    hand_in("ada")
    assert len(grade_class.grade(course, module).graded) == 1
    assert len(grade_class.grade(course, module).skipped) == 1
    assert len(grade_class.grade(course, module, force=True).graded) == 1
    assert records.load(course, module, "ada").earlier == (), "it is the same mark"
    hand_in("ada", damaged(solutions={}))
    run = grade_class.grade(course, module)
    assert len(run.graded) == 1 and points(course, module)["ada"]["test-double"] == 0.0
    (before,) = records.load(course, module, "ada").earlier
    assert before["earned"] == {"test-double": 4.0, "test-triple": 6.0}
    assert f"handed in anew; the mark before: 10 points, {before['graded_at']}" in (
        run.log.read_text()
    )


def test_a_submission_that_brings_about_a_fault_of_ours_stops_nobody(
    course, module, hand_in, monkeypatch
):
    read_file = intake.read_file

    def fail_for_ada(folder, student, *more):
        if student == "ada":
            raise LookupError("who would have thought")
        return read_file(folder, student, *more)

    monkeypatch.setattr(intake, "read_file", fail_for_ada)
    hand_in("ada")
    hand_in("ben")
    run = grade_class.grade(course, module)
    assert {o.student: o.status for o in run.outcomes} == {"ada": "failed", "ben": "graded"}
    assert "LookupError: who would have thought" in run.failed[0].reason
    assert "Traceback" in run.log.read_text(), "the reason says that the log says more"
    assert scores.table(course, module)[0].reason == run.failed[0].reason


def test_a_time_that_is_written_corrected_or_removed_later_counts(course, module, hand_in):
    with gradebook(course) as book:
        book.update_or_create_assignment(module.name, duedate=datetime(2026, 11, 20, 22))
    folder = hand_in("ada").parent
    grade_class.grade(course, module)
    totals = []
    times = "2026-11-20 23:00 UTC", "2026-11-20 22:00 UTC", "2026-11-22 21:00:00 UTC", None
    for text in times:
        stamp = folder / "timestamp.txt"
        stamp.write_text(text) if text else stamp.unlink()
        (row,) = scores.table(course, module)
        assert (row.status, row.reason) == (
            "not graded",
            "its time of submission has changed, not graded yet: run 'tito grade 08_optimizers'",
        )
        run = grade_class.grade(course, module)
        assert [o.status for o in run.outcomes] == ["graded"]
        assert "its time of submission has changed; the mark before: 10 points" in (
            run.log.read_text()
        )
        (row,) = scores.table(course, module)
        totals.append((row.status, row.penalty, row.total))
        assert len(grade_class.grade(course, module).skipped) == 1
    assert totals == [("graded", cost, 10.0 - cost) for cost in (1.0, 0.0, 2.0, 0.0)]


def test_a_new_release_makes_every_submission_new(course, module, hand_in):
    hand_in("ada")
    grade_class.grade(course, module)
    path = course.release / module.name / f"{module.notebook}.ipynb"
    path.write_text(path.read_text() + "\n")
    assert len(grade_class.grade(course, module).graded) == 1


def test_checks_that_change_make_every_submission_new(course, module, hand_in, released):
    but_eight = "def triple(x):\n    return 0 if x == 8 else 3 * x"
    hand_in("ada", solve(released, {**RIGHT, "triple-function": but_eight}))
    grade_class.grade(course, module)
    assert [row.total for row in scores.table(course, module)] == [10.0]
    source = course.source_notebook(module)
    text = source.read_text()
    changed = text.replace('{\\"secret\\": 7.0}', '{\\"secret\\": 8.0}').replace("21.0", "24.0")
    source.write_text(changed)
    make_release(course)
    assert [outcome.student for outcome in grade_class.grade(course, module).graded] == ["ada"]
    assert [row.total for row in scores.table(course, module)] == [7.0]
    source.write_text(source.read_text().replace("Twice and thrice", "Two and three times"))
    assert len(grade_class.grade(course, module).skipped) == 1, "text gives no mark"


@pytest.fixture
def regraded(course, module, hand_in, damaged):
    """A submission that was graded, and has been handed in anew without an answer."""
    folder = hand_in("ada").parent
    (folder / "timestamp.txt").write_text("2025-11-20 12:00:00 UTC")
    grade_class.grade(course, module)
    hand_in("ada", damaged(solutions={}))
    (folder / "timestamp.txt").write_text("2025-11-21 12:00:00 UTC")
    return snapshot(course), graded_notebook(course, module, "ada").read_bytes()


@pytest.mark.parametrize("place", ["run", "result"])
def test_a_failed_regrade_leaves_mark_time_and_notebook(
    course, module, regraded, monkeypatch, place
):
    def fail(*args):
        raise RuntimeError("no space left")

    monkeypatch.setattr(grade_submission, place, fail)
    (outcome,) = grade_class.grade(course, module).outcomes
    assert outcome.status == "failed" and "no space left" in outcome.reason
    assert (snapshot(course), graded_notebook(course, module, "ada").read_bytes()) == regraded
    (row,) = scores.table(course, module)
    assert (row.status, row.total) == ("failed", 10.0)
    assert row.flags == ("the mark is of an earlier submission",)
    monkeypatch.undo()
    assert grade_class.grade(course, module).outcomes[0].status == "graded"
    assert points(course, module)["ada"]["test-double"] == 0.0


@pytest.mark.parametrize("place", ["before the commit", "after the commit"])
def test_marks_that_could_not_be_entered_are_entered_by_the_next_run(
    course, module, regraded, monkeypatch, place
):
    def fail(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    if place == "before the commit":
        monkeypatch.setattr(GradebookWriter, "_set_comments", fail)
    else:
        monkeypatch.setattr(result_store, "replace_text", fail)
    with pytest.raises((TitoError, OSError), match="No space left"):
        grade_class.grade(course, module)
    if place == "before the commit":
        assert snapshot(course) == regraded[0], "all marks of a submission, or none"
    monkeypatch.undo()
    monkeypatch.setattr(grade_submission, "run", fail)  # it need not run again
    run = grade_class.grade(course, module)
    assert [outcome.status for outcome in run.outcomes] == ["skipped"]
    assert points(course, module)["ada"]["test-double"] == 0.0
    record = records.load(course, module, "ada")
    assert [sum(mark["earned"].values()) for mark in record.earlier] == [10.0]


def test_a_first_submission_that_fails_waits_for_no_grader(course, module, hand_in, monkeypatch):
    def fail(*args):
        raise RuntimeError("lost")

    monkeypatch.setattr(grade_submission, "run", fail)
    hand_in("ada")
    grade_class.grade(course, module)
    assert snapshot(course) == []


def test_a_mark_entered_by_hand_stays(course, module, hand_in, damaged):
    answer = damaged(lambda nb: cell(nb, "question-1").update(source="Since it is associative."))
    hand_in("ada", answer)
    grade_class.grade(course, module)
    (row,) = scores.table(course, module)
    assert row.points["question-1"] is None and row.needs_manual == ("question-1",)
    with gradebook(course) as book:
        for name, mark in (("question-1", 3.5), ("test-double", 1.0)):
            grade = book.find_grade(name, module.notebook, module.name, "ada")
            grade.manual_score, grade.needs_manual_grade = mark, False
        book.db.commit()
    grade_class.grade(course, module, force=True)
    assert points(course, module)["ada"] == {
        "test-double": 1.0,
        "test-triple": 6.0,
        "question-1": 3.5,
    }


@pytest.mark.parametrize("student", ["Ada Lovelace", "[1]", "a,b", "Ωμέγα.σ", "{x}", "*", "%s"])
def test_unusual_names_work(course, module, hand_in, student):
    hand_in(student)
    (outcome,) = grade_class.grade(course, module).outcomes
    assert (outcome.status, outcome.reason) == ("graded", "")
    assert points(course, module)[student]["test-triple"] == 6.0
    assert graded_notebook(course, module, student).is_file()


def test_a_name_that_cannot_be_an_id_is_refused_and_has_a_row(course, module, hand_in):
    hand_in("a\nb")
    (outcome,) = grade_class.grade(course, module).outcomes
    assert outcome.status == "failed" and "Rename the folder" in outcome.reason
    (row,) = scores.table(course, module)
    assert row.status == "failed" and "cannot be printed" in row.reason


def test_files_beside_the_notebook_are_not_imported(course, module, hand_in):
    folder = hand_in("ada").parent
    (folder / "IPython.py").write_text("raise SystemExit")
    (folder / "json.py").write_text("raise SystemExit")
    assert grade_class.grade(course, module).outcomes[0].status == "graded"
    assert points(course, module)["ada"]["test-double"] == 4.0


def test_only_the_students_that_are_named_are_graded(course, module, hand_in):
    hand_in("ada")
    hand_in("ben")
    assert [o.student for o in grade_class.grade(course, module, ["ben"]).outcomes] == ["ben"]
    with pytest.raises(UsageError, match="no submission of 08_optimizers by cyd"):
        grade_class.grade(course, module, ["cyd"])


def test_without_a_release_nothing_begins(course, module, hand_in):
    hand_in("ada")
    (course.release / module.name / f"{module.notebook}.ipynb").unlink()
    with pytest.raises(TitoError, match="tito release 08_optimizers"):
        grade_class.grade(course, module)


@pytest.mark.parametrize("work", [grade_class.grade, scores.table])
def test_an_assignment_that_only_has_a_due_date_is_to_be_released(course, module, hand_in, work):
    hand_in("ada")
    (course.root / "gradebook.db").unlink()
    with gradebook(course) as book:  # as 'nbgrader db assignment add' does
        book.add_assignment(module.name, duedate=datetime(2026, 12, 1))
    told = "the gradebook does not know 08_optimizers; make it with 'tito release 08_optimizers'"
    with pytest.raises(TitoError, match=told):
        work(course, module)


def test_without_the_source_notebook_nothing_begins(course, module, hand_in):
    hand_in("ada")
    course.source_notebook(module).unlink()
    with pytest.raises(TitoError, match="is missing; make it with 'tito export 08_optimizers'"):
        grade_class.grade(course, module)


@pytest.fixture
def without_bubblewrap(monkeypatch):
    monkeypatch.setattr(levels, "find_bwrap", lambda: None)
    isolation.find.cache_clear()
    yield
    isolation.find.cache_clear()


def test_less_isolation_is_refused_unless_accepted_and_then_noted(
    course, module, hand_in, without_bubblewrap
):
    hand_in("ada")
    with pytest.raises(TitoError, match="(?s)not installed.*processes.*--isolation limits"):
        grade_class.grade(course, module)
    assert records.load(course, module, "ada") is None
    run = grade_class.grade(course, module, isolation="limits")
    assert run.isolation.level == "limits" and len(run.graded) == 1
    assert points(course, module)["ada"]["test-double"] == 4.0
    noted = records.load(course, module, "ada").isolation
    assert noted["level"] == "limits" and "leaves processes behind" in noted["leaks"]
