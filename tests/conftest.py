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
    """The real course with a release of 08_optimizers; for tests that only read it."""
    from tito.authoring.release import release

    def make(folder: Path) -> None:
        course = copy_course(folder)
        release(course, course.module("08_optimizers"))

    return Course(once("real_course", make))


@pytest.fixture(scope="session")
def bundle(real_course, once) -> Path:
    """The zip that students get."""
    from tito.authoring.bundle import pack

    module = real_course.module("08_optimizers")
    notebook = real_course.release / module.name / "optimizers_dev.ipynb"

    def make(folder: Path) -> None:
        made = pack(real_course, module, notebook)
        made.rename(folder / made.name)

    return once("bundle", make) / f"{module.name}.zip"


@pytest.fixture(scope="session")
def machine(bundle, once):
    """A student's machine with the bundle installed; for tests that change no file of it."""
    from tests.student import Machine, set_up

    folder = once("machine", lambda folder: set_up(bundle, folder))
    return Machine(next(folder.glob("*/*.whl")).parent, folder / "environment")
