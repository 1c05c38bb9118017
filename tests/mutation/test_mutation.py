"""The graded cells take points for nearly every small change of the reference."""

import pytest

from tests.mutation.mutants import mutants
from tests.mutation.run import all_mutants, equivalents, run, scores

GOAL = 0.97


@pytest.fixture(scope="module")
def population():
    return all_mutants()


@pytest.fixture(scope="module")
def fates(population):
    return list(run(population))


def test_a_change_gives_one_mutant_with_the_place_it_was_made_at():
    source = "def area(a):\n    # square\n    return a * 1\n"
    found = {mutant.change: mutant for mutant in mutants("cell", source)}
    assert found["a * 1 -> a / 1"].source == "def area(a):\n    # square\n    return a / 1\n"
    assert found["1 -> 2"].key == ("cell", "return a * 1", "1 -> 2")
    assert {"1 -> 0", "a * 1 -> a", "return a * 1 -> return -(a * 1)"} <= set(found)
    assert len({mutant.source for mutant in found.values()}) == len(found)


def test_code_that_the_contract_leaves_free_is_not_changed():
    source = (
        "def rate(eta: float) -> float:\n"
        '    """Return eta."""\n'
        "    if not eta >= 0:\n"
        "        raise ValueError('eta must be at least 0')\n"
        "    print(eta, 'is the rate')\n"
        "    return eta\n"
    )
    changes = {mutant.change for mutant in mutants("cell", source)}
    assert changes == {
        "print(eta, 'is the rate') -> nothing",
        "return eta -> nothing",
        "return eta -> return None",
        "return eta -> return -eta",
    }


def test_every_mutant_has_a_key_of_its_own(population):
    assert len({mutant.key for mutant in population}) == len(population)


def test_every_equivalent_is_a_mutant(population):
    assert equivalents() - {mutant.key for mutant in population} == set()


def test_no_equivalent_loses_points(fates):
    listed = equivalents()
    wrong = [f"{f.mutant}: {f.killer}" for f in fates if f.killer and f.mutant.key in listed]
    assert wrong == []


def test_the_mutation_score_of_every_cell_reaches_the_goal(fates):
    listed = equivalents()
    survived = [str(f.mutant) for f in fates if not f.killer and f.mutant.key not in listed]
    low = {cell: score.value for cell, score in scores(fates).items() if score.value < GOAL}
    assert low == {}, "\n".join(survived)
