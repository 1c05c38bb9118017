import copy
import math

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output
from nbgrader import utils

from tinytorch.checks import MIME_TYPE
from tinytorch.tito.grading.cells import flags
from tinytorch.tito.grading.verdicts import judge, tell

from .conftest import named


def part(points: float, earned: float, **more: object) -> dict:
    return {
        "name": "p",
        "title": "a part",
        "points": points,
        "earned": earned,
        "hint": "think",
        "problem": None,
        "unfinished": False,
        **more,
    }


REPORT = {
    "version": 1,
    "grade_id": "test-it",
    "points": 10,
    "earned": 7,
    "parts": [part(3, 0, problem={"label": "w", "expected": "1", "got": "2"}), part(7, 7)],
}


def shown(*reports: object, more: list[NotebookNode] | None = None) -> NotebookNode:
    """Return a graded cell that showed reports."""
    cell = named(new_code_cell(), "test-it", grade=True, locked=True, points=10)
    cell.outputs = [new_output("display_data", {MIME_TYPE: report}) for report in reports]
    cell.outputs += more or []
    return cell


def changed(**changes: object) -> dict:
    return {**copy.deepcopy(REPORT), **changes}


def test_one_report_gives_its_points():
    verdict = judge(shown(REPORT))
    assert (verdict.earned, verdict.points, verdict.problem) == (7.0, 10.0, None)
    assert verdict.data()["parts"][0]["problem"]["got"] == "2"


def test_parts_that_do_not_count_are_allowed():
    parts = [*REPORT["parts"], part(0, 0)]
    assert judge(shown(changed(parts=parts))).earned == 7.0


@pytest.mark.parametrize(
    ("reports", "reason"),
    [
        ([], "no report"),
        ([REPORT, REPORT], "2 reports"),
        (["text"], "unknown form"),
        ([[REPORT]], "unknown form"),
        ([changed(version=2)], "unknown form"),
        ([changed(grade_id="test-other")], "another cell"),
        ([changed(grade_id=["test-it"])], "another cell"),
        ([changed(parts=[])], "no parts"),
        ([changed(parts={"a": 1})], "no parts"),
        ([changed(parts=[7])], "unknown form"),
        ([changed(earned=math.nan)], "must be a number"),
        ([changed(earned=math.inf, points=math.inf)], "must be a number"),
        ([changed(earned="7")], "must be a number"),
        ([changed(earned=True)], "must be a number"),
        ([changed(earned=None)], "must be a number"),
        ([changed(earned=-1)], "claims -1 of 10"),
        ([changed(earned=11)], "claims 11 of 10"),
        ([changed(points=100, earned=70)], "do not add up"),
        ([changed(earned=10)], "do not add up"),
        ([changed(points=100, earned=70, parts=[part(100, 70)])], "do not add up"),
        ([changed(parts=[part(10, 7), part(1, 0)])], "do not add up"),
        ([changed(parts=[part(12, 9), part(-2, -2)])], "claims -2 of -2"),
        ([changed(parts=[part(10, math.nan)])], "must be a number"),
        ([changed(parts=[part(10, 7, problem=[1])])], "unknown form"),
    ],
)
def test_anything_else_gives_nothing_and_the_reason(reports, reason):
    cell = shown(*reports, more=[new_output("execute_result", {"text/plain": "10.0"})])
    verdict = judge(cell)
    assert verdict.earned == 0.0
    assert reason in (verdict.problem or "")
    nb = new_notebook(cells=[cell])
    tell(nb)
    assert utils.determine_grade(cell) == (0.0, 10.0)
    assert flags(nb) == [f"no points, {verdict.problem}: test-it"]


def test_what_else_a_cell_shows_does_not_matter_to_nbgrader_either():
    noise = [
        new_output("stream", name="stderr", text="DeprecationWarning"),
        new_output("error", ename="E", evalue="", traceback=[]),
        new_output("execute_result", {"text/plain": "nan"}),
    ]
    cell = shown(REPORT, more=noise)
    cell.outputs.reverse()
    nb = new_notebook(cells=[cell])
    tell(nb)
    assert utils.determine_grade(cell) == (7.0, 10.0)
    assert [o.output_type for o in cell.outputs] == [
        "display_data",
        "execute_result",
        "error",
        "stream",
    ]
    assert flags(nb) == []


def test_the_page_of_a_report_is_made_from_its_data_and_escaped():
    report = changed(parts=[part(3, 0, title="<script>"), part(7, 7, title=["no text"])])
    report["parts"][0]["problem"] = {"label": "w", "got": "<img onerror=x>"}
    cell = shown(report)
    cell.outputs[0].data["text/html"] = "<script>forged</script>"
    tell(new_notebook(cells=[cell]))
    page = cell.outputs[0].data["text/html"]
    assert "<script>" not in page and "<img" not in page
    assert "&lt;script&gt;" in page


def test_the_reason_for_no_points_is_escaped_too():
    cell = shown(changed(grade_id="<script>"))
    tell(new_notebook(cells=[cell]))
    assert "&lt;script&gt;" in cell.outputs[0].data["text/html"]


def test_judging_twice_changes_nothing():
    cell = shown(REPORT)
    tell(new_notebook(cells=[cell]))
    once = copy.deepcopy(cell)
    tell(new_notebook(cells=[cell]))
    assert cell == once
