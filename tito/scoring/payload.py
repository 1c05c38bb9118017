"""What a submission's process is asked in the place of a graded cell: exercises and their inputs.

What is expected stays here, where no student's code ever runs.
"""

from __future__ import annotations

import base64
import hashlib
import json
import marshal
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tinytorch.checks import Checks
from tinytorch.checks.inputs import draw
from tinytorch.checks.wire import encode, pack
from tito.course.check_modules import EXERCISES, Texts, exercises_needed

Cases = dict[str, list[dict[str, Any]]]


def draw_cases(checks: Checks, seed: int) -> Cases:
    """Return the inputs of every part: the public ones, and fresh ones where a part has them.

    The same seed, which is recorded with the mark, gives the same inputs, part by part. Parts of a
    cell that declare the same inputs get the same fresh ones, so that they can share their work.
    """
    cases: Cases = {}
    for part in checks.parts:
        cases[part.name] = [dict(part.inputs)]
        if part.randomize or part.choices:
            declared = [encode(dict(part.inputs)), [*part.randomize], encode(dict(part.choices))]
            text = f"{seed}/{checks.grade_id}/{json.dumps(declared)}".encode()
            rng = np.random.default_rng(int.from_bytes(hashlib.sha256(text).digest()[:8]))
            cases[part.name].append(draw(part.inputs, part.randomize, part.choices, rng))
    return cases


def payload(checks: Checks, texts: Texts, cases: Mapping[str, Sequence]) -> str:
    """Pack what exercises a student's code in these cases: compiled once for a class, and small.

    It is for :func:`tinytorch.checks.publish.run_checks`, in a process of this version of Python.
    """
    needed = exercises_needed(checks)
    modules = [[_there(name), _compiled(path, texts[path])] for name, path in needed.items()]
    homes = {part.name: _there(part.exercise.__module__) for part in checks.parts}
    inputs = encode({name: list(given) for name, given in cases.items()})
    parts = {name: homes[name] for name in cases}
    return pack({"modules": modules, "parts": parts, "cases": inputs})


def _there(name: str) -> str:
    """Return what a module of exercises is called where submissions run."""
    return f"{EXERCISES}.{name.rpartition('.')[2]}"


@lru_cache(maxsize=64)
def _compiled(path: str, text: str) -> str:
    """Compile a module without its docstrings, which tell what is expected."""
    code = compile(text, f"<{path}>", "exec", dont_inherit=True, optimize=2)
    return base64.b64encode(marshal.dumps(code)).decode("ascii")


def payload_source(packed: str, grade_id: str, run: str, flush_each: bool = False) -> str:
    """Return what a student's process runs in the place of a graded cell.

    `run` tells this run's messages from those of any other; with `flush_each` each part's
    observation is sent before the next part begins.
    """
    more = ", flush_each=True" if flush_each else ""
    return (
        "from tinytorch.checks.publish import run_checks as _run_checks\n"
        f"_run_checks(globals(), {run!r}, {grade_id!r}, {packed!r}{more})\n"
    )
