"""What the reference solution gives for fresh inputs, found in a clean process of its own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode

from tinytorch.checks.observe import SECONDS_A_PART, observe
from tinytorch.checks.wire import decode, encode
from tinytorch.tito.errors import TitoError
from tinytorch.tito.grading.cells import is_autograded
from tinytorch.tito.grading.trusted import Cases, driving_source

#: Values by label, of one part for one set of inputs.
Values = dict[str, Any]
_SECONDS = 120
#: Answers that this process knows, as text, by the digest of what was asked.
_known: dict[str, str] = {}


def ask(source: NotebookNode, cases: Mapping[str, Cases]) -> dict[str, dict[str, list[Values]]]:
    """Drive the reference solution with the inputs of a grading run.

    Parameters
    ----------
    source : NotebookNode
        The course's own notebook, with solutions.
    cases : mapping of str to dict
        By graded cell: the inputs of each part.

    Returns
    -------
    dict
        By graded cell and part: what each set of inputs led to.

    Raises
    ------
    TitoError
        If the reference does not run, or a part of it fails: then nothing may be graded.
    """
    request = json.dumps({"cells": _cells(source), "cases": encode(dict(cases))})
    key = hashlib.sha256(request.encode()).hexdigest()
    if key not in _known:
        _known[key] = _run(request)
    return decode(json.loads(_known[key]))


def known() -> dict[str, str]:
    """Return the answers that this process knows, for :func:`know` in another one."""
    return dict(_known)


def know(answers: Mapping[str, str]) -> None:
    """Take over answers, so that the reference need not run again."""
    _known.update(answers)


def _run(request: str) -> str:
    """Have the reference answer in a process of its own."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    answer = subprocess.run(
        [sys.executable, "-m", "tinytorch.tito.grading.reference"],
        input=request,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
        env=environment,
    )
    if answer.returncode != 0:
        last = (answer.stderr.strip().splitlines() or ["no message"])[-1]
        raise TitoError(f"the reference solution cannot be run for expected values: {last}")
    return answer.stdout


def _cells(source: NotebookNode) -> list[list[Any]]:
    """Return grade_id and source of the code cells that matter, and whether they are graded."""
    return [
        [cell.metadata.nbgrader.grade_id, cell.source, is_autograded(cell)]
        for cell in source.cells
        if cell.cell_type == "code" and "nbgrader" in cell.metadata
    ]


def answer(request: dict[str, Any]) -> dict[str, dict[str, list[Values]]]:
    """Run the reference and drive it: the other side of :func:`ask`."""
    cases = decode(request["cases"])
    namespace: dict[str, Any] = {"__name__": "reference"}
    found: dict[str, dict[str, list[Values]]] = {}
    for grade_id, source, graded in request["cells"]:
        if not graded:
            exec(compile(source, grade_id, "exec"), namespace)
        elif grade_id in cases:
            exec(compile(driving_source(source), grade_id, "exec"), namespace)
            found[grade_id] = {
                part: [_drive(namespace, grade_id, part, given) for given in each]
                for part, each in cases[grade_id].items()
            }
    return found


def _drive(namespace: dict[str, Any], grade_id: str, part: str, given: dict[str, Any]) -> Values:
    seen = observe(namespace[part], given, 10 * SECONDS_A_PART)
    if seen.error is not None:
        raise TitoError(f"part {part} of {grade_id} fails for the inputs {given}: {seen.error}")
    return seen.values


def main() -> None:
    """Answer one request from standard input."""
    request = json.load(sys.stdin)
    # The reference may print while it trains; the answer must stand alone.
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = encode(answer(request))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
