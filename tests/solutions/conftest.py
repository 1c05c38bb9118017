"""Solutions warn and are made to wait: neither concerns who tests them."""

import warnings
from collections.abc import Iterator

import pytest

from tests.solutions.clock import SkippedPauses


@pytest.fixture(autouse=True)
def _warnings_are_a_students_own_affair() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(autouse=True, scope="module")
def _nobody_waits() -> Iterator[None]:
    with SkippedPauses():
        yield
