import errno
import json
from datetime import datetime
from pathlib import Path

import pytest

from tests.tito.small_course import (
    RIGHT,
    failing,
    gradebook,
    limits,
    make_release,
    mark_by_hand,
    position,
    solve,
    solved,
    statuses,
)
from tito.autograde import grade_class, grade_submission
from tito.errors import TitoError, UsageError
from tito.gradebook import records, result_store, scores, writer
from tito.kernels import isolation
from tito.sandbox import levels
from tito.submission import intake


def graded_notebook(course, module, student) -> Path:
    return course.autograded / student / module.name / f"{module.notebook}.ipynb"


def snapshot(course) -> list:
    """Return all that the gradebook holds of submissions."""
    with gradebook(course) as book:
        return [
            (s.student.id, s.timestamp, g.name, g.auto_score, g.manual_score, g.needs_manual_grade)
            for s in book.assignment_submissions("08_optimizers")
            for n in s.notebooks
            for g in sorted(n.grades, key=lambda g: g.name)
        ]


ENDS = """
from os import _exit as exit_now
def double(x):
    if type(x) is float and {when}:
        exit_now(1)
    return 2 * x
"""
#: What students write in place of a right solution, and the points that it earns.
WRITTEN = {
    "half": ({"triple-function": None}, (4.0, 0.0)),
    "kills": ({"triple-function": "import os; os._exit(1)"}, (4.0, 0.0)),
    "partly": ({"double-function": "def double(x): return 4"}, (2.0, 6.0)),
    # A part that ends the process costs no other part, asked before it or after it.
    "first ends": ({"double-function": ENDS.format(when="x > 0")}, (2.0, 6.0)),
    "last ends": ({"double-function": ENDS.format(when="x < 0")}, (2.0, 6.0)),
}


def test_a_class_is_graded_whatever_single_submissions_do(
    course, module, hand_in, grade, rows, released
):
    limits(course, timeout=2, grace=1.0)
    expected = dict.fromkeys(("right", "renamed", "deleted"), (4.0, 6.0))
    hand_in("right")
    hand_in("renamed", name="my homework.ipynb")
    deleted = solved(released)
    del deleted.cells[position(deleted, "test-double")]
    hand_in("deleted", deleted)
    for student, (changed, expected[student]) in WRITTEN.items():
        solutions = {name: text for name, text in {**RIGHT, **changed}.items() if text}
        hand_in(student, solved(released, solutions))
    hand_in("broken", "{")
    (course.submitted / "empty" / module.name).mkdir(parents=True)
    (course.submitted / "absent").mkdir()
    seen = []
    run = grade(on_progress=lambda run: seen.append((len(run.outcomes), run.total)))

    unread = dict.fromkeys(("broken", "empty"), "failed")
    assert statuses(run) == {**dict.fromkeys(expected, "graded"), **unread}
    assert seen == [(done, 10) for done in range(11)]
    reasons = {o.student: o.reason for o in run.failed}
    assert reasons["broken"].startswith("optimizers_dev.ipynb is not valid JSON (line 1")
    assert "optimizers_dev.ipynb is missing" in reasons["empty"]
    found = {student: tuple(row.points.values()) for student, row in rows().items()}
    marks = {student: (*points, 0.0) for student, points in expected.items()}
    assert found == {**marks, **dict.fromkeys(unread, (None, None, None))}
    flags = {o.student: o.flags for o in run.graded}
    assert flags["right"] == ()
    assert flags["renamed"] == ("renamed: my homework.ipynb",)
    assert flags["deleted"] == ("locked cell deleted: test-double",)
    assert flags["kills"][-1] == "the kernel died while it ran this cell: triple-function"
    record = json.loads(records.path_of(course, module, "partly").read_text())
    assert [part["earned"] for part in record["cells"]["test-double"]["parts"]] == [2.0, 0]
    assert record["isolation"] == run.isolation.as_json() and run.isolation.level == "full"
    assert not list((course.records / module.name).glob(".journal/*.json")), "nothing is left"


def test_an_unchanged_submission_is_skipped_unless_forced(
    hand_in, released, grade, rows, record_of
):
    hand_in("ada")
    assert len(grade().graded) == 1
    assert len(grade().skipped) == 1
    assert len(grade(force=True).graded) == 1
    assert record_of("ada").earlier == (), "it is the same mark"
    hand_in("ada", released)
    run = grade()
    assert len(run.graded) == 1 and rows()["ada"].points["test-double"] == 0.0
    (before,) = record_of("ada").earlier
    assert before["earned"] == {"test-double": 4.0, "test-triple": 6.0}
    told = f"handed in anew; the mark before: 10 points, {before['graded_at']}"
    assert told in run.log.read_text()


def test_a_submission_that_brings_about_a_fault_of_ours_stops_nobody(
    hand_in, grade, rows, monkeypatch
):
    read_file = intake.read_file

    def fail_for_ada(folder, student, *more):
        if student == "ada":
            raise LookupError("who would have thought")
        return read_file(folder, student, *more)

    monkeypatch.setattr(intake, "read_file", fail_for_ada)
    hand_in("ada")
    hand_in("ben")
    run = grade()
    assert statuses(run) == {"ada": "failed", "ben": "graded"}
    assert "LookupError: who would have thought" in run.failed[0].reason
    assert "Traceback" in run.log.read_text(), "the reason says that the log says more"
    assert rows()["ada"].reason == run.failed[0].reason


def test_a_time_that_is_written_corrected_or_removed_later_counts(hand_in, grade, rows, set_due):
    set_due(datetime(2026, 11, 20, 22))
    stamp = hand_in("ada").with_name("timestamp.txt")
    grade()
    changed = "its time of submission has changed"
    times = "2026-11-20 23:00 UTC", "2026-11-20 22:00 UTC", "2026-11-22 21:00:00 UTC", None
    for text, cost in zip(times, (1.0, 0.0, 2.0, 0.0), strict=True):
        stamp.write_text(text) if text else stamp.unlink()
        row = rows()["ada"]
        told = f"{changed}, not graded yet: run 'tito grade 08_optimizers'"
        assert (row.status, row.reason) == ("not graded", told)
        run = grade()
        assert statuses(run) == {"ada": "graded"}
        assert f"{changed}; the mark before: 10 points" in run.log.read_text()
        row = rows()["ada"]
        assert (row.status, row.penalty, row.total) == ("graded", cost, 10.0 - cost)
        assert statuses(grade()) == {"ada": "skipped"}


def test_checks_that_change_make_every_submission_new(
    course, module, hand_in, released, grade, rows
):
    but_eight = "def triple(x):\n    return 0 if x == 8 else 3 * x"
    hand_in("ada", solve(released, {**RIGHT, "triple-function": but_eight}))
    grade()
    assert rows()["ada"].total == 10.0
    source = course.source_notebook(module)
    text = source.read_text()
    changed = text.replace('{\\"secret\\": 7.0}', '{\\"secret\\": 8.0}').replace("21.0", "24.0")
    source.write_text(changed)
    make_release(course)
    assert statuses(grade()) == {"ada": "graded"}
    assert rows()["ada"].total == 7.0
    source.write_text(source.read_text().replace("Twice and thrice", "Two and three times"))
    assert len(grade().skipped) == 1, "text gives no mark"


@pytest.fixture
def regraded(course, module, hand_in, released, grade):
    """A submission that was graded, and has been handed in anew without an answer."""
    hand_in("ada", when="2025-11-20 12:00:00")
    grade()
    hand_in("ada", released, when="2025-11-21 12:00:00")
    return snapshot(course), graded_notebook(course, module, "ada").read_bytes()


@pytest.mark.parametrize("place", ["run", "result"])
def test_a_failed_regrade_leaves_mark_time_and_notebook(
    course, module, regraded, grade, rows, monkeypatch, place
):
    monkeypatch.setattr(grade_submission, place, failing(RuntimeError("no space left")))
    (outcome,) = grade().outcomes
    assert outcome.status == "failed" and "no space left" in outcome.reason
    assert (snapshot(course), graded_notebook(course, module, "ada").read_bytes()) == regraded
    (row,) = rows().values()
    assert (row.status, row.total) == ("failed", 10.0)
    assert row.flags == ("the mark is of an earlier submission",)
    monkeypatch.undo()
    assert grade().outcomes[0].status == "graded"
    assert rows()["ada"].points["test-double"] == 0.0


PLACES = {
    "before the commit": (writer, "set_penalties"),
    "after the commit": (result_store, "replace_text"),
}


@pytest.mark.parametrize("place", PLACES)
def test_marks_that_could_not_be_entered_are_entered_by_the_next_run(
    course, regraded, grade, rows, record_of, monkeypatch, place
):
    full = failing(OSError(errno.ENOSPC, "No space left on device"))
    monkeypatch.setattr(*PLACES[place], full)
    with pytest.raises((TitoError, OSError), match="No space left"):
        grade()
    if place == "before the commit":
        assert snapshot(course) == regraded[0], "all marks of a submission, or none"
    monkeypatch.undo()
    monkeypatch.setattr(grade_submission, "run", full)  # it need not run again
    run = grade()
    assert [outcome.status for outcome in run.outcomes] == ["skipped"]
    assert rows()["ada"].points["test-double"] == 0.0
    record = record_of("ada")
    assert [sum(mark["earned"].values()) for mark in record.earlier] == [10.0]


def test_a_first_submission_that_fails_waits_for_no_grader(course, hand_in, grade, monkeypatch):
    monkeypatch.setattr(grade_submission, "run", failing(RuntimeError("lost")))
    hand_in("ada")
    grade()
    assert snapshot(course) == []


def test_a_mark_entered_by_hand_stays(course, hand_in, released, grade, rows):
    hand_in("ada", solved(released, answer="Since it is associative."))
    grade()
    (row,) = rows().values()
    assert row.points["question-1"] is None and row.needs_manual == ("question-1",)
    mark_by_hand(course, "ada", "question-1", 3.5)
    mark_by_hand(course, "ada", "test-double", 1.0)
    grade(force=True)
    assert tuple(rows()["ada"].points.values()) == (1.0, 6.0, 3.5)


NAMES = ["Ada Lovelace", "[1]", "a,b", "Ωμέγα.σ", "{x}", "*", "%s"]


def test_unusual_names_work_and_one_that_cannot_be_an_id_has_a_row(
    course, module, hand_in, grade, rows
):
    for student in (*NAMES, "a\nb"):
        hand_in(student)
    run = grade()
    assert statuses(run) == {**dict.fromkeys(NAMES, "graded"), "a\nb": "failed"}
    assert "Rename the folder" in run.failed[0].reason
    for student in NAMES:
        assert rows()[student].points["test-triple"] == 6.0
        assert graded_notebook(course, module, student).is_file()
    row = rows()["a\nb"]
    assert row.status == "failed" and "cannot be printed" in row.reason


def test_files_beside_the_notebook_are_not_imported(hand_in, grade, rows):
    folder = hand_in("ada").parent
    (folder / "IPython.py").write_text("raise SystemExit")
    (folder / "json.py").write_text("raise SystemExit")
    assert grade().outcomes[0].status == "graded"
    assert rows()["ada"].points["test-double"] == 4.0


def test_only_the_students_that_are_named_are_graded(hand_in, grade):
    hand_in("ada")
    hand_in("ben")
    assert [o.student for o in grade(["ben"]).outcomes] == ["ben"]
    with pytest.raises(UsageError, match="no submission of 08_optimizers by cyd"):
        grade(["cyd"])


MISSING = {
    "released": "tito release 08_optimizers",
    "source_notebook": "is missing; make it with 'tito export 08_optimizers'",
}


@pytest.mark.parametrize("file", MISSING)
def test_without_a_release_or_its_source_nothing_begins(course, module, hand_in, grade, file):
    hand_in("ada")
    getattr(course, file)(module).unlink()
    with pytest.raises(TitoError, match=MISSING[file]):
        grade()


@pytest.mark.parametrize("work", [grade_class.grade, scores.table])
def test_an_assignment_that_only_has_a_due_date_is_to_be_released(course, module, hand_in, work):
    hand_in("ada")
    with gradebook(course) as book:  # as 'nbgrader db assignment add' does
        book.remove_assignment(module.name)
        book.add_assignment(module.name, duedate=datetime(2026, 12, 1))
    told = "the gradebook does not know 08_optimizers; make it with 'tito release 08_optimizers'"
    with pytest.raises(TitoError, match=told):
        work(course, module)


@pytest.fixture
def without_bubblewrap(monkeypatch):
    monkeypatch.setattr(levels, "find_bwrap", lambda: None)
    isolation.find.cache_clear()
    yield
    isolation.find.cache_clear()


def test_less_isolation_is_refused_unless_accepted_and_then_noted(
    hand_in, without_bubblewrap, grade, rows, record_of
):
    hand_in("ada")
    with pytest.raises(TitoError, match="(?s)not installed.*processes.*--isolation limits"):
        grade()
    assert record_of("ada") is None
    run = grade(isolation="limits")
    assert run.isolation.level == "limits" and len(run.graded) == 1
    assert rows()["ada"].points["test-double"] == 4.0
    noted = record_of("ada").isolation
    assert noted["level"] == "limits" and "leaves processes behind" in noted["leaks"]


def test_this_machine_is_looked_at_once_a_day(grade, hand_in, course, monkeypatch):
    hand_in("ada")
    grade()
    kept = json.loads((course.records / ".isolation.json").read_text())
    assert kept["isolation"]["level"] == "full"
    isolation.find.cache_clear()
    monkeypatch.setattr(isolation, "choose", failing(AssertionError("looked again")))
    assert grade(force=True).isolation.level == "full"
