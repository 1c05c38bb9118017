"""What a cell and a notebook may show."""

import pytest
from nbformat import NotebookNode

from tinytorch.checks.publish import OBSERVATION_TYPE
from tito.kernels.budget import OutputBudget


def stream(size: int) -> tuple[str, dict]:
    return "stream", {"name": "stdout", "text": "q" * size}


def figure(size: int) -> tuple[str, dict]:
    return "display_data", {"data": {"image/png": "x" * size}, "metadata": {}}


def values(count: int, place: str) -> tuple[str, dict]:
    """Return a figure with many empty values in its data, within one of these, or beside them."""
    many = {f"{number}": "" for number in range(count)}
    data = {"data": many, "application/json": {"application/json": many}}.get(place, {})
    return "display_data", {"data": data, "metadata": many if place == "metadata" else {}}


def observation(size: int) -> tuple[str, dict]:
    data = {"text/plain": "seen", OBSERVATION_TYPE: [{"values": "x" * size}]}
    return "display_data", {"data": data, "metadata": {}}


def node(output: tuple[str, dict]) -> NotebookNode:
    kind, content = output
    return NotebookNode({"output_type": kind, **content})


def is_kept(budget: OutputBudget, output: tuple[str, dict]) -> bool:
    made = node(output)
    return budget.keeps(made) is made


def shown(budget: OutputBudget, output: tuple[str, dict], cells: int, each: int = 1) -> int:
    """Show an output in several cells; return how often that was allowed."""
    count = 0
    for _ in range(cells):
        budget.begin(asked=output[1].get("data", {}).get("text/plain") == "seen")
        count += sum(is_kept(budget, output) for _ in range(each))
    return count


@pytest.mark.parametrize(
    ("output", "cells", "each", "count"),
    [
        (stream(9_800), 1, 1000, 10),
        (stream(9_800), 1000, 10, 40),
        (figure(9_000 - len("image/png")), 1, 1000, 100),
        (figure(9_000 - len("image/png")), 1000, 10, 120),
        (observation(99_000), 1000, 1, 11),
        # Values cost what they take in memory, and not their text alone.
        (values(1_000, "data"), 1, 100, 4),
        (values(1_000, "application/json"), 1, 100, 4),
        (values(1_000, "metadata"), 1, 100, 4),
    ],
)
def test_a_cell_and_a_notebook_have_budgets(output, cells, each, count):
    assert shown(OutputBudget(100_000), output, cells, each) == count


def test_what_stands_beside_an_observation_counts():
    kind, content = observation(10)
    content["metadata"] = {"x": "x" * 600_000}
    assert shown(OutputBudget(100_000), (kind, content), cells=1, each=10) == 1


def test_what_is_cut_counts_too():
    budget, kept = OutputBudget(1_000), 0
    for _ in range(100):
        budget.begin()
        kept += budget.keeps(node(stream(5_000))).text.count("q")
    assert kept == 4_000


def test_observations_count_only_while_a_graded_cell_is_asked():
    budget = OutputBudget(1_000_000)
    budget.begin()
    assert not is_kept(budget, observation(10)) and not budget.is_cut
    budget.begin(asked=True)
    assert is_kept(budget, observation(10))


def test_a_flood_of_figures_or_text_takes_no_observation_along():
    budget = OutputBudget(10_000)
    shown(budget, figure(9_000), cells=50)
    shown(budget, stream(9_000), cells=50)
    assert shown(budget, observation(1_000), cells=50) > 40


def test_what_is_not_kept_takes_nothing():
    budget = OutputBudget(10_000)
    for _ in range(100):
        budget.begin(silent=True)
        assert not is_kept(budget, figure(9_000)) and not budget.is_cut
    budget.begin()
    assert is_kept(budget, figure(9_000))
