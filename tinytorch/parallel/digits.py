"""The example: N processes train the digits network. `train` is the whole idea; read it first."""

from __future__ import annotations

import hashlib
import math
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tinytorch.core.autograd import Variable, add, matmul, relu, softmax_cross_entropy
from tinytorch.core.optimizers import SGD, Adam
from tinytorch.datasets import load_digits
from tinytorch.parallel.data_parallel import DataParallel
from tinytorch.parallel.ranks import Ranks
from tinytorch.parallel.sharded import ShardedOptimizer
from tinytorch.parallel.trainer import Trainer

if TYPE_CHECKING:
    from tinytorch.parallel.checkpoint import Checkpoint

_TRAINING_IMAGES = 1400


@dataclass(frozen=True)
class Settings:
    """What a run is: runs with equal settings take the same steps.

    Attributes
    ----------
    optimizer : {"adam", "sgd"}
        SGD has momentum 0.9.
    learning_rate, batch_size, epochs, seed
        Of the training. The batch is that of all ranks together.
    sharded : bool
        Whether each rank keeps the optimizer's state of its own chunk only.
    die : tuple of int, optional
        (rank, step): that rank kills itself before that step, to see what happens.
    """

    optimizer: str = "adam"
    learning_rate: float = 0.01
    batch_size: int = 32
    epochs: int = 5
    seed: int = 0
    sharded: bool = False
    die: tuple[int, int] | None = None


@dataclass
class Outcome:
    """What a run gave: the same on every rank, except for the times."""

    steps: int = 0
    losses: list[float] = field(default_factory=list)
    accuracy: float = 0.0
    weights: list[np.ndarray] = field(default_factory=list)
    agreed: bool = True
    seconds: float = 0.0

    def digest(self) -> str:
        """Return a short fingerprint of the weights: equal for the same bits only."""
        joined = b"".join(weights.tobytes() for weights in self.weights)
        return hashlib.blake2b(joined, digest_size=6).hexdigest()


def train(ranks: Ranks, settings: Settings, checkpoint: Checkpoint | None = None) -> Outcome:
    """Train on all ranks together: each takes its share of every batch.

    Parameters
    ----------
    ranks : Ranks
        The processes; each calls this function with the same arguments.
    settings : Settings
        What to do.
    checkpoint : Checkpoint, optional
        Where to go on from, if it is there, and what to write.

    Returns
    -------
    Outcome
        `losses` are those of the whole batches; `agreed` tells whether the weights of all ranks
        were equal, bit by bit, after every step.
    """
    images, labels, *test = split_digits()
    network = make_network(settings.seed)
    make_trainer = ShardedOptimizer if settings.sharded else DataParallel
    trainer: Trainer = make_trainer(network, ranks, partial(make_optimizer, settings))
    outcome = Outcome(steps=checkpoint.load(trainer) if checkpoint else 0)
    begin = time.perf_counter()
    for step, batch in batches(settings, first=outcome.steps):
        if settings.die == (ranks.rank, step):
            os.kill(os.getpid(), signal.SIGKILL)
        share = batch[ranks.rank :: ranks.size]  # may be one shorter than others, or empty
        trainer.zero_grad()
        part = 0.0
        if len(share):
            loss = loss_of(network, images[share], labels[share])
            loss.backward()
            part = loss.item() * len(share) / len(batch)
        trainer.step(examples=len(share))
        outcome.agreed &= ranks.agree(weights.data.data for weights in network)
        outcome.losses.append(sum(ranks.gather(part)))
        outcome.steps = step + 1
        if checkpoint:
            checkpoint.save(trainer, ranks, outcome.steps)
    outcome.seconds = time.perf_counter() - begin
    outcome.weights = [weights.data.data.copy() for weights in network]
    outcome.accuracy = accuracy_of(network, *test)
    return outcome


def batches(settings: Settings, first: int = 0) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the number of each step, from `first`, and the rows of its batch.

    The order of an epoch follows from the seed and the number of the epoch alone, so that no
    generator has to be saved.
    """
    per_epoch = math.ceil(_TRAINING_IMAGES / settings.batch_size)
    for epoch in range(first // per_epoch, settings.epochs):
        order = np.random.default_rng([settings.seed, epoch]).permutation(_TRAINING_IMAGES)
        for index in range(per_epoch):
            step = epoch * per_epoch + index
            if step >= first:
                yield step, order[index * settings.batch_size :][: settings.batch_size]


def split_digits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return training images and labels, then test images and labels."""
    images, labels = load_digits()
    order = np.random.default_rng(0).permutation(len(images))
    training, test = order[:_TRAINING_IMAGES], order[_TRAINING_IMAGES:]
    return images[training], labels[training], images[test], labels[test]


def make_network(seed: int = 0) -> list[Variable]:
    """Return weights and biases of a 64-32-10 perceptron."""
    rng = np.random.default_rng(seed)
    network = []
    for inputs, outputs in ((64, 32), (32, 10)):
        weights = rng.normal(0.0, math.sqrt(2 / inputs), (inputs, outputs))
        network += [Variable(weights.astype(np.float32)), Variable(np.zeros(outputs, np.float32))]
    return network


def make_optimizer(settings: Settings, parameters: list[Variable]) -> SGD | Adam:
    """Return the optimizer that the settings name."""
    if settings.optimizer == "sgd":
        return SGD(parameters, settings.learning_rate, momentum=0.9)
    return Adam(parameters, settings.learning_rate)


def scores_of(network: list[Variable], images: np.ndarray) -> Variable:
    """Return the scores of the ten classes, one row per image."""
    weights1, biases1, weights2, biases2 = network
    hidden = relu(add(matmul(Variable(images, requires_grad=False), weights1), biases1))
    return add(matmul(hidden, weights2), biases2)


def loss_of(network: list[Variable], images: np.ndarray, labels: np.ndarray) -> Variable:
    """Return the mean cross-entropy of some images."""
    return softmax_cross_entropy(scores_of(network, images), labels)


def accuracy_of(network: list[Variable], images: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of images whose highest score belongs to the right class."""
    return float(np.mean(scores_of(network, images).data.data.argmax(axis=1) == labels))
