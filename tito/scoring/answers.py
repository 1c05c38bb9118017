"""The process that runs the reference solution, apart from the one that grades.

It imports little, since a grading run waits for it.
"""

from __future__ import annotations

import contextlib
import json
import sys
import warnings
from typing import Any

from tinytorch.checks.observe import SECONDS_A_PART, observe
from tinytorch.checks.wire import decode, encode
from tito.errors import TitoError
from tito.scoring.trusted import driving_source

#: Values by label, of one part for one set of inputs.
Values = dict[str, Any]


def answer(request: dict[str, Any]) -> dict[str, dict[str, list[Values]]]:
    """Run the reference and drive it, for :mod:`tito.scoring.reference`."""
    cases = decode(request["cases"])
    namespace: dict[str, Any] = {"__name__": "reference"}
    answers: dict[str, dict[str, list[Values]]] = {}
    for grade_id, source, graded in request["cells"]:
        if not graded:
            exec(compile(source, grade_id, "exec"), namespace)
        elif grade_id in cases:
            exec(compile(driving_source(source), grade_id, "exec"), namespace)
            answers[grade_id] = {
                part: [_drive(namespace, grade_id, part, given) for given in each]
                for part, each in cases[grade_id].items()
            }
    return answers


def _drive(namespace: dict[str, Any], grade_id: str, part: str, given: dict[str, Any]) -> Values:
    seen = observe(namespace[part], given, 10 * SECONDS_A_PART)
    if seen.error is not None:
        reason = seen.error.replace("\n", "; ")
        raise TitoError(f"part {part} of {grade_id} fails for the inputs {given}: {reason}")
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
