"""Processes of a run are killed at random; no mark is lost, and none is entered twice."""

import logging
import os
import random
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from tests.tito.autograde.processes import KINDS, kill, kinds_of, start_tito, using
from tests.tito.sandbox.starting import wait_for
from tests.tito.small_course import KINDS as CLASS
from tests.tito.small_course import gradebook
from tito.autograde import grade_class
from tito.course import Course

#: The full form is TITO_FAULT_STUDENTS=300 TITO_FAULT_KILLS=20.
STUDENTS = int(os.environ.get("TITO_FAULT_STUDENTS", "35"))
KILLS = int(os.environ.get("TITO_FAULT_KILLS", "6"))
RUN_SECONDS = 120 + STUDENTS
_log = logging.getLogger(__name__)


def held(course) -> dict[str, list]:
    """Return all that the gradebook holds of each student's submission, but keys and times."""
    found: dict[str, list] = {}
    with gradebook(course) as book:
        for submission in book.assignment_submissions("08_optimizers"):
            (notebook,) = submission.notebooks
            grades = [(g.name, g.auto_score, g.needs_manual_grade) for g in notebook.grades]
            comments = [(c.name, c.auto_comment) for c in notebook.comments]
            found.setdefault(submission.student_id, []).append((sorted(grades), sorted(comments)))
    return found


def quiet(course, folder: Path) -> list:
    """Return what a quiet run gives to one student of each kind."""
    shutil.copytree(course.root, folder)
    other = Course(folder)
    for path in sorted(other.submitted.iterdir())[len(CLASS) :]:
        shutil.rmtree(path)
    assert len(grade_class.grade(other, other.module("08")).graded) == len(CLASS)
    return [rows for _, rows in sorted(held(other).items())]


def left_in(scratch: Path) -> list[Path]:
    """Return what runs left, but what a killed driver's multiprocessing leaves: empty folders."""
    return [path for path in scratch.iterdir() if not path.name.startswith("pymp-")]


def probes_in(folder: Path) -> list[Path]:
    """Return the folders that students' code should not get at, while that is tried."""
    return list(folder.glob("**/.tito-probe-*"))


class Killer:
    """Kills a process whenever the class has got on a bit; each kind has its turns."""

    def __init__(self, course, module, rng: random.Random) -> None:
        self.folder = course.records / module.name
        self.rng = rng
        self.killed: list[str] = []
        self._deck: list[str] = []

    def watch(self, run: subprocess.Popen) -> None:
        """Kill processes of a run until it ends."""
        deadline = time.monotonic() + RUN_SECONDS
        while run.poll() is None and time.monotonic() < deadline:
            if len(self.killed) < KILLS and self._done() * (KILLS + 1) >= STUDENTS * self._turn():
                time.sleep(self.rng.uniform(0, 0.2))
                self._kill_one(run.pid)
            time.sleep(0.02)
        assert run.poll() is not None, f"the run did not end; killed: {self.killed}"

    def _turn(self) -> int:
        return len(self.killed)

    def _done(self) -> int:
        names = (path.name for path in self.folder.glob("*.json"))
        return len({*names, *(path.name for path in self.folder.glob(".journal/*.json"))})

    def _kill_one(self, driver: int) -> None:
        self._deck = self._deck or self.rng.sample(KINDS, len(KINDS))
        if pids := kinds_of(driver).get(self._deck[-1]):
            self.killed.append(self._deck.pop())
            kill(self.rng.choice(pids))


def test_marks_are_those_of_a_quiet_run_whatever_is_killed(
    course, module, class_of, tmp_path, scratch, record_of, journal
):
    expected = list(class_of(STUDENTS))
    right = quiet(course, tmp_path / "quiet")
    killer, ends = Killer(course, module, random.Random(2)), []
    for _ in range(2 * KILLS):  # each start ends by itself or by a kill of the driver
        run = start_tito(course.root, "grade", "08", "--workers", "2", scratch=scratch)
        with suppress(BrokenPipeError):
            killer.watch(run)
        ends.append((run.returncode, *run.communicate(timeout=60)))
        if run.returncode == 0:
            break
    for code, out, error in ends:
        _log.info("ended with %s: %s", code, out + error)
    _log.info("killed: %s", ", ".join(killer.killed))
    assert ends[-1][0] == 0, ends
    assert set(killer.killed) == set(KINDS), killer.killed
    marks = held(course)
    assert marks == {s: right[n % len(CLASS)] for n, s in enumerate(expected)}, "none twice"
    found = {s: record_of(s) for s in expected}
    assert {record.status for record in found.values() if record} == {"graded"}
    assert not [s for s, record in found.items() if record is None or record.earlier]
    assert list(journal) == []
    assert using(scratch) == []
    assert left_in(scratch) == []


def test_what_a_run_killed_while_it_tries_the_sandbox_leaves_goes_with_the_next(
    course, class_of, scratch
):
    class_of(1)
    run = start_tito(course.root, "grade", "08", scratch=scratch)
    assert wait_for(lambda: probes_in(course.root), RUN_SECONDS)
    kill(run.pid)
    run.communicate(timeout=60)
    assert run.returncode == -9 and left_in(scratch) and probes_in(course.root)
    again = start_tito(course.root, "grade", "08", scratch=scratch)
    again.communicate(timeout=RUN_SECONDS)
    assert again.returncode == 0
    assert left_in(scratch) + probes_in(course.root) == []
