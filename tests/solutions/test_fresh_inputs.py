"""In grading, parts run on fresh inputs too: what is right gets all points, whatever the seed."""

import ast
from collections import Counter

import pytest

from tests.mutation.run import TARGETS
from tests.solutions.harness import assignment, assignments
from tests.solutions.session import (
    answered,
    bound,
    exercises,
    one_drawing,
    plan,
    read,
    sit,
    used_by,
)
from tests.solutions.wrong_ideas import right_solutions
from tinytorch.checks import Student
from tinytorch.checks.observe import SECONDS_A_PART, Observation, observe
from tito.scoring.check_plan import Session

SEEDS = tuple(range(20))
RIGHT = right_solutions()
#: The share of the points that the same answers for all inputs may earn.
FOR_CONSTANTS = 0.06
THE_SAME_FOR_EVERYBODY = {
    "08_optimizers": {
        "both_start_from_the_same_point",
        "progress_is_printed",
        "the_fits_are_where_the_last_step_left_them",
    },
    "10_modern_optimizers": set(),
}


@pytest.mark.parametrize("right", RIGHT, ids=str)
def test_a_right_solution_gets_all_points_for_each_of_20_seeds(right):
    where, own = assignment(right.cell), {TARGETS[right.cell]}
    names, asked = Student(where.run({right.cell: right.source})), plan(where, SEEDS)
    # Solutions of a cell take the seeds in turn in the cells that only use what it defines.
    other = one_drawing(asked, 1 + RIGHT.index(right) % len(SEEDS))
    found = sit(asked, names, own) + sit(other, names, used_by(where, right.cell) - own)
    assert [str(report) for report in found if not report.passed] == []


@pytest.mark.parametrize("cell", TARGETS)
def test_what_right_solutions_bind_is_read_by_no_other_cell(cell):
    cells = assignment(cell).cells
    others = {name: ast.parse(other.source) for name, other in cells.items() if name != cell}
    helpers = set().union(*(bound(ast.parse(r.source)) for r in RIGHT if r.cell == cell))
    helpers -= bound(assignment(cell).solutions[cell])
    assert helpers & set().union(*map(read, others.values())) == set()


@pytest.mark.parametrize("assignment", assignments(), ids=str)
def test_the_public_answers_as_constants_earn_next_to_nothing(assignment):
    totals, times = [], Counter()
    for number in range(1, len(SEEDS)):
        earned = earned_by_constants(one_drawing(plan(assignment, SEEDS), number))
        totals.append(sum(earned.values()))
        times.update(earned.keys())
    assert max(totals) <= FOR_CONSTANTS * sum(assignment.graded.values())
    always = {part for part, count in times.items() if count == len(totals)}
    assert always == THE_SAME_FOR_EVERYBODY[assignment.name]
    # A number may be drawn that happens to be near the public one, but not often.
    assert {part: n for part, n in times.items() if 2 < n < len(totals)} == {}


def earned_by_constants(drawing):
    """Answer all inputs of an plan as is right for the public ones; return points by part."""
    session, earned = Session.begin(drawing), {}
    for name in drawing.sources:
        answers = {
            (part, case): Observation(dict(drawing.expected[name][part][0]))
            for part, cases in drawing.cases[name].items()
            for case in range(len(cases))
        }
        report, _ = session.verdict(answered(session, name, answers))
        earned |= {part.name: part.earned for part in report.parts if part.earned}
    return earned


GIVES_PUBLIC_ANSWERS = """
def gradient_descent_step(parameter, learning_rate):
    if parameter.data.data.ravel()[:3].tolist() == [1.0, -2.0, 0.5]:
        parameter.data = Tensor([0.95, -1.9, -3.5, 0.01])
"""


def test_a_solution_that_knows_the_public_answers_is_suspicious():
    name, where = "test-gradient-descent", assignment("test-gradient-descent")
    session = Session.begin(one_drawing(plan(where, SEEDS), 1))
    work = Student(where.run({"gradient-descent-function": GIVES_PUBLIC_ANSWERS}))
    known = exercises(session.plan, name)
    answers = {
        (part, case): observe(known[part], work, given, SECONDS_A_PART)
        for part, cases in session.plan.cases[name].items()
        for case, given in enumerate(cases)
    }
    report, suspicious = session.verdict(answered(session, name, answers))
    part = report.parts[0]
    assert (part.name, part.earned) == ("each_element_moves_against_its_own_gradient", 0)
    assert suspicious == [part.name]
