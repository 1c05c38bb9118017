"""No part is flaky: it holds run after run, also while the machine has other work to do.

A part can only be flaky where it, or what it exercises, reads a clock or draws by chance. The cells
that do are run 200 times; the others pass where there is no clock and no chance, so once is enough.
"""

import multiprocessing
import os
import random
import time
import warnings
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from tests.solutions.harness import assignment, assignments
from tests.solutions.wrong_ideas import source_of

RUNS = 200
#: The graded cells that measure time.
TIMED = ("test-convergence-profiler", "test-ml-systems-integration")
#: Runs in a row in one process; each begins with an empty namespace.
ROW = 25
#: Right solutions that measure, remember and compute in another way than the reference.
OTHERS = {
    "convergence-profiler/one_table_of_rows": "test-convergence-profiler",
    "convergence-profiler/dataclass_record_and_generator": "test-ml-systems-integration",
    "sgd-class/one_flat_velocity": "test-sgd",
    "adam-class/moments_as_properties": "test-adam",
}


def problems(solution: str, grade_id: str) -> set[str]:
    """Run a graded cell again and again, with a solution of a student or, with "", without."""
    replaced = {solution.split("/")[0]: source_of("right", solution)} if solution else {}
    found = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(ROW):
            report = assignment(grade_id).report(grade_id, replaced)
            found |= {f"{p.name}: {p.problem}" for p in report.parts if p.points and p.problem}
    return found


@pytest.fixture(scope="module")
def runs():
    """All runs, in twice as many processes as there are cores: each is the load of the others."""
    tasks = [("", cell) for cell in TIMED for _ in range(RUNS // ROW)]
    tasks += OTHERS.items()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2 * (os.cpu_count() or 1), mp_context=context) as pool:
        found = list(pool.map(problems, *zip(*tasks, strict=True)))
    return list(zip(tasks, found, strict=True))


@pytest.mark.parametrize("grade_id", TIMED)
def test_the_reference_holds_in_every_run(runs, grade_id):
    each = [found for task, found in runs if task == ("", grade_id)]
    assert len(each) * ROW == RUNS
    assert set().union(*each) == set()


@pytest.mark.parametrize("grade_id", [name for each in assignments() for name in each.graded])
def test_only_the_timed_cells_read_a_clock_and_none_draws_by_chance(grade_id, monkeypatch):
    read = set()

    def unknown(*arguments, **options):
        read.add("chance")
        raise RuntimeError("not here")

    def clock():
        read.add("clock")
        return now()

    def generator(*seed):
        return seeded(*seed) if seed else unknown()

    now, seeded = time.perf_counter, np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", generator)
    for name in ("perf_counter", "monotonic", "time", "process_time"):
        monkeypatch.setattr(time, name, clock)
    for name in ("random", "uniform", "gauss", "randint", "choice", "shuffle"):
        monkeypatch.setattr(random, name, unknown)
    for name in ("rand", "randn", "random", "uniform", "normal", "randint", "choice", "shuffle"):
        monkeypatch.setattr(np.random, name, unknown)
    report = assignment(grade_id).report(grade_id)
    monkeypatch.undo()
    assert report.passed
    assert read == ({"clock"} if grade_id in TIMED else set())


@pytest.mark.parametrize("solution", OTHERS)
def test_another_right_solution_holds_in_every_run(runs, solution):
    assert dict(runs)[solution, OTHERS[solution]] == set()
