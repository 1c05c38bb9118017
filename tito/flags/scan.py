"""The scan for suspicious code, as a step of nbgrader's."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from tito.course.cells import add_flag, answers_of
from tito.flags.suspicion import suspicions


class FlagSuspiciousCode(NbGraderPreprocessor):
    """Note what a submission does that course code does not; it has been rebuilt before."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Add a flag for each finding."""
        release = resources["tinytorch"]["release"]
        given = {cell.source.strip() for cell in release.cells}
        for flag in suspicions(nb, next(iter(answers_of(release)), ""), given):
            add_flag(nb, flag)
        return nb, resources
