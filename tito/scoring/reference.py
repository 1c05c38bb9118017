"""What the reference solution gives for fresh inputs, found in a clean process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from nbformat import NotebookNode

from tinytorch.checks.wire import encode
from tito.course.cells import grade_id, is_autograded
from tito.course.check_modules import texts_of
from tito.errors import TitoError
from tito.scoring.payload import Cases

_SECONDS = 120


def expected_answers(source: NotebookNode, cases: Mapping[str, Cases], whole: bool = False) -> str:
    """Exercise the reference solution on the inputs of a grading run.

    Parameters
    ----------
    source : NotebookNode
        The course's own notebook.
    cases : mapping
        By graded cell and part: the inputs.
    whole : bool
        Whether demonstrations run too, as in a notebook.

    Returns
    -------
    str
        Encoded, by graded cell and part: what each set of inputs led to.

    Raises
    ------
    TitoError
        If the reference does not run, or a part of it fails: then nothing may be graded.
    """
    cells, texts = _cells(source, whole), texts_of(source)
    return _run(
        json.dumps({"cells": cells, "texts": texts, "cases": encode(dict(cases)), "whole": whole})
    )


@lru_cache(maxsize=4)
def _run(request: str) -> str:
    """Have the reference answer in a process of its own."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "tito.scoring.answers"],
            input=request,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
            env=environment,
        )
    except subprocess.TimeoutExpired as error:
        raise TitoError(
            f"the reference solution gave no expected values within {_SECONDS} s. Does 'tito test' "
            "run to its end? If it does, grade again when the machine has less to do."
        ) from error
    if answer.returncode != 0:
        last = (answer.stderr.strip().splitlines() or ["no message"])[-1]
        raise TitoError(f"the reference solution cannot be run for expected values: {last}")
    return answer.stdout


def _cells(source: NotebookNode, whole: bool) -> list[list[Any]]:
    """Return grade_id and source of the code cells that matter, and whether they are graded."""
    return [
        [grade_id(cell) or "", cell.source, is_autograded(cell)]
        for cell in source.cells
        if cell.cell_type == "code" and (whole or grade_id(cell))
    ]
