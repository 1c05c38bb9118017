"""What a host is told of a submission: by Gradescope's rules, or by PrairieLearn's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tinytorch.checks import Report
from tito.gradebook.gradescope_results import Visibility, results, test, tests_of_parts
from tito.gradebook.result import Result

Results = dict[str, Any]

_AGAIN = "Open the notebook in Jupyter, run it from top to bottom, save it and hand it in again."
_BY_OTHERS = "It could not be graded here. Your instructor can see why, and run it again."
_ONLY_PUBLIC = "This holds for the inputs in the notebook, and not for others."
_LATER = {
    "visible": "",
    "after_due_date": " What came of them is shown after the due date.",
    "after_published": " What came of them is shown when the marks are published.",
    "hidden": "",
}
#: Of the text of a test; what a submission says of itself has no other bound.
_MAX_TEXT = 20_000


@dataclass(frozen=True)
class Options:
    """What an instructor decides about the results.

    Attributes
    ----------
    visibility : str
        When students see the tests.
    fresh_inputs : str
        When they see what came of inputs other than the notebook's.
    """

    visibility: Visibility = "visible"
    fresh_inputs: Visibility = "after_due_date"


def of_gradescope(result: Result, options: Options) -> Results:
    """Return ``results.json`` for Gradescope, which takes what lateness costs by itself."""
    tests = [*_tests(result, options), _for_the_instructor(result)]
    score = sum(one["score"] for one in tests)
    return results(score, tests, list(_about(result)), result.seconds)


def of_prairielearn(result: Result, options: Options) -> Results:
    """Return ``results.json`` for PrairieLearn, which has no test that is shown later or never."""
    lines = list(_about(result))
    if result.status != "graded":
        return {"gradable": False, "format_errors": lines}
    tests = [one for one in _tests(result, options) if one["visibility"] == "visible"]
    worth = sum(cell["points"] for cell in result.cells.values())
    earned = sum(cell["earned"] for cell in result.cells.values())
    shown = [
        {
            "name": one["name"],
            "points": one["score"],
            "max_points": one["max_score"],
            "output": one["output"],
        }
        for one in tests
    ]
    score = earned / worth if worth else 0.0
    return {"gradable": True, "score": score, "message": "\n".join(lines), "tests": shown}


#: By the host's name.
HOSTS: Mapping[str, Callable[[Result, Options], Results]] = {
    "gradescope": of_gradescope,
    "prairielearn": of_prairielearn,
}


def _about(result: Result) -> Iterator[str]:
    """Give what the student is to know of the whole submission."""
    if result.status != "graded":
        yield f"{result.problem}. {_AGAIN}"[:_MAX_TEXT] if result.problem else _BY_OTHERS
        return
    for name, score in result.scores.items():
        if name not in result.cells:
            yield f"{name} is marked by a person." if score is None else f"{name} has no answer."


def _tests(result: Result, options: Options) -> Iterator[dict[str, Any]]:
    """Give a test for each part; one more where it fails on fresh inputs alone, which it names."""
    for index, data in enumerate(result.cells.values(), start=1):
        report = Report.from_data(data)
        for part, one in tests_of_parts(report, index, options.visibility):
            one["output"] = one["output"][:_MAX_TEXT]
            if part.name in data["wrong_on_fresh"] and options.fresh_inputs != options.visibility:
                details = one["output"]
                one["output"] = _ONLY_PUBLIC + _LATER[options.fresh_inputs]
                yield one
                number, name = f"{one['number']}.1", f"{one['name']} (other inputs)"
                yield test(number, name, 0, 0, details, options.fresh_inputs)
            else:
                yield one


def _for_the_instructor(result: Result) -> dict[str, Any]:
    """Return a test without points that students never see."""
    isolation = result.isolation
    lines = [
        f"isolation: {isolation.get('level', 'none was needed: no code ran')}",
        *(f"  {leak}" for leak in isolation.get("leaks", ())),
        f"seed of the fresh inputs: {result.seed}",
        f"release: {result.release}",
        f"submission: {result.digest}",
        *(f"flag: {flag}" for flag in result.flags),
        *(["could not be graded: " + result.reason] if result.reason else []),
        *result.log.splitlines(),
    ]
    text = "\n".join(lines)[:_MAX_TEXT]
    return test("0", "For the instructor", 0, 0, text, "hidden")
