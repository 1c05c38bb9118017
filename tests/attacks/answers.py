"""The answers in hostile notebooks, and what an attacker can learn from the public notebook."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output

from tests.submissions.notebook import Work
from tinytorch.checks import AnyValue, Between, Contains, GreaterThan, Not, OneOf
from tinytorch.checks.publish import OBSERVATION_TYPE
from tinytorch.checks.wire import encode
from tito.authoring.source import read_source
from tito.course import Course
from tito.course.cells import is_autograded
from tito.course.check_modules import by_cell, texts_of
from tito.scoring.check_plan import CheckPlan, Session, prepare

_IDLE = {
    "gradient-descent-function": """
def gradient_descent_step(parameter, learning_rate):
    pass
""",
    "sgd-class": """
class SGD:
    def __init__(self, parameters, learning_rate=0.01, momentum=0.0):
        self.parameters, self.learning_rate, self.momentum = [], 0.0, 0.0
        self.velocity = {}

    def step(self):
        pass

    def zero_grad(self):
        pass
""",
    "adam-class": """
class Adam:
    def __init__(self, parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters, self.learning_rate = [], 0.0
        self.beta1 = self.beta2 = self.epsilon = 0.0
        self.m, self.v, self.t = {}, {}, 0

    def step(self):
        pass

    def zero_grad(self):
        pass
""",
    "steplr-class": """
class StepLR:
    def __init__(self, optimizer, step_size, gamma=0.1):
        self.optimizer, self.step_size, self.gamma = None, 0, 0.0
        self.initial_lr, self.step_count = 0.0, 0

    def step(self):
        pass

    def get_lr(self):
        return -1.0
""",
}


def stubs(work: Work) -> None:
    """Nothing done: 0 points."""


def idle(work: Work) -> None:
    """Code that runs and does nothing: wrong values, no errors."""
    for grade_id, source in _IDLE.items():
        work.put(grade_id, source)


def gradient(work: Work) -> None:
    """The first section right, nothing else: 10 points."""
    work.solve("gradient-descent-function")


def averaged(work: Work) -> None:
    """Everything right but the momentum."""
    work.solve().put_wrong("sgd-class", "momentum_averaged")


def perfect(work: Work) -> None:
    """Everything right: 170 points."""
    work.solve()


BASES: dict[str, Callable[[Work], None]] = {
    base.__name__: base for base in (stubs, idle, gradient, averaged, perfect)
}


def whole_source(course: Course) -> NotebookNode:
    """Return the source of the assignment, with its checks."""
    module = course.module("08_optimizers")
    return read_source(module.source, course.checks(module))


def public_answers(notebook: NotebookNode) -> dict[str, tuple[int, dict[str, Any]]]:
    """Return what the checks of the course expect for their public inputs, as students have them.

    Returns
    -------
    dict
        By grade_id: the points, and by part the expected values, encoded for an observation.
    """
    return {
        name: (checks.points, {part.name: encode(_plain(part.expect)) for part in checks.parts})
        for name, checks in by_cell(texts_of(notebook)).items()
    }


def _plain(expected: Any) -> Any:
    """Return a value that is what is expected."""
    match expected:
        case Between():
            return (expected.low + expected.high) / 2
        case GreaterThan():
            return expected.bound + 1.0
        case Contains():
            return expected.text
        case OneOf():
            return _plain(expected.choices[0])
        case AnyValue() | Not():
            return "something else"
        case dict():
            return {key: _plain(value) for key, value in expected.items()}
        case list() | tuple():
            return [_plain(value) for value in expected]
    return expected


def points_for_constants(source: NotebookNode, seed: int) -> float:
    """Return what somebody earns who answers each question as the public one is to be answered."""
    session = Session.begin(_exam(nbformat.writes(source), seed))
    known, earned = public_answers(source), 0.0
    for cell in filter(is_autograded, source.cells):
        name = cell.metadata.nbgrader.grade_id
        heard = []
        for part, cases in session.plan.cases[name].items():
            said = {"version": 1, "run": session.run, "grade_id": name, "part": part}
            said |= {"error": None, "unfinished": False, "interrupted": False}
            said["values"] = known[name][1][part]
            bundles = ({OBSERVATION_TYPE: {**said, "case": case}} for case in range(len(cases)))
            heard += [new_output("display_data", bundle) for bundle in bundles]
        report, _ = session.verdict(NotebookNode(cell, outputs=heard))
        earned += report.earned
    return earned


@cache
def _exam(source: str, seed: int) -> CheckPlan:
    return prepare(nbformat.reads(source, as_version=4), seed)


def forgery(work: Work, tool: str) -> str:
    """Return code with which a cell forges what others say of it."""
    answers = public_answers(whole_source(Course.find()))
    known = {name: list(value) for name, value in answers.items()}
    return tool.replace("PUBLIC_ANSWERS", repr(json.dumps(known)))
