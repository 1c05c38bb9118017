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

_IDLE_CLASS = """
class {}:
    def __init__(self, *arguments, **options):
        vars(self).update({})

    def step(self, *arguments):
        pass

    zero_grad = get_lr = step
"""
#: Has everything but the rule.
_IDLE_BY_GROUPS = """
class {0}(Optimizer):
    def __init__(self, parameters, {1}):
        options = dict(locals())
        for name in ("self", "parameters", "communicator", "__class__"):
            options.pop(name, None)
        super().__init__(parameters, **options)
        self.t = 0
        self.m = [np.zeros(parameter.data.shape) for parameter in self.parameters]
        self.v = self.velocity = self.m

    def step(self):
        self.t += 1
"""
_OF_ADAMW = "beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01"
_IDLE = {
    "gradient-descent-function": "def gradient_descent_step(parameter, learning_rate):\n    pass",
    "sgd-class": _IDLE_CLASS.format(
        "SGD", "parameters=[], learning_rate=0.0, momentum=0.0, velocity={}"
    ),
    "adam-class": _IDLE_CLASS.format(
        "Adam",
        "parameters=[], learning_rate=0.0, beta1=0.0, beta2=0.0, epsilon=0.0, m={}, v={}, t=0",
    ),
    "steplr-class": _IDLE_CLASS.format(
        "StepLR", "optimizer=None, step_size=0, gamma=0.0, initial_lr=0.0, step_count=0"
    ),
    "parameter-groups": "def split_decay(parameters, weight_decay):\n    return []",
    **{
        cell: _IDLE_BY_GROUPS.format(*names)
        for cell, names in {
            "rmsprop-class": ("RMSprop", "learning_rate=0.01, alpha=0.99, epsilon=1e-8"),
            "nesterov-class": ("NesterovSGD", "learning_rate=0.01, momentum=0.9, weight_decay=0.0"),
            "adamw-class": ("AdamW", f"learning_rate=0.001, {_OF_ADAMW}"),
            "muon-class": ("Muon", "learning_rate=0.02, momentum=0.95, weight_decay=0.0, steps=5"),
            "sharded-adamw": ("ShardedAdamW", f"communicator, learning_rate=0.001, {_OF_ADAMW}"),
        }.items()
    },
}
#: The right idea that the base "averaged" lacks, by its cell.
_SLIPS = {"sgd-class": "momentum_averaged", "adamw-class": "decay_in_the_gradient"}
#: The class that is written last, by assignment: only who has the reference has all of it.
LAST_CLASSES = {
    "08_optimizers": "AdvancedOptimizerFeatures",
    "10_modern_optimizers": "ShardedAdamW",
}


def stubs(work: Work) -> None:
    """Nothing done: 0 points."""


def idle(work: Work) -> None:
    """Code that runs and does nothing: wrong values, no errors."""
    for grade_id in _IDLE.keys() & set(work.names(written=False)):
        work.put(grade_id, _IDLE[grade_id])


def gradient(work: Work) -> None:
    """The first section right, nothing else: 10 points, or 5."""
    work.solve(work.names(written=False)[0])


def averaged(work: Work) -> None:
    """Everything right but the momentum, or the decay."""
    work.solve()
    for cell in _SLIPS.keys() & set(work.names(written=False)):
        work.put_wrong(cell, _SLIPS[cell])


def perfect(work: Work) -> None:
    """Everything right."""
    work.solve()


BASES: dict[str, Callable[[Work], None]] = {
    base.__name__: base for base in (stubs, idle, gradient, averaged, perfect)
}


def whole_source(course: Course, name: str) -> NotebookNode:
    """Return the source of an assignment, with its checks."""
    module = course.module(name)
    return read_source(module.source, course.checks(module))


def public_answers(notebook: NotebookNode) -> dict[str, tuple[int, dict[str, Any]]]:
    """Return what students can read: by cell, its points and the encoded answers of its parts."""
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


def forgery(tool: str, module: str) -> str:
    """Return code with which a cell forges what others say of it."""
    known = json.dumps(public_answers(whole_source(Course.find(), module)))
    return tool.replace("PUBLIC_ANSWERS", repr(known))
