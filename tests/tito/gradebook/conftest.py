"""The small course, for these tests."""

from tests.tito.small_course import (
    class_of,
    course,
    hand_in,
    module,
    no_zygote_is_left,
    released,
    scratch,
    template,
)

__all__ = [
    "class_of",
    "course",
    "hand_in",
    "module",
    "no_zygote_is_left",
    "released",
    "scratch",
    "template",
]
