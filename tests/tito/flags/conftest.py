"""The small course, for these tests."""

from tests.tito.small_course import course, hand_in, module, released, template

__all__ = ["course", "hand_in", "module", "released", "template"]
