"""What a student's notebook defines, as exercises see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: What an exercise returns, by label.
Values = dict[str, Any]


class Student:
    """The names of a student's notebook: ``student.SGD`` is what the notebook calls SGD.

    Parameters
    ----------
    namespace : dict
        The notebook's globals.
    given : mapping, optional
        What is used instead, by name.
    """

    def __init__(self, namespace: dict[str, Any], given: Mapping[str, Any] | None = None) -> None:
        self.namespace = namespace
        self._given = given or {}

    def __getattr__(self, name: str) -> Any:
        value = self.get(name, self)
        if value is not self:
            return value
        if name.startswith("__"):  # what Python asks objects for
            raise AttributeError(name)
        raise NameError(f"name {name!r} is not defined")

    def get(self, name: str, default: Any) -> Any:
        """Return what the notebook calls so, or the default where it has no such name."""
        return self._given.get(name, self.namespace.get(name, default))


class NotJudged:
    """What stands in the place of a graded cell's checks where a submission runs."""

    def run(self, *work: Any, about: str = "") -> None:
        """Do nothing: the grader asks for what checks see."""

    show = run
