"""nbgrader's steps without a gradebook: what they read comes along, what they write goes back."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import MissingEntry
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets.config import Config
from traitlets.utils.importstring import import_item

from tito.autograde.execute_here import ExecuteHere
from tito.autograde.job import Assignment
from tito.course.cells import questions
from tito.scoring.verdicts import automatic_comment, automatic_score, tell
from tito.submission.rebuild import RestoreCells

Resources = dict[str, Any]


class OverwriteKernelspecHere(NbGraderPreprocessor):
    """nbgrader's OverwriteKernelspec on what came along."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Set the kernelspec."""
        kernelspec = resources["tinytorch"]["assignment"].kernelspec
        if kernelspec:
            nb.metadata.kernelspec = json.loads(kernelspec)
        return nb, resources


class RestoreCellsHere(RestoreCells):
    """RestoreCells on what came along."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Restore what students may not change."""
        ids = resources["nbgrader"]
        self.notebook_id, self.assignment_id = ids["notebook"], ids["assignment"]
        self.gradebook = _Cells(resources["tinytorch"]["assignment"])
        return NbGraderPreprocessor.preprocess(self, nb, resources)


class _Cells:
    """As much of a gradebook as OverwriteCells reads."""

    def __init__(self, assignment: Assignment) -> None:
        self._cells = {cell.name: cell for cell in assignment.cells}

    def find_source_cell(self, name: str, *_: str) -> Any:
        if name not in self._cells:
            raise MissingEntry(f"no cell {name}")
        return self._cells[name]

    def find_graded_cell(self, name: str, *_: str) -> Any:
        return SimpleNamespace(max_score=self.find_source_cell(name).max_score)


class TellVerdicts(NbGraderPreprocessor):
    """SaveVerdicts without the saving: scores and comments go into the resources."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Judge the cells, and note what the gradebook is to hold."""
        tell(nb, resources["sitting"])
        scores: dict[str, float | None] = {}
        comments: dict[str, str | None] = {}
        for cell in nb.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if utils.is_grade(cell):
                scores[name] = automatic_score(cell, self.log)
            if utils.is_solution(cell) or utils.is_task(cell):
                comments[name] = automatic_comment(cell)
        resources["tinytorch"].update(scores=scores, comments=comments, questions=questions(nb))
        return nb, resources


_INSTEAD = {
    "tito.autograde.execute.ExecuteSubmission": ExecuteHere,
    # Of a rebuilt notebook only the release's cells have such metadata; it was checked once.
    "nbgrader.preprocessors.CheckCellMetadata": None,
    "nbgrader.preprocessors.OverwriteKernelspec": OverwriteKernelspecHere,
    "tito.submission.rebuild.RestoreCells": RestoreCellsHere,
    "tito.scoring.verdicts.SaveVerdicts": TellVerdicts,
    # The driver's matter.
    "nbgrader.preprocessors.AssignLatePenalties": None,
    "tito.gradebook.late_steps.AssignPenalty": None,
}


def steps_of(config: Config, log: logging.Logger) -> list[NbGraderPreprocessor]:
    """Make the steps that the configuration of Autograde names."""
    names = [*config.Autograde.sanitize_preprocessors, *config.Autograde.autograde_preprocessors]
    steps = []
    for name in names:
        made = _INSTEAD.get(_full_name(name), name)
        if made is not None:
            step = (import_item(made) if isinstance(made, str) else made)(config=config)
            step.log = log
            steps.append(step)
    return steps


def _full_name(step: Any) -> str:
    return step if isinstance(step, str) else f"nbgrader.preprocessors.{step.__name__}"


def run(
    steps: list[NbGraderPreprocessor], nb: NotebookNode, resources: Mapping[str, Any]
) -> tuple[NotebookNode, Resources]:
    """Let one step after the other work on a notebook."""
    made = dict(resources)
    for step in steps:
        nb, made = step.preprocess(nb, made)
    return nb, made
