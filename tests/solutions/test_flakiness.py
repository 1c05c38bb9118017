"""No part is flaky: it holds run after run, also while the machine has other work to do."""

import multiprocessing
import os
import warnings
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.solutions.harness import FOLDER, graded_cells, reports

RUNS = 200
#: Runs in a row in one process; each begins with an empty namespace.
ROW = 25
#: Right solutions that measure, remember and compute in another way than the reference.
OTHERS = {
    "convergence-profiler/one_table_of_rows": "test-convergence-profiler",
    "convergence-profiler/dataclass_record_and_generator": "test-ml-systems-integration",
    "sgd-class/one_flat_velocity": "test-sgd",
    "adam-class/moments_as_properties": "test-adam",
    "training-integration/with_scheduler": "test-training-integration",
}


def problems(solution: str, grade_id: str) -> set[str]:
    """Run a graded cell again and again, with a solution of a student or, with "", without."""
    replaced = {}
    if solution:
        replaced[solution.split("/")[0]] = (FOLDER / "right" / f"{solution}.py").read_text()
    found = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(ROW):
            (report,) = reports(replaced, only={grade_id}).values()
            found |= {f"{p.name}: {p.problem}" for p in report.parts if p.points and p.problem}
    return found


@pytest.fixture(scope="module")
def runs():
    """All runs, in twice as many processes as there are cores: each is the load of the others."""
    tasks = [("", cell) for cell in graded_cells() for _ in range(RUNS // ROW)]
    tasks += OTHERS.items()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2 * (os.cpu_count() or 1), mp_context=context) as pool:
        found = list(pool.map(problems, *zip(*tasks, strict=True)))
    return list(zip(tasks, found, strict=True))


@pytest.mark.parametrize("grade_id", graded_cells())
def test_the_reference_holds_in_200_runs(runs, grade_id):
    each = [found for task, found in runs if task == ("", grade_id)]
    assert len(each) * ROW == RUNS
    assert set().union(*each) == set()


@pytest.mark.parametrize("solution", OTHERS)
def test_another_right_solution_holds_in_every_run(runs, solution):
    assert dict(runs)[solution, OTHERS[solution]] == set()
