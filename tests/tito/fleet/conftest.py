"""The small course of the grading tests, and classes whose marks are known."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tests.tito.grading.conftest import (  # noqa: F401 - fixtures
    RIGHT,
    course,
    hand_in,
    module,
    released,
    solve,
    template,
)
from tito.kernels.forking import end_zygotes

#: What students write, and the points of the two graded cells that it earns.
KINDS = [
    (RIGHT, (4.0, 6.0)),
    ({"double-function": RIGHT["double-function"]}, (4.0, 0.0)),
    ({"triple-function": RIGHT["triple-function"]}, (0.0, 6.0)),
    ({**RIGHT, "double-function": "def double(x): return 4"}, (2.0, 6.0)),
]


@pytest.fixture
def class_of(hand_in, released):  # noqa: F811 - fixtures
    """Hand in a class; return the points of each student."""

    def make(students: int) -> dict[str, tuple[float, float]]:
        expected = {}
        for number in range(students):
            solutions, points = KINDS[number % len(KINDS)]
            student = f"student-{number:03}"
            hand_in(student, solve(nbformat.from_dict(released), solutions))
            expected[student] = points
        return expected

    return make


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder for temporary files with a path that is short enough for sockets in it."""
    made = Path(tempfile.mkdtemp(prefix="ts-", dir="/tmp"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _no_zygote_is_left() -> Iterator[None]:
    yield
    end_zygotes()
