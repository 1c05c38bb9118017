"""A mark does not depend on what was drawn: all seeds take the same parts of a wrong solution."""

import ast
import sys
import warnings
from functools import cache

import pytest

from tests.solutions.harness import assignment
from tests.solutions.session import plan
from tests.solutions.wrong_ideas import source_of, wrong_solutions
from tinytorch.checks import Student
from tinytorch.checks.observe import SECONDS_A_PART, observe
from tito.scoring.check_plan import judge_case

SEEDS = tuple(range(20))


@pytest.mark.parametrize("wrong", wrong_solutions(), ids=str)
def test_a_part_fails_on_the_public_inputs_or_for_each_of_20_seeds_or_for_none(wrong):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = Student(assignment(wrong.cell).run({wrong.cell: wrong.source}))
        found = {
            part.name: outcome
            for cell in wrong.loses
            for part in assignment(cell).checks[cell].parts
            if part.points and len(set(outcome := fails(wrong, cell, part, names))) > 1
        }
    assert found == {}


def fails(wrong, cell, part, names):
    """Whether a part takes points for each seed; nothing where it is lost or held for all.

    It is lost where it fails for the public inputs, the first. It is held where these run nothing
    that the base has not: that a right solution holds for every seed is tested with all of them.
    """
    asked = plan(assignment(cell), SEEDS)
    given, expected = (table[cell][part.name] for table in (asked.cases, asked.expected))

    def takes_points(number):
        seen = observe(part.exercise, names, given[number], SECONDS_A_PART)
        verdict = judge_case(part, number, given[number], expected[number], seen)
        return verdict.problem is not None

    run = set()
    before = sys.gettrace()
    sys.settrace(lambda frame, *_: run.add(frame.f_code))
    try:
        lost = takes_points(0)
    finally:
        sys.settrace(before)
    if lost or not reaches(wrong, run):
        return []
    return [takes_points(number) for number in range(1, len(given))]


def reaches(wrong, run):
    """Whether code that was run has a function that differs from the base's of that name."""
    base = source_of("right", f"{wrong.cell}/{wrong.base}") if wrong.base else ""
    (rest, functions), (rest_before, before) = split(wrong.source), split(base)
    entered = {code.co_name for code in run if code.co_filename == wrong.cell}
    return rest != rest_before or any(functions.get(name) != before.get(name) for name in entered)


@cache
def split(source):
    """Return what is outside of functions, and the functions by name."""
    tree, functions = ast.parse(source), {}
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for node in nodes:
        functions[node.name] = functions.get(node.name, "") + ast.dump(node)
    for node in nodes:
        node.body = []
    return ast.dump(tree), functions
