"""Every wrong idea costs points where it belongs; every right solution gets all of them."""

import ast
import re
import warnings
from collections import Counter
from functools import cache

import pytest

from tests.solutions.harness import FOLDER, cells, graded_cells, reports, stub

RIGHT = sorted((FOLDER / "right").glob("*/*.py"))
WRONG = sorted((FOLDER / "wrong").glob("*/*.py"))
#: Their ideas touch every part; every other idea leaves some points.
NOTHING_WORKS = {
    "gradient-descent-function/does_nothing",
    "gradient-descent-function/returns_instead_of_updating",
}
INTEGRATION = "test-ml-systems-integration"


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
    report = wrong_report(path)
    assert report.earned < report.points, f"\n{report}"
    assert (report.earned == 0) == (name(path) in NOTHING_WORKS), f"\n{report}"


@cache
def wrong_report(path, grade_id=None):
    """Return a wrong solution's report on a graded cell, by default on the one it names."""
    source = path.read_text()
    cell = grade_id or re.search(r"^# expect-loss: (\S+)$", source, re.MULTILINE)[1]
    return reports({path.parent.name: source}, only={cell})[cell]


def failed_parts(report):
    return {(report.grade_id, part.name) for part in report.parts if part.points and part.problem}


def test_every_part_that_counts_is_failed_by_a_wrong_solution():
    parts = {
        (report.grade_id, part.name)
        for report in reports({}).values()
        for part in report.parts
        if part.points
    }
    unfailed = parts.difference(*(failed_parts(wrong_report(path)) for path in WRONG))
    # The last cell is there for all solutions together: ask it until each part has failed once.
    for path in WRONG[::7] + WRONG:
        if not any(cell == INTEGRATION for cell, _ in unfailed):
            break
        unfailed -= failed_parts(wrong_report(path, INTEGRATION))
    assert unfailed == set()


def test_a_wrong_solution_says_its_idea_in_one_line_and_is_not_there_twice():
    ideas, codes = Counter(), Counter()
    for path in WRONG:
        idea, expectation, *code = path.read_text().splitlines()
        assert re.fullmatch(r"# \S.{10,140}[.?]", idea), path
        assert expectation.startswith("# expect-loss: test-"), path
        ideas[path.parent.name, idea] += 1
        tree = ast.parse("\n".join(code))
        codes[path.parent.name, ast.dump(tree)] += 1
    assert [idea for idea, count in ideas.items() if count > 1] == []
    assert [code for code, count in codes.items() if count > 1] == []
