"""Who hands in while somebody watches is graded within moments, but not without end."""

import itertools
import json
import signal
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tests.tito.autograde.processes import line_of, start_tito
from tests.tito.small_course import marks_of, submit
from tito.autograde.arrivals import Arrivals

HOUR = timedelta(hours=1)


@pytest.fixture
def watch(tmp_path):
    """Watch a folder; give who arrives within so many looks, each after something was done."""

    def run(*steps, an_hour=0, graded_at=(), told=None, looks=30):
        tell = [].append if told is None else told.append
        arrivals = Arrivals(tmp_path, "one", an_hour, lambda student: graded_at, tell)
        given, todo = [], list(steps)
        for look, student in enumerate(arrivals):
            if student is not None:
                given.append(student)
            elif look >= looks:
                return given
            elif todo:
                todo.pop(0)()

    return run


def writing(folder, student, name, text=""):
    def write():
        place = folder / student / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    return write


def test_each_file_that_is_there_and_whole_is_an_arrival(watch, tmp_path):
    steps = [writing(tmp_path, name, "one/a.ipynb") for name in ("ada", "bob")]
    assert sorted(watch(*steps)) == ["ada", "bob"]


def test_what_is_still_written_waits_until_it_is_whole(watch, tmp_path):
    parts = [writing(tmp_path, "ada", "one/a.ipynb", "x" * size) for size in range(1, 6)]
    assert watch(*parts) == ["ada"]


def test_other_files_are_none(watch, tmp_path):
    # The second file of a folder is seen itself; of the first perhaps its new folder alone.
    names = "two/a.ipynb", "two/b.ipynb", "one/notes.txt", "one/.hidden/x"
    assert watch(*(writing(tmp_path, "ada", name) for name in names)) == []


def test_what_came_before_anybody_watched_is_an_arrival_unless_it_is_known(tmp_path):
    for student in ("ada", "bob", "cy"):
        writing(tmp_path, student, "one/a.ipynb")()
    arrivals = Arrivals(tmp_path, "one", 0, lambda student: (), print, ["ada", "bob"])
    writing(tmp_path, "bob", "one/a.ipynb", "anew")()
    looks = itertools.islice(arrivals, 10)
    assert sorted(student for student in looks if student) == ["bob", "cy"]


def test_who_handed_in_too_often_is_told_and_waits_for_the_end_of_the_hour(watch, tmp_path):
    told, now = [], datetime.now(UTC)
    graded_at = [now - HOUR + timedelta(seconds=1.5), now]
    twice = [writing(tmp_path, "ada", "one/a.ipynb", text) for text in ("x", "yy")]
    assert watch(*twice, an_hour=2, graded_at=graded_at, told=told) == ["ada"]
    assert len(told) == 1 and "ada has handed in more than 2 times within an hour" in told[0]
    assert datetime.now(UTC) >= graded_at[0] + HOUR


def lines_until(process, *wanted):
    """Read lines until each of these was said."""
    left = set(wanted)
    while left:
        line = line_of(process.stdout, 30)
        left -= {words for words in left if words in line}


@contextmanager
def watching(root, module):
    with start_tito(root, "grade", module, "--watch") as process:
        try:
            yield process
        finally:
            process.kill()  # where it has not ended by itself


def test_marks_and_pages_come_while_somebody_watches(course, module):
    submit(course, "ada")
    with watching(course.root, module.name) as process:
        lines_until(process, "ada: graded in")
        for student, text in (("bob", None), ("cy", "{")):
            submit(course, student, text)
        lines_until(process, "bob: graded in", "cy: optimizers_dev.ipynb is not valid JSON")
        page = course.feedback / "bob" / module.name / "optimizers_dev.html"
        assert "All 2 behaviours hold" in page.read_text()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 1  # cy could not be graded
    assert marks_of(course) == {"ada": (4.0, 6.0), "bob": (4.0, 6.0)} | {"cy": (None, None)}
    records = course.records / module.name
    assert json.loads((records / "bob.json").read_text())["status"] == "graded"
    assert not (records / ".unfinished").exists()
