"""A copy of the real course, so that tests never touch the files of a class."""

import fcntl
import os
import signal
from collections.abc import Callable
from pathlib import Path

# Before NumPy is imported, and for all that tests start: small arrays gain nothing from threads,
# which wait for each other by spinning.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import pytest

from tests.submissions.course import copy_course
from tito.course import Course

ROOT = Path(__file__).resolve().parents[1]
ASSIGNMENTS = ("08_optimizers", "10_modern_optimizers")
#: Files that take minutes begin first: no core waits for the last of them at the end.
LONGEST = (
    "tests/submissions/test_sample_class.py",
    "tests/attacks/test_attacks.py",
    "tests/solutions/test_luck.py",
    "tests/solutions/test_fresh_inputs.py",
    "tests/solutions/test_flakiness.py",
    "tests/tito/autograde/test_grade_class.py",
    "tests/browser/test_student.py",
    "tests/browser/test_instructor.py",
    "tests/browser/test_second_assignment.py",
    "tests/tito/hand_in/test_grade_hand_in.py",
    "tests/tito/autograde/test_plain_courses.py",
    "tests/tito/autograde/test_plain_assignments.py",
    "tests/mutation/test_mutation.py",
    "tests/tito/autograde/test_run_cells.py",
)

# What a shell runs in the background ignores Ctrl-C, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {ROOT / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


@pytest.fixture(scope="session")
def once(request, tmp_path_factory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Make a folder in one worker for all workers of a run; for tests that only read it."""
    top = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        top = top.parent

    def make_once(name: str, make: Callable[[Path], object]) -> Path:
        folder, made = top / name, top / f"{name}.made"
        with (top / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                folder.mkdir()
                make(folder)
                made.touch()
        return folder

    return make_once


@pytest.fixture(scope="session")
def real_course(once) -> Course:
    """The real course with releases of both assignments; for tests that only read it."""
    from tito.authoring.release import release

    def make(folder: Path) -> None:
        course = copy_course(folder)
        for name in ASSIGNMENTS:
            release(course, course.module(name))

    return Course(once("real_course", make))


def _pack(course: Course, name: str, folder: Path) -> None:
    from tito.authoring.bundle import pack

    module = course.module(name)
    made = pack(course, module, course.released(module))
    made.rename(folder / made.name)


def _machine(folder: Path):
    from tests.student import Machine

    return Machine(next(folder.glob("*/*.whl")).parent, folder / "environment")


@pytest.fixture(scope="session")
def bundle(real_course, once) -> Path:
    """The zip that students get."""
    name = ASSIGNMENTS[0]
    return once("bundle", lambda folder: _pack(real_course, name, folder)) / f"{name}.zip"


@pytest.fixture(scope="session")
def machine(bundle, once):
    """A student's machine with the bundle installed; for tests that change no file of it."""
    from tests.student import set_up

    return _machine(once("machine", lambda folder: set_up(bundle, folder)))


@pytest.fixture(scope="session")
def second_machine(real_course, once):
    """A machine with the bundle of the second assignment, and what its student did in the first."""
    from tests.student import set_up
    from tests.submissions.notebook import Work

    def make(folder: Path) -> None:
        first, second = ASSIGNMENTS
        _pack(real_course, second, folder)
        made = set_up(folder / f"{second}.zip", folder / "machine")
        work = Work(real_course, real_course.module(first)).solve()
        (folder / work.file).write_text(work.text())
        exported = made.run("tito", "export", str(folder / work.file))
        assert exported.returncode == 0, exported.stderr

    return _machine(once("second_machine", make) / "machine")
