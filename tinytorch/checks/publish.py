"""Answer a grader: exercise a student's code as it asks, and publish what was seen.

It stands in one process with a student's code, as :mod:`tinytorch.checks.observe` does.
"""

from __future__ import annotations

import base64
import json
import marshal
import sys
from collections.abc import Callable, Iterator, Mapping
from time import sleep
from types import ModuleType
from typing import Any

from tinytorch.checks.observe import SECONDS_A_PART, Observation, observe
from tinytorch.checks.student import Student
from tinytorch.checks.wire import decode, encode, unpack

#: Notebook outputs of this type carry what parts saw, one or a list, while a notebook is graded.
OBSERVATION_TYPE = "application/vnd.tinytorch.observation+json"
#: Characters of observations that wait for more of them, so that no message is a large one.
_SENT_TOGETHER = 100_000
#: How long a part waits until what the one before it saw has left: IPython sends from threads, and
#: a part that ends the process ends these too.
_LEAVING_SECONDS = 0.03


def run_checks(
    namespace: dict[str, Any], run: str, grade_id: str, payload: str, flush_each: bool = False
) -> None:
    """Exercise a student's code for the parts of a graded cell and publish what each saw.

    Parameters
    ----------
    namespace : dict
        The notebook's.
    run : str
        What tells this run's outputs from those of any other.
    grade_id : str
        The graded cell.
    payload : str
        By :func:`tinytorch.checks.wire.pack`: under "modules" names and code of the modules of
        exercises, each after those that it imports; under "parts" the module of each part; under
        "cases" the inputs of each part, encoded as :mod:`tinytorch.checks.wire` does.
    flush_each : bool
        Whether what a part saw is sent before the next begins, so that one that ends the process
        takes no other part's observation with it. Otherwise they go together, which is cheaper.
    """
    asked = unpack(payload)
    modules = dict(_modules(asked["modules"]))
    exercises = {part: modules[name][part] for part, name in asked["parts"].items()}
    outbox = _Outbox(run, grade_id)
    try:
        _exercise(Student(namespace), exercises, decode(asked["cases"]), outbox, flush_each)
    finally:
        outbox.send()


def _modules(packed: list[tuple[str, str]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Make the modules of exercises, and their package, anew whatever stands under their names."""
    packages = {name.rpartition(".")[0] for name, _ in packed}
    sys.modules.update({name: ModuleType(name) for name in packages})
    for name, code in packed:
        module = ModuleType(name)
        module.__package__, _, own_name = name.rpartition(".")
        sys.modules[name] = module
        setattr(sys.modules[module.__package__], own_name, module)
        exec(marshal.loads(base64.b64decode(code)), vars(module))
        yield name, vars(module)


def _exercise(
    student: Student,
    exercises: Mapping[str, Callable[..., Mapping[str, Any]]],
    inputs: Mapping[str, Any],
    outbox: _Outbox,
    flush_each: bool,
) -> None:
    for name, each in inputs.items():
        for case, given in enumerate(each):
            seen = observe(exercises[name], student, given, SECONDS_A_PART)
            outbox.add(name, case, seen)
            if seen.interrupted:
                return
            if flush_each:
                outbox.send()
        if flush_each:
            sleep(_LEAVING_SECONDS)
        elif outbox.size > _SENT_TOGETHER:
            outbox.send()


def message(run: str, grade_id: str, part: str, case: int, seen: Observation) -> dict[str, Any]:
    """Return what is told of a part in one case, as :mod:`tito.scoring.check_plan` reads it."""
    return {
        "version": 1,
        "run": run,
        "grade_id": grade_id,
        "part": part,
        "case": case,
        "values": encode(seen.values),
        "error": seen.error,
        "unfinished": seen.unfinished,
        "interrupted": seen.interrupted,
    }


class _Outbox:
    """What parts saw and nobody was told yet."""

    def __init__(self, run: str, grade_id: str) -> None:
        self._run, self._grade_id = run, grade_id
        self._waiting: list[dict[str, Any]] = []
        self.size = 0

    def add(self, part: str, case: int, seen: Observation) -> None:
        """Add what a part saw in one case."""
        told = message(self._run, self._grade_id, part, case, seen)
        self._waiting.append(told)
        self.size += len(json.dumps(told))

    def send(self) -> None:
        """Publish what waits, as one output."""
        from IPython.display import display

        if self._waiting:
            said = f"{self._grade_id}: {len(self._waiting)} observations"
            display({"text/plain": said, OBSERVATION_TYPE: self._waiting}, raw=True)
            self._waiting, self.size = [], 0
