"""Let a solution sit the plan of many seeds at once, as in grading, without a kernel."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from tests.solutions.harness import Assignment
from tinytorch.checks import Report, Student
from tinytorch.checks.observe import SECONDS_A_PART, Observation, observe
from tinytorch.checks.publish import OBSERVATION_TYPE, message
from tinytorch.checks.wire import encode
from tito.course.check_modules import texts_of
from tito.scoring import reference
from tito.scoring.check_plan import CheckPlan, Session
from tito.scoring.payload import Cases, draw_cases


@cache
def plan(assignment: Assignment, seeds: tuple[int, ...]) -> CheckPlan:
    """Return a plan with the fresh inputs of several seeds, each set of inputs once."""
    graded = {name: assignment.cells[name].source for name in assignment.graded}
    checks = {name: assignment.checks[name] for name in graded}
    cases = {
        name: _merged([draw_cases(made, seed) for seed in seeds]) for name, made in checks.items()
    }
    answers = reference.expected_answers(assignment.notebook, cases)
    texts = texts_of(assignment.notebook)
    return CheckPlan(seeds[0], checks, graded, texts, cases, answers)


def _merged(drawn: list[Cases]) -> Cases:
    """Return the inputs of each part in all drawings, those that are equal only once."""
    merged: Cases = {}
    for name in drawn[0]:
        each = [given for cases in drawn for given in cases[name]]
        merged[name] = list({json.dumps(encode(given)): given for given in each}.values())
    return merged


def used_by(assignment: Assignment, cell: str) -> set[str]:
    """Return the graded cells that call what a solution cell defines, themselves or by another."""
    names = bound(assignment.solutions[cell])
    for tree in assignment.solutions.values():
        if names & read(tree):
            names |= bound(tree)
    return {name for name in assignment.graded if names & set(assignment.checks[name].names)}


def bound(tree: ast.Module) -> set[str]:
    """Return the names that a cell binds by definitions, imports and assignments."""
    found = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def read(tree: ast.Module) -> set[str]:
    """Return the names that a cell reads anywhere."""
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def one_drawing(plan: CheckPlan, number: int) -> CheckPlan:
    """Return a plan of the public inputs and one set of fresh ones, or, with 0, none.

    Parameters
    ----------
    plan : CheckPlan
        Of many seeds.
    number : int
        Which set of fresh inputs; a part that has fewer begins again with its first.
    """

    def chosen(each: Sequence[Any]) -> list[Any]:
        fresh = each[1:]
        return [each[0], *([fresh[number % len(fresh)]] if number and fresh else [])]

    def of_all(tables: Mapping[str, Mapping[str, Sequence[Any]]]) -> dict[str, Any]:
        return {
            name: {part: chosen(each) for part, each in table.items()}
            for name, table in tables.items()
        }

    answers = json.dumps(encode(of_all(plan.expected)))
    return replace(plan, cases=of_all(plan.cases), answers=answers)


def exercises(plan: CheckPlan, grade_id: str) -> dict[str, Any]:
    """Return the exercises of a graded cell by part."""
    return {part.name: part.exercise for part in plan.checks[grade_id].parts}


def sit(plan: CheckPlan, student: Student, names: Iterable[str]) -> list[Report]:
    """Let a student sit some graded cells of a plan; return the verdicts."""
    session, found = Session.begin(plan), []
    for name in names:
        asked = [
            (case, part, given)
            for part, cases in plan.cases[name].items()
            for case, given in enumerate(cases)
        ]
        # Seed by seed: parts with the same inputs have one run between them.
        answers = {
            (part, case): observe(exercises(plan, name)[part], student, given, SECONDS_A_PART)
            for case, part, given in sorted(asked, key=lambda each: each[0])
        }
        found.append(session.verdict(answered(session, name, answers))[0])
    return found


def answered(
    session: Session, name: str, answers: dict[tuple[str, int], Observation]
) -> NotebookNode:
    """Return a graded cell with observations in its outputs, by part and case."""
    told = [message(session.run, name, *place, seen) for place, seen in answers.items()]
    outputs = [new_output("display_data", {OBSERVATION_TYPE: told})]
    source, metadata = session.plan.sources[name], {"nbgrader": {"grade_id": name}}
    return new_code_cell(source, outputs=outputs, metadata=metadata)
