"""The process that runs the reference solution, apart from the one that grades.

It imports little, since a grading run waits for it.
"""

from __future__ import annotations

import contextlib
import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

from tinytorch.checks.cell import Part
from tinytorch.checks.observe import SECONDS_A_PART, observe
from tinytorch.checks.student import Student
from tinytorch.checks.wire import decode, encode
from tito.course.check_modules import by_cell
from tito.errors import TitoError

#: Values by label, of one part for one set of inputs.
Values = dict[str, Any]


def answer(request: dict[str, Any]) -> dict[str, dict[str, list[Values]]]:
    """Run the reference and exercise it, for :mod:`tito.scoring.reference`."""
    cases, checks = decode(request["cases"]), by_cell(request["texts"])
    namespace, run = _notebook() if request["whole"] else _module()
    answers: dict[str, dict[str, list[Values]]] = {}
    for grade_id, source, graded in request["cells"]:
        if not graded:
            run(source)
        elif grade_id in cases:
            student, asked = Student(namespace), cases[grade_id]
            answers[grade_id] = {
                part.name: [_values(part, grade_id, student, inputs) for inputs in asked[part.name]]
                for part in checks[grade_id].parts
                if part.name in asked
            }
    return answers


def _module() -> tuple[dict[str, Any], Callable[[str], object]]:
    """Return a namespace in which cells only define, and what runs them."""
    namespace: dict[str, Any] = {"__name__": "reference"}
    return namespace, lambda source: exec(compile(source, "reference", "exec"), namespace)


def _notebook() -> tuple[dict[str, Any], Callable[[str], object]]:
    """Return the namespace of IPython, in which cells run as in a notebook, and what runs them."""
    import os

    from IPython.core.interactiveshell import InteractiveShell

    os.environ["MPLBACKEND"] = "agg"
    shell = InteractiveShell.instance(history_load_length=0)
    return shell.user_ns, lambda source: shell.run_cell(source).raise_error()


def _values(part: Part, grade_id: str, student: Student, inputs: dict[str, Any]) -> Values:
    seen = observe(part.exercise, student, inputs, 10 * SECONDS_A_PART)
    if seen.error is not None:
        reason = seen.error.replace("\n", "; ")
        raise TitoError(f"part {part.name} of {grade_id} fails for the inputs {inputs}: {reason}")
    return seen.values


def main() -> None:
    """Answer one request from standard input."""
    request = json.load(sys.stdin)
    # The reference may print while it trains; the answer must stand alone.
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        encoded = encode(answer(request))
    json.dump(encoded, sys.stdout)


if __name__ == "__main__":
    main()
