"""A copy of the real course, so that tests never touch the files of a class."""

import os
import signal
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
def real_course(tmp_path_factory) -> Course:
    """The real course with a release of 08_optimizers; for tests that only read it."""
    from tito.authoring.release import release

    course = copy_course(tmp_path_factory.mktemp("course"))
    release(course, course.module("08_optimizers"))
    return course


@pytest.fixture(scope="session")
def bundle(real_course):
    """The zip that students get."""
    from tito.authoring.bundle import pack

    module = real_course.module("08_optimizers")
    return pack(real_course, module, real_course.release / module.name / "optimizers_dev.ipynb")


@pytest.fixture(scope="session")
def machine(bundle, tmp_path_factory):
    """A student's machine with the bundle installed; for tests that change no file of it."""
    from tests.student import set_up

    return set_up(bundle, tmp_path_factory.mktemp("machine"))
