"""Replicas stay equal, and N processes do what one does with the whole batch."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tinytorch.core.autograd import Variable
from tinytorch.core.fused import FusedAdam
from tinytorch.core.optimizers import SGD
from tinytorch.parallel import DataParallel, Ranks, ShardedOptimizer, launch
from tinytorch.parallel.cost import measure_state
from tinytorch.parallel.digits import Outcome, Settings, train

#: 44 steps; on 3 ranks every share is ragged.
EVEN = Settings(epochs=1)
SGD_EVEN = Settings(epochs=1, optimizer="sgd", learning_rate=0.1)
#: Batches of 1399 images and of 1, in turns: then all ranks but one have none.
RAGGED = Settings(epochs=5, batch_size=1399)


def trainings(ranks: Ranks) -> dict[str, Outcome]:
    return {
        "even": train(ranks, EVEN),
        "even, sharded": train(ranks, replace(EVEN, sharded=True)),
        "sgd": train(ranks, SGD_EVEN),
        "sgd, sharded": train(ranks, replace(SGD_EVEN, sharded=True)),
        "ragged": train(ranks, RAGGED),
        "ragged, sharded": train(ranks, replace(RAGGED, sharded=True)),
    }


@cache
def outcomes(ranks: int) -> list[dict[str, Outcome]]:
    return launch(trainings, ranks=ranks)


@pytest.mark.parametrize("ranks", [2, 3])
def test_replicas_hold_the_same_bits_after_every_step(ranks):
    for name, first in outcomes(ranks)[0].items():
        for other in (seen[name] for seen in outcomes(ranks)):
            assert other.agreed
            assert other.losses == first.losses
            assert other.digest() == first.digest()


@pytest.mark.parametrize("ranks", [2, 3])
@pytest.mark.parametrize("run", ["even", "ragged", "sgd"])
def test_shares_together_do_what_one_process_does_with_the_whole_batch(ranks, run):
    (alone,), together = outcomes(1), outcomes(ranks)[0]
    assert len(alone[run].losses) == len(together[run].losses) >= 10
    np.testing.assert_allclose(together[run].losses, alone[run].losses, rtol=2e-3, atol=1e-5)
    for got, expected in zip(together[run].weights, alone[run].weights, strict=True):
        np.testing.assert_allclose(got, expected, atol=2e-4)
    assert together[run].accuracy == pytest.approx(alone[run].accuracy, abs=0.01)


@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("run", ["even", "ragged", "sgd"])
def test_sharded_state_takes_the_same_steps_bit_by_bit(ranks, run):
    whole, sharded = (outcomes(ranks)[0][name] for name in (run, f"{run}, sharded"))
    assert sharded.losses == whole.losses
    assert sharded.digest() == whole.digest()


def odd_gradients(ranks: Ranks) -> dict:
    """Three examples on rank 0, one on rank 1; one gradient is missing there, one everywhere."""
    parameters = [Variable([1.0 + ranks.rank]), Variable([2.0]), Variable([3.0])]
    replicas = DataParallel(parameters, ranks, lambda weights: SGD(weights, 1.0))
    parameters[0].grad = Variable([8.0 if ranks.rank == 0 else 4.0])
    parameters[1].grad = Variable([8.0]) if ranks.rank == 0 else None
    replicas.step(examples=3 if ranks.rank == 0 else 1)
    return {
        "weights": [float(parameter.data.data[0]) for parameter in parameters],
        "missing": [parameter.grad is None for parameter in parameters],
    }


def test_gradients_count_by_their_examples_and_missing_ones_as_zero():
    expected = {"weights": [1.0 - 7.0, 2.0 - 6.0, 3.0], "missing": [False, False, True]}
    assert launch(odd_gradients) == [expected, expected]


def sharded_without_a_gradient(ranks: Ranks) -> str:
    parameters = [Variable([1.0]), Variable([2.0, 3.0])]
    sharded = ShardedOptimizer(parameters, ranks, SGD)
    parameters[0].grad = Variable([1.0])
    with pytest.raises(ValueError, match="some rank") as caught:
        sharded.step(examples=1)
    with pytest.raises(ValueError, match="one dtype"):
        DataParallel([Variable([1.0]), Variable(np.ones(2))], ranks, SGD)
    return str(caught.value)


def test_what_a_bucket_cannot_hold_is_refused():
    assert "got none for [1]" in launch(sharded_without_a_gradient)[0]


def states(ranks: Ranks) -> list[float]:
    return [measure_state(ranks, FusedAdam, 1_000_000, sharded) for sharded in (False, True)]


def test_measured_state_of_adam_is_8_bytes_a_weight_and_sharded_the_nth_part():
    for whole, sharded in launch(states, ranks=3):
        assert whole == pytest.approx(8, abs=0.05)
        assert sharded == pytest.approx(8 / 3, abs=0.05)
