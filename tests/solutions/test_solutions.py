"""Every wrong idea costs points where it belongs; every right solution gets all of them."""

import re
import warnings

import pytest

from tests.solutions.harness import FOLDER, cells, graded_cells, reports, stub

RIGHT = sorted((FOLDER / "right").glob("*/*.py"))
WRONG = sorted((FOLDER / "wrong").glob("*/*.py"))


@pytest.fixture(autouse=True)
def _warnings_are_a_students_own_affair():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def name(path):
    return f"{path.parent.name}/{path.stem}"


def test_the_reference_gets_170_of_170():
    found = reports({})
    assert list(found) == graded_cells()
    assert {cell: report.earned for cell, report in found.items()} == {
        "test-gradient-descent": 10,
        "test-sgd": 15,
        "test-adam": 20,
        "test-step-scheduler": 10,
        "test-training-integration": 25,
        "test-convergence-profiler": 30,
        "test-advanced-features": 25,
        "test-ml-systems-integration": 35,
    }
    assert all(part.problem is None for report in found.values() for part in report.parts)


def test_no_part_holds_for_an_untouched_release():
    stubs = {n: stub(n) for n, cell in cells() if cell.metadata.nbgrader.solution}
    for report in reports(stubs).values():
        held = [part.name for part in report.parts if part.problem is None]
        assert held == [], report.grade_id


@pytest.mark.parametrize("path", RIGHT, ids=name)
def test_a_right_solution_gets_full_marks_everywhere(path):
    for report in reports({path.parent.name: path.read_text()}).values():
        assert report.passed, f"\n{report}"
        assert report.earned == report.points


@pytest.mark.parametrize("path", WRONG, ids=name)
def test_a_wrong_solution_loses_points_where_its_idea_is_tested(path):
    source = path.read_text()
    cell = re.search(r"^# expect-loss: (\S+)$", source, re.MULTILINE)[1]
    report = reports({path.parent.name: source}, only={cell})[cell]
    assert report.earned < report.points, f"\n{report}"
