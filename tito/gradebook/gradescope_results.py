"""``results.json``, as Gradescope specifies what an autograder writes: a test for each part.

https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from tinytorch.checks import Report
from tinytorch.checks.report import PartVerdict

#: When students see a test. While one is to be shown later, they see no total either.
Visibility = Literal["visible", "after_due_date", "after_published", "hidden"]
VISIBILITIES: tuple[Visibility, ...] = ("visible", "after_due_date", "after_published", "hidden")


def results(
    score: float,
    tests: Sequence[dict[str, Any]],
    lines: Sequence[str],
    seconds: float,
) -> dict[str, Any]:
    """Return the content of the file; `lines` are about the whole submission."""
    return {
        "score": round(score, 2),
        "execution_time": seconds,
        "output": "\n".join(lines),
        "output_format": "text",
        "stdout_visibility": "hidden",
        "tests": list(tests),
    }


def tests_of_parts(
    report: Report, index: int, visibility: Visibility = "visible"
) -> Iterator[tuple[PartVerdict, dict[str, Any]]]:
    """Give the parts of a graded cell, the `index`-th one, with a test for each."""
    for number, part in enumerate(report.parts, start=1):
        details = "\n".join(f"{name}: {text}" for name, text in part.details())
        name = f"{report.grade_id}: {part.title}"
        one = test(f"{index}.{number}", name, part.earned, part.points, details, visibility)
        yield part, {**one, "status": "passed" if part.problem is None else "failed"}


def test(
    number: str,
    name: str,
    score: float,
    worth: float,
    output: str,
    visibility: Visibility = "visible",
) -> dict[str, Any]:
    """Return one test."""
    return {
        "number": number,
        "name": name,
        "name_format": "text",
        "score": score,
        "max_score": worth,
        "output": output,
        "output_format": "text",
        "visibility": visibility,
    }
