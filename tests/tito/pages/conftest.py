"""The small course, for these tests."""

from tests.tito.small_course import *  # noqa: F403 - its fixtures
