"""A mark does not depend on what was drawn: all seeds take the same parts of a wrong solution."""

import ast
import sys
from collections import defaultdict
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
    names = Student(assignment(wrong.cell).run({wrong.cell: wrong.source}))
    undecided = [
        Asked(cell, part, names)
        for cell in wrong.loses
        for part in assignment(cell).checks[cell].parts
        if part.points
    ]
    undecided = [asked for asked in undecided if asked.may_depend_on_what_is_drawn(wrong)]
    outcomes = defaultdict(set)
    for number in range(1, 1 + len(SEEDS)):  # parts with the same inputs have one run between them
        for asked in undecided:
            if number < len(asked.given):
                outcomes[asked.part.name].add(asked.takes_points(number))
    assert {name for name, outcome in outcomes.items() if len(outcome) > 1} == set()


class Asked:
    """A part, asked with the public inputs, the first, and with those of each seed."""

    def __init__(self, cell, part, names):
        self.part, self.names = part, names
        asked = plan(assignment(cell), SEEDS)
        self.given, self.expected = (t[cell][part.name] for t in (asked.cases, asked.expected))

    def takes_points(self, number):
        given, expected = self.given[number], self.expected[number]
        seen = observe(self.part.exercise, self.names, given, SECONDS_A_PART)
        return judge_case(self.part, number, given, expected, seen).problem is not None

    def may_depend_on_what_is_drawn(self, wrong):
        """Whether it is neither lost with the public inputs nor held for all.

        It is held where these run nothing that the base has not: that a right solution holds for
        every seed is tested with all of them.
        """
        run = set()
        before = sys.gettrace()
        sys.settrace(lambda frame, *_: run.add(frame.f_code))
        try:
            lost = self.takes_points(0)
        finally:
            sys.settrace(before)
        return not lost and reaches(wrong, run)


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
