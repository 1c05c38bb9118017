"""Every wrong idea costs points where it belongs, and every part is failed by one."""

import ast
import re
from collections import Counter
from functools import cache

import pytest

from tests.solutions.harness import assignment, assignments
from tests.solutions.wrong_ideas import wrong_solutions

WRONG = wrong_solutions()
#: They have several methods or functions, each with a share of the points.
SEVERAL_METHODS = {
    "convergence-profiler",
    "advanced-optimizer-features",
    "schedule-functions",
    "weight-average",
}
#: Their ideas touch every part; every other idea leaves some points.
NOTHING_WORKS = {
    "gradient-descent-function/does_nothing",
    "gradient-descent-function/returns_instead_of_updating",
}


@pytest.mark.parametrize("assignment", assignments(), ids=str)
def test_the_reference_gets_all_points(assignment):
    found = assignment.reports()
    assert {cell: report.earned for cell, report in found.items()} == assignment.graded
    assert all(part.problem is None for report in found.values() for part in report.parts)


@pytest.mark.parametrize("assignment", assignments(), ids=str)
def test_no_part_holds_for_an_untouched_release(assignment):
    stubs = {name: assignment.stub(name) for name in assignment.solutions}
    for report in assignment.reports(stubs).values():
        held = [part.name for part in report.parts if part.problem is None]
        assert held == [], report.grade_id


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_wrong_solution_loses_points_where_its_idea_is_tested(wrong):
    (first, least), *others = wrong.loses.items()
    report = wrong_report(wrong, first)
    lost = report.points - report.earned
    assert lost >= least, f"\n{report}"
    # A slip keeps most of the cell; a central idea costs half of it.
    central = least > 1
    assert central or 2 * lost < report.points, f"\n{report}"
    assert wrong.cell in SEVERAL_METHODS or not central or 2 * lost >= report.points
    assert (report.earned == 0) == (str(wrong) in NOTHING_WORKS), f"\n{report}"
    for cell, least in others:
        report = wrong_report(wrong, cell)
        assert report.points - report.earned >= least, f"\n{report}"


@cache
def wrong_report(wrong, grade_id):
    return assignment(grade_id).report(grade_id, {wrong.cell: wrong.source})


def test_every_part_that_counts_is_failed_by_a_wrong_solution():
    parts = {
        (cell, part.name)
        for each in assignments()
        for cell, checks in each.checks.items()
        for part in checks.parts
        if part.points
    }
    failed = {
        (cell, part.name)
        for wrong in WRONG
        for cell in wrong.loses
        for part in wrong_report(wrong, cell).parts
        if part.problem
    }
    assert parts - failed == set()


def test_a_wrong_solution_says_its_idea_in_one_line_and_is_not_there_twice():
    ideas, codes = Counter(), Counter()
    for wrong in WRONG:
        assert re.fullmatch(r"\S.{10,140}[.?]", wrong.idea), wrong
        assert wrong.loses and set(wrong.loses) <= set(assignment(wrong.cell).graded), wrong
        ideas[wrong.cell, wrong.idea] += 1
        codes[wrong.cell, ast.dump(ast.parse(wrong.source))] += 1
    assert [idea for idea, count in ideas.items() if count > 1] == []
    assert [code for code, count in codes.items() if count > 1] == []
