"""Ctrl-C ends a run soon, says how to go on, and leaves nothing behind."""

import json
import logging
import os
import signal
import time

import nbformat
import pytest

from tests.tito.autograde.processes import kinds_of, start_tito, using
from tests.tito.small_course import RIGHT, solve

#: What is promised is five seconds; a loaded machine may take longer.
SECONDS = 30
LOOP = {**RIGHT, "triple-function": "while True:\n    pass"}


def wait_for(what, run, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert run.poll() is None and time.monotonic() < deadline, run.communicate(timeout=5)
        time.sleep(0.02)


def interrupt(run, times: int = 1) -> tuple[str, str]:
    """Do as a terminal does on Ctrl-C: signal every process of the group; return what is said."""
    began = time.monotonic()
    for again in range(times):
        time.sleep(0.1 * again)
        os.killpg(run.pid, signal.SIGINT)
    said = run.communicate(timeout=SECONDS)
    logging.getLogger(__name__).info("ended after %.2f s", time.monotonic() - began)
    return said


@pytest.fixture
def start(course, class_of, hand_in, released, scratch):
    """Start runs over two submissions that end, then two that do not."""
    class_of(2)
    for student in ("x", "y"):
        hand_in(student, solve(nbformat.from_dict(released), LOOP))
    runs = []

    def begin(*arguments: str):
        run = start_tito(course.root, "grade", "08", *arguments, scratch=scratch)
        runs.append(run)
        return run

    yield begin
    for run in runs:
        run.kill()
        run.communicate()


def test_ctrl_c_ends_hanging_submissions_and_the_next_run_goes_on(
    course, module, start, scratch, journal
):
    records = course.records / module.name

    def hangs(run) -> bool:
        done = {path.name for path in [*records.glob("*.json"), *records.glob(".*/*.json")]}
        kinds = kinds_of(run.pid)
        # Each kernel has a process that waits for its end.
        at_work = len(kinds.get("worker", [])) == 2 and len(kinds.get("kernel", [])) == 4
        return len(done) == 2 and at_work

    run = start("--workers=2")
    wait_for(lambda: hangs(run), run)
    out, error = interrupt(run)
    assert (run.returncode, error) == (1, "")
    assert "interrupted: 2 are left, and nothing is lost; resume with 'tito grade 08_opt" in out
    assert (using(scratch), list(scratch.iterdir())) == ([], [])
    assert list(journal) == []

    run = start("--workers=2", "--json")
    wait_for(lambda: hangs(run), run)
    out, error = interrupt(run, times=2)
    told = json.loads(out)
    assert (run.returncode, error, told["interrupted"]) == (1, "", True)
    assert {one["student"]: one["status"] for one in told["outcomes"]} == {
        "student-000": "skipped",
        "student-001": "skipped",
    }
    assert (using(scratch), list(scratch.iterdir())) == ([], [])


def test_ctrl_c_before_the_first_submission_says_how_to_go_on(course, module, start, scratch):
    run = start()
    # Until then the interpreter starts and imports.
    wait_for(lambda: list((course.records / module.name).glob("grade-*.log")), run)
    out, error = interrupt(run)
    assert "interrupted, and nothing is lost; resume with 'tito grade 08_optimizers'." in error
    assert (run.returncode, out) == (1, "")
    assert (using(scratch), list(scratch.iterdir())) == ([], [])


def test_ctrl_c_ends_a_submission_that_needs_no_worker(course, module, start, scratch):
    run = start("--student", "x")
    begun = course.records / module.name / ".unfinished"
    wait_for(lambda: begun.exists() and len(kinds_of(run.pid).get("kernel", [])) == 2, run)
    out, error = interrupt(run)
    assert (run.returncode, error) == (1, "")
    assert "interrupted: 1 are left, and nothing is lost" in out
    assert (using(scratch), list(scratch.iterdir())) == ([], [])
