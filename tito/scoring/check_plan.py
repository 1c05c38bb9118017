"""The plan of an assignment's checks, and the session in which one submission answers them.

This is judged where no student's code has ever run, from plain data only, and fail-closed: a part
holds if exactly one well-formed observation came for each set of its inputs, and each is right.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from nbformat import NotebookNode

from tinytorch.checks import Checks, Report
from tinytorch.checks.cell import Part
from tinytorch.checks.judge import judge, show
from tinytorch.checks.matchers import Matcher
from tinytorch.checks.observe import Observation
from tinytorch.checks.publish import OBSERVATION_TYPE
from tinytorch.checks.report import PartVerdict
from tinytorch.checks.wire import MalformedError, decode
from tito.course import check_modules
from tito.course.cells import is_autograded
from tito.course.check_modules import Texts
from tito.errors import TitoError
from tito.scoring import reference
from tito.scoring.payload import Cases, draw_cases, payload, payload_source
from tito.submission.leaving_out import LeftOut, leave_out

_KEYS = {"version", "run", "grade_id", "part", "case", "values", "error"}
_KEYS |= {"unfinished", "interrupted"}
_MAX_ERROR = 500


@dataclass(frozen=True)
class CheckPlan:
    """Everything about a run that a student's process must not know, and the inputs it gets."""

    #: From which the fresh inputs are drawn; recorded with the mark.
    seed: int
    #: By graded cell: parts, points, expected values.
    checks: Mapping[str, Checks]
    #: By graded cell: its text, by which the release is held to the source.
    sources: Mapping[str, str]
    #: The modules of the checks, by their paths.
    texts: Texts
    #: By graded cell and part: the inputs, the public ones first.
    cases: Mapping[str, Cases]
    #: What the reference gives for them; see :func:`tito.scoring.reference.expected_answers`.
    answers: str

    @cached_property
    def expected(self) -> Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]:
        """By graded cell and part: what the reference gives for each set of inputs."""
        return decode(json.loads(self.answers))

    @cached_property
    def asked(self) -> frozenset[str]:
        """The names of a student's notebook that graded cells ask for."""
        return frozenset().union(
            *(check_modules.names_asked(each, self.texts) for each in self.checks.values())
        )

    def differing(self, held: Mapping[str, str]) -> list[str]:
        """Name the graded cells of which the gradebook holds another text than the source."""
        ours = {name: text.strip() for name, text in self.sources.items()}
        names = sorted(ours.keys() | held.keys())
        return [name for name in names if ours.get(name) != held.get(name)]

    def leave_out(self, nb: NotebookNode, demonstrations: Collection[str]) -> LeftOut:
        """Decide which cells of a rebuilt notebook need not run."""
        return leave_out(nb, demonstrations, self.asked)

    def begin(self, nb: NotebookNode) -> Session:
        """Begin the run of a rebuilt notebook."""
        return Session.begin(self)

    @cached_property
    def payloads(self) -> dict[str, str]:
        """By graded cell: all that its parts are asked, the same for a whole class."""
        return {
            name: payload(self.checks[name], self.texts, cases)
            for name, cases in self.cases.items()
        }


def prepare(source: NotebookNode, seed: int | None = None, answers: str | None = None) -> CheckPlan:
    """Make the plan of an assignment from the course's own notebook.

    Parameters
    ----------
    source : NotebookNode
        With solutions and graded cells.
    seed : int, optional
        To repeat an earlier run; drawn at random by default.
    answers : str, optional
        What the reference gave for this seed; it is asked by default.
    """
    seed = secrets.randbits(48) if seed is None else seed
    graded = {c.metadata.nbgrader.grade_id: c.source for c in source.cells if is_autograded(c)}
    texts = check_modules.texts_of(source)
    declared = check_modules.by_cell(texts)
    if missing := graded.keys() - declared.keys():
        names = ", ".join(sorted(missing))
        raise TitoError(f"no module of checks is for {names}; 'tito lint' says what is missing.")
    checks = {name: declared[name] for name in graded}
    cases = {name: draw_cases(each, seed) for name, each in checks.items()}
    if answers is None:
        answers = reference.expected_answers(source, cases)
    return CheckPlan(seed, checks, graded, texts, cases, answers)


@dataclass(frozen=True)
class Session:
    """One submission's run of a plan, with a name that its messages must carry."""

    plan: CheckPlan
    run: str
    #: Where verdicts are found.
    where = "outside of the student's process"
    #: Whether graded cells define what later cells may need.
    defines = False

    @classmethod
    def begin(cls, plan: CheckPlan) -> Session:
        """Begin a run."""
        return cls(plan, secrets.token_hex(16))

    def payload(
        self, cell: NotebookNode, parts: Sequence[str] | None = None, flush_each: bool = False
    ) -> str:
        """Return what the student's process runs in the place of a graded cell.

        It is of these parts, or of all; with `flush_each` each part's observation is sent before
        the next part begins.
        """
        name = cell.metadata.nbgrader.grade_id
        if cell.source.strip() != self.plan.sources.get(name, "").strip():
            raise TitoError(
                f"the cell {name} of the release is not that of the course's source; "
                "release the assignment again before grading"
            )
        cases = self.plan.cases[name]
        if parts is None or len(parts) == len(cases):
            packed = self.plan.payloads[name]
        else:
            asked = {part: cases[part] for part in parts}
            packed = payload(self.plan.checks[name], self.plan.texts, asked)
        return payload_source(packed, name, self.run, flush_each)

    def unanswered(self, cell: NotebookNode) -> list[str]:
        """Return the parts of a graded cell of which nothing has come."""
        name = cell.metadata.nbgrader.grade_id
        # A list, not a set: what a message names as its part need not be hashable.
        answered = [data.get("part") for data in _messages(cell) if data.get("run") == self.run]
        return [part for part in self.plan.cases[name] if part not in answered]

    def verdict(self, cell: NotebookNode) -> tuple[Report, list[str]]:
        """Judge a graded cell by the observations in its outputs.

        Returns
        -------
        report : Report
            The verdict on every part.
        suspicious : list of str
            Parts that are right for the public inputs and wrong for fresh ones.
        """
        name = cell.metadata.nbgrader.grade_id
        checks, cases = self.plan.checks[name], self.plan.cases[name]
        answers = self._answers(cell)
        verdicts, suspicious = [], []
        for part in checks.parts:
            key = part.name
            expected = self.plan.expected[name][key]
            each = [
                judge_case(part, number, given, expected[number], answers.get((key, number)))
                for number, given in enumerate(cases[key])
            ]
            verdicts.append(next((v for v in each if v.problem), each[0]))
            if each[0].problem is None and verdicts[-1].problem:
                suspicious.append(key)
        return Report(name, checks.points, tuple(verdicts)), suspicious

    def _answers(self, cell: NotebookNode) -> dict[tuple[str, int], Observation]:
        """Return what was observed by part and case; what cannot be believed is an error."""
        name = cell.metadata.nbgrader.grade_id
        answers: dict[tuple[str, int], Observation] = {}
        for message in _messages(cell):
            data = message if type(message) is dict else json.loads(json.dumps(message))
            part, case = data.get("part"), data.get("case")
            if type(part) is not str or part not in self.plan.cases[name] or type(case) is not int:
                continue  # speaks of no part of this cell, so it can neither help nor harm one
            if (part, case) in answers:
                answers[part, case] = Observation({}, "observed twice, so neither is believed")
            else:
                answers[part, case] = self._read(data, name)
        return answers

    def _read(self, data: dict[str, Any], name: str) -> Observation:
        if set(data) != _KEYS or data["version"] != 1:
            return Observation({}, "the observation has an unknown form")
        if data["run"] != self.run or data["grade_id"] != name:
            return Observation({}, "the observation is of another run or cell")
        try:
            values = decode(data["values"])
        except MalformedError as fault:
            return Observation({}, f"the observation is malformed: {fault}")
        error = data["error"]
        if type(values) is not dict or not (error is None or type(error) is str):
            return Observation({}, "the observation is malformed")
        unfinished = data["unfinished"] is True
        return Observation(values, error and error[:_MAX_ERROR], unfinished)


def _messages(cell: NotebookNode) -> list[dict[str, Any]]:
    """Return what a cell's outputs hold of our type."""
    bundles = (output.get("data") for output in cell.outputs if output.output_type != "stream")
    ours = [data[OBSERVATION_TYPE] for data in bundles if OBSERVATION_TYPE in (data or {})]
    each = [item for data in ours for item in (data if isinstance(data, list) else [data])]
    return [data for data in each if isinstance(data, dict)]


def judge_case(
    part: Part,
    number: int,
    given: Mapping[str, Any],
    reference_values: Mapping[str, Any],
    seen: Observation | None,
) -> PartVerdict:
    """Judge what a part saw for one set of inputs; number 0 are the public ones."""
    seen = seen or Observation({}, "nothing came: the cell did not get this far")
    if number == 0:
        return part.verdict(seen)
    expected = {label: _fresh(part.expect[label], reference_values[label]) for label in part.expect}
    problem = judge(expected, seen, part.tolerance)
    if problem:
        inputs = ", ".join(f"{name}={show(value)}" for name, value in given.items())
        label = f"{problem.label}, with other inputs: {' '.join(inputs.split())}"
        problem = replace(problem, label=label[:300])
    return part.with_problem(problem, seen)


def _fresh(public: Any, reference_value: Any) -> Any:
    """Return what is expected for fresh inputs: the reference's value, but matchers stay."""
    if isinstance(public, Matcher):
        return public
    if isinstance(public, Mapping):
        return {key: _fresh(item, reference_value[key]) for key, item in public.items()}
    if _holds_matcher(public):
        pairs = zip(public, reference_value, strict=True)
        return [_fresh(item, value) for item, value in pairs]
    return reference_value  # which may well be longer or shorter than the public one


def _holds_matcher(value: Any) -> bool:
    """Whether a list has a matcher in it, at any depth."""
    if isinstance(value, (list, tuple)):
        return any(_holds_matcher(item) for item in value)
    if isinstance(value, Mapping):
        return any(_holds_matcher(item) for item in value.values())
    return isinstance(value, Matcher)
