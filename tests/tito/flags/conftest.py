"""The small course of the grading tests."""

from tests.tito.grading.conftest import course, hand_in, module, released, template

__all__ = ["course", "hand_in", "module", "released", "template"]
