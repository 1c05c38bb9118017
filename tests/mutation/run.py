"""Judge every mutant by the graded cells, in a few processes."""

from __future__ import annotations

import multiprocessing
import os
import re
import tomllib
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from tests.mutation.mutants import Mutant, mutants
from tests.solutions.harness import assignment

#: The graded cell that is there for a solution cell; it is asked first.
TARGETS = {
    "gradient-descent-function": "test-gradient-descent",
    "sgd-class": "test-sgd",
    "adam-class": "test-adam",
    "steplr-class": "test-step-scheduler",
    "training-integration": "test-training-integration",
    "convergence-profiler": "test-convergence-profiler",
    "advanced-optimizer-features": "test-advanced-features",
    "parameter-groups": "test-parameter-groups",
    "rmsprop-class": "test-rmsprop",
    "nesterov-class": "test-nesterov",
    "adamw-class": "test-adamw",
    "schedule-functions": "test-schedules",
    "muon-class": "test-muon",
    "weight-average": "test-weight-average",
    "sharded-adamw": "test-sharded-adamw",
}
#: Wall time of a part. The slowest of the reference takes 0.1 s.
SECONDS = 2.0
EQUIVALENT = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True)
class Fate:
    """What became of a mutant.

    Attributes
    ----------
    mutant : Mutant
        Which.
    killer : str or None
        The graded cell and the part that took points for it, or None if it survived.
    """

    mutant: Mutant
    killer: str | None


@dataclass(frozen=True)
class Score:
    """The count of a cell's mutants."""

    mutants: int
    killed: int
    equivalent: int

    @property
    def survived(self) -> int:
        """Mutants that neither lost points nor are listed as equivalent."""
        return self.mutants - self.killed - self.equivalent

    @property
    def value(self) -> float:
        """Killed mutants by all that are not equivalent."""
        return self.killed / max(1, self.mutants - self.equivalent)

    def __add__(self, other: Score) -> Score:
        return Score(
            self.mutants + other.mutants,
            self.killed + other.killed,
            self.equivalent + other.equivalent,
        )


def all_mutants() -> list[Mutant]:
    """Make the mutants of all solution cells."""
    return [
        mutant for cell in TARGETS for mutant in mutants(cell, assignment(cell).cells[cell].source)
    ]


@cache
def watchers(cell: str) -> list[str]:
    """Return the graded cells that name what a solution cell defines, its own first."""
    where = assignment(cell)
    defined = [node.name for node in where.solutions[cell].body if hasattr(node, "name")]
    pattern = re.compile(rf"\b({'|'.join(defined)})\b")
    others = [name for name in where.graded if pattern.search(where.cells[name].source)]
    return [TARGETS[cell], *(name for name in others if name != TARGETS[cell])]


#: How many mutants of a function each part of a graded cell has killed in this process.
_killed: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)


def judge(mutant: Mutant) -> Fate:
    """Run a mutant through its own graded cell, and through the others while it survives.

    The parts that have killed most mutants of the same function come first.
    """
    for grade_id in watchers(mutant.cell):
        killed = _killed[mutant.function, grade_id]
        replaced = {mutant.cell: mutant.source}
        verdict = assignment(grade_id).first_failure(replaced, grade_id, SECONDS, killed)
        if verdict is not None:
            killed[verdict.name] += 1
            return Fate(mutant, f"{grade_id}: {verdict.name}")
    return Fate(mutant, None)


def run(population: list[Mutant], workers: int | None = None) -> Iterator[Fate]:
    """Judge mutants in several processes.

    Parameters
    ----------
    population : list of Mutant
        Whom to judge.
    workers : int, optional
        The number of processes; one per core by default.

    Yields
    ------
    Fate
        Of each mutant, as soon as it is known.
    """
    context = multiprocessing.get_context("spawn")
    count = workers or os.cpu_count() or 1
    with ProcessPoolExecutor(count, mp_context=context, initializer=_quiet) as pool:
        for future in as_completed([pool.submit(judge, mutant) for mutant in population]):
            yield future.result()


def _quiet() -> None:
    """Keep a mutant's warnings to itself, in a process of the pool."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")


def equivalents() -> set[tuple[str, str, str]]:
    """Return the keys of the mutants that are equivalent."""
    return {
        (cell, line, change)
        for cell, reasons in tomllib.loads(EQUIVALENT.read_text()).items()
        for lines in reasons.values()
        for line, changes in lines.items()
        for change in changes
    }


def scores(fates: list[Fate]) -> dict[str, Score]:
    """Count the fates of mutants, by solution cell."""
    listed = equivalents()
    counts: Counter[tuple[str, str]] = Counter()
    for fate in fates:
        kind = "killed" if fate.killer else "equivalent" if fate.mutant.key in listed else "alive"
        counts[fate.mutant.cell, kind] += 1
    return {
        cell: Score(
            sum(counts[cell, kind] for kind in ("killed", "equivalent", "alive")),
            counts[cell, "killed"],
            counts[cell, "equivalent"],
        )
        for cell in TARGETS
    }
