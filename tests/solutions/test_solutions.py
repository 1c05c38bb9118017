"""Every wrong idea costs points where it belongs, and every part is failed by one."""

import ast
import re
import warnings
from collections import Counter
from functools import cache

import pytest

from tests.solutions.harness import FOLDER, cells, graded_cells, reports, stub

WRONG = sorted((FOLDER / "wrong").glob("*/*.py"))
#: Their ideas touch every part; every other idea leaves some points.
NOTHING_WORKS = {
    "gradient-descent-function/does_nothing",
    "gradient-descent-function/returns_instead_of_updating",
}


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


@pytest.mark.parametrize("path", WRONG, ids=name)
def test_a_wrong_solution_loses_points_where_its_idea_is_tested(path):
    first, *others = targets(path)
    report = wrong_report(path, first)
    assert report.earned < report.points, f"\n{report}"
    assert (report.earned == 0) == (name(path) in NOTHING_WORKS), f"\n{report}"
    for cell in others:
        report = wrong_report(path, cell)
        assert report.earned < report.points, f"\n{report}"


def targets(path):
    """Return the graded cells that a wrong solution names."""
    return re.findall(r"^# expect-loss: (\S+)$", path.read_text(), re.MULTILINE)


@cache
def wrong_report(path, grade_id):
    return reports({path.parent.name: path.read_text()}, only={grade_id})[grade_id]


def test_every_part_that_counts_is_failed_by_a_wrong_solution():
    parts = {
        (cell, part.name)
        for cell, report in reports({}).items()
        for part in report.parts
        if part.points
    }
    failed = {
        (cell, part.name)
        for path in WRONG
        for cell in targets(path)
        for part in wrong_report(path, cell).parts
        if part.problem
    }
    assert parts - failed == set()


def test_a_wrong_solution_says_its_idea_in_one_line_and_is_not_there_twice():
    ideas, codes = Counter(), Counter()
    for path in WRONG:
        idea, *code = path.read_text().splitlines()
        assert re.fullmatch(r"# \S.{10,140}[.?]", idea), path
        assert targets(path) and set(targets(path)) <= set(graded_cells()), path
        ideas[path.parent.name, idea] += 1
        tree = ast.parse("\n".join(code))
        codes[path.parent.name, ast.dump(tree)] += 1
    assert [idea for idea, count in ideas.items() if count > 1] == []
    assert [code for code, count in codes.items() if count > 1] == []
