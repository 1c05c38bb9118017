"""Whether what a chapter's reference gives depends on its demonstrations."""

from __future__ import annotations

import json

from nbformat import NotebookNode

from tinytorch.checks.observe import Observation
from tinytorch.checks.wire import decode
from tito.course.cells import grade_id, is_autograded
from tito.scoring import check_plan, reference

_SEED = 0


def dependent_parts(source: NotebookNode) -> list[str]:
    """Name the parts that see something else of the reference where demonstrations have run.

    Grading leaves demonstrations out where it is sure that no mark depends on them; see
    :mod:`tito.submission.leaving_out`. So none may where the code is the course's own.

    Raises
    ------
    TitoError
        If the reference does not run.
    """
    code = [cell for cell in source.cells if cell.cell_type == "code"]
    if all(map(grade_id, code)) or not any(map(is_autograded, code)):
        return []
    plan = check_plan.prepare(source, _SEED)
    whole = decode(json.loads(reference.expected_answers(source, plan.cases, whole=True)))
    return [
        f"{name}, {part.name}"
        for name, checks in plan.checks.items()
        for part in checks.parts
        for number, given in enumerate(plan.cases[name][part.name])
        if check_plan.judge_case(
            part,
            number,
            given,
            plan.expected[name][part.name][number],
            Observation(whole[name][part.name][number]),
        ).problem
    ]
