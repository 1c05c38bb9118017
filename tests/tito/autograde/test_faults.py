"""Processes are killed while a class is graded; no mark is lost, none is another one's."""

import os
import re
import shutil
import sqlite3
import subprocess
import threading
from pathlib import Path

import pytest

from tests.tito.small_course import failing, make_release, marks_of
from tito.authoring.releases import digest_of_release
from tito.authoring.source import read_notebook
from tito.autograde import grade_class, grade_submission
from tito.course import Course
from tito.errors import NotStartedError, TitoError
from tito.gradebook import records, result_store
from tito.gradebook.result_store import ResultStore
from tito.gradebook.writer import GradebookWriter


def test_what_is_forgotten_is_on_the_disk(course, module, class_of, grade, journal, monkeypatch):
    class_of(2)
    found = []

    def note(folder) -> None:
        places = [path.parts[-3] for path in course.autograded.glob("*/*/*.ipynb")]
        noted = [record.student for record in records.load_all(course, module)]
        kept = [result.student for result in journal]
        found.append((folder, sorted(places) == kept == noted, len(kept)))

    monkeypatch.setattr(result_store, "flush", note)
    grade()
    assert {folder for folder, *_ in found} == {course.autograded, journal.folder}
    assert all(together for _, together, _ in found) and sum(n for *_, n in found[::2]) == 2
    assert list(journal) == []


def test_what_a_kill_amid_writing_left_is_deleted(course, module, class_of, grade):
    class_of(1)
    noted = course.records / module.name
    old = [noted / ".new-1", noted / ".journal" / ".new-2"]
    others = [noted / ".new-3", noted / ".journal" / ".new-4"]
    left = course.autograded / "student-000" / module.name / ".new-5"
    for path in (*old, *others, left):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half of")
    for path in old:
        os.utime(path, (0, 0))
    grade()
    assert [path.exists() for path in (*old, left)] == [False] * 3
    assert all(path.exists() for path in others), "another run may be writing them"


def release_changed(course, module, old: str, new: str) -> str:
    """Release the source notebook with another text in it; return the digest of the release."""
    source = course.source_notebook(module)
    source.write_text(source.read_text().replace(old, new))
    make_release(course)
    return digest_of_release(course.released(module).read_bytes(), read_notebook(source))


@pytest.mark.parametrize("new", ["test-double", "test-twice"], ids=["changed", "renamed"])
def test_a_result_of_another_release_is_not_entered_but_graded_anew(
    course, module, class_of, grade, record_of, journal, monkeypatch, new
):
    class_of(1)
    with monkeypatch.context() as patch, pytest.raises(MemoryError):  # killed before it entered
        patch.setattr(GradebookWriter, "write", failing(MemoryError()))
        grade()
    assert [result.student for result in journal] == ["student-000"]

    hint = 'hint=\\"think\\"'
    release_changed(course, module, hint, hint.replace("think", "think again"))
    digest = release_changed(course, module, "test-double", new)
    run = grade()
    assert [outcome.status for outcome in run.outcomes] == ["graded"]
    record = record_of("student-000")
    assert record.release == digest and set(record.cells) == {new, "test-triple"}
    assert "left by an earlier run, of another release: student-000" in run.log.read_text()
    assert list(journal) == []
    run = grade()
    assert [outcome.status for outcome in run.outcomes] == ["skipped"]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('hint=\\"think\\"', 'hint=\\"think again\\"', "the modules of their checks"),
        ("test-triple", "test-thrice", "test-thrice, test-triple"),
    ],
)
def test_a_source_that_was_changed_and_not_released_stops_the_run_at_once(
    course, module, class_of, grade, monkeypatch, old, new, named
):
    class_of(1)
    source = course.notebooks / module.name / f"{module.notebook}.ipynb"
    text = source.read_text()
    assert old in text
    source.write_text(text.replace(old, new))
    with monkeypatch.context() as patch, pytest.raises(TitoError) as refused:
        patch.setattr(ResultStore, "record", failing(MemoryError()))  # no submission is to blame
        grade()
    assert f": {named}. Release the source with 'tito release {module.name}'" in str(refused.value)
    source.write_text(text)
    assert len(grade().graded) == 1


@pytest.mark.parametrize(
    ("error", "attempts"), [(NotStartedError, 3), (TitoError, 1), (ValueError, 1)]
)
def test_only_what_may_pass_is_tried_again(class_of, grade, monkeypatch, error, attempts):
    class_of(1)
    tried = []

    def fail(*_):
        tried.append(error)
        raise error("no")

    monkeypatch.setattr(grade_submission, "run", fail)
    run = grade()
    assert [outcome.status for outcome in run.outcomes] == ["failed"]
    assert len(tried) == attempts


def test_a_run_that_is_gone_on_with_asks_all_students_the_same(
    course, module, class_of, grade, monkeypatch
):
    class_of(2)
    seeds = iter([1, 2])
    monkeypatch.setattr(grade_class.secrets, "randbits", lambda bits: next(seeds))

    def asked() -> list[int]:
        return [record.seed for record in records.load_all(course, module)]

    with monkeypatch.context() as patch, pytest.raises(MemoryError):  # before the end of the run
        patch.setattr(grade_class.classmates, "compare", failing(MemoryError()))
        grade(["student-000"])
    assert asked() == [1]
    grade()
    assert asked() == [1, 1]
    grade(force=True)
    assert asked() == [2, 2]


@pytest.fixture
def disk(course, class_of, tmp_path):
    """A course on a disk of its own, with a class."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    expected = class_of(2)
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], check=True)
    try:
        yield Course(shutil.copytree(course.root, folder / "course")), expected
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path, left: int) -> None:
    """Fill a disk but for some bytes."""
    filler = folder / "filler"
    filler.unlink(missing_ok=True)
    free = os.statvfs(folder)
    filler.write_bytes(b"0" * (free.f_bavail * free.f_frsize - left))


def test_a_full_disk_costs_no_mark(disk, capfd):
    course, expected = disk
    refused = []
    for left in range(0, 400_000, 8_192):  # a little more at a time: what fails comes later
        fill(course.root.parent, left)
        try:
            run = grade_class.grade(course, course.module("08"), seed=1)
        except TitoError as error:
            assert re.search("(?i)no space left|full", str(error)), error
            assert "resumes from here" in str(error)
            refused.append(str(error).partition(" cannot be written")[0])
            continue
        break
    assert {o.status for o in run.outcomes} <= {"graded", "skipped"} and len(run.outcomes) == 2
    assert marks_of(course) == expected
    assert {"the journal of this run", "the gradebook"} <= set(refused)
    assert capfd.readouterr() == ("", ""), "and nothing is said but that"


@pytest.fixture
def locked(course):
    """Hold the gradebook from another connection until this is called."""
    # SQLite itself waits five seconds otherwise.
    url = f"sqlite:///{course.root}/gradebook.db?timeout=0.2"
    with (course.root / "nbgrader_config.py").open("a") as config:
        config.write(f"c.CourseDirectory.db_url = {url!r}\n")
    other = sqlite3.connect(course.root / "gradebook.db", check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    yield other.rollback
    other.close()


def test_a_locked_gradebook_is_waited_for(class_of, locked, grade, marks):
    expected = class_of(1)
    releasing = threading.Timer(3, locked)

    def release_later(run) -> None:
        if run.outcomes == []:  # all is looked at, and grading begins
            releasing.start()

    run = grade(on_progress=release_later)
    assert releasing.finished.is_set()
    assert len(run.graded) == 1 and marks() == expected


def test_a_gradebook_that_stays_locked_is_reported_and_nothing_is_lost(
    class_of, locked, grade, marks, monkeypatch
):
    expected = class_of(1)
    monkeypatch.setattr("tito.gradebook.writer.LOCK_TIMEOUT", 0.1)
    monkeypatch.setattr("tito.gradebook.writer.RETRY_DELAY", 0.05)
    with pytest.raises(TitoError, match="locked.*Grading again resumes from here"):
        grade()
    locked()
    run = grade()
    assert [outcome.status for outcome in run.outcomes] == ["skipped"], "it was graded before"
    assert marks() == expected
