"""Training the digits network, and what an operation costs that is recorded for `backward`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from benchmarks.measure import Step
from tinytorch.core.autograd import Variable, multiply, relu, softmax_cross_entropy
from tinytorch.core.optimizers import SGD
from tinytorch.datasets import load_digits

RATE, BATCH, TRAINING_IMAGES = 0.1, 32, 1437


def _start() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    shapes = {(64, 32): 2 / 64, (32, 10): 2 / 32}
    w1, w2 = (rng.normal(0, np.sqrt(v), s).astype(np.float32) for s, v in shapes.items())
    return [w1, np.zeros(32, np.float32), w2, np.zeros(10, np.float32)]


def _batches(epochs: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(2)
    for _ in range(epochs):
        order = rng.permutation(TRAINING_IMAGES)
        yield from (order[i : i + BATCH] for i in range(0, TRAINING_IMAGES, BATCH))


def trainings(epochs: int = 20) -> dict[str, Callable[[], np.ndarray]]:
    """Return functions that train the 64-32-10 network and return its first weights."""
    images, labels = load_digits()

    def by_hand() -> np.ndarray:
        w1, b1, w2, b2 = _start()
        for batch in _batches(epochs):
            x, rows = images[batch], np.arange(len(batch))
            z = x @ w1 + b1
            h = np.maximum(z, 0)
            p = h @ w2 + b2
            p = np.exp(p - p.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[rows, labels[batch]] -= 1
            p /= len(batch)
            dz = (p @ w2.T) * (z > 0)
            gradients = (x.T @ dz, dz.sum(axis=0), h.T @ p, p.sum(axis=0))
            for w, g in zip((w1, b1, w2, b2), gradients, strict=True):
                w -= RATE * g
        return w1

    def ours() -> np.ndarray:
        parameters = w1, b1, w2, b2 = [Variable(array) for array in _start()]
        optimizer = SGD(parameters, learning_rate=RATE)
        for batch in _batches(epochs):
            optimizer.zero_grad()
            logits = relu(images[batch] @ w1 + b1) @ w2 + b2
            softmax_cross_entropy(logits, labels[batch]).backward()
            optimizer.step()
        return w1.data.data

    def theirs() -> np.ndarray:
        x, y = torch.from_numpy(images), torch.from_numpy(np.asarray(labels))
        parameters = w1, b1, w2, b2 = [torch.tensor(a, requires_grad=True) for a in _start()]
        optimizer = torch.optim.SGD(parameters, lr=RATE)
        for rows in _batches(epochs):
            batch = torch.from_numpy(rows)
            optimizer.zero_grad()
            logits = torch.relu(x[batch] @ w1 + b1) @ w2 + b2
            torch.nn.functional.cross_entropy(logits, y[batch]).backward()
            optimizer.step()
        return w1.detach().numpy()

    return {"NumPy by hand": by_hand, "ours": ours, "PyTorch": theirs}


def check_agreement(results: dict[str, np.ndarray]) -> None:
    """Refuse to compare trainings that do not do the same."""
    first = results["NumPy by hand"]
    for name, weights in results.items():
        np.testing.assert_allclose(weights, first, atol=1e-3, err_msg=f"{name} trains otherwise")


def graph_chains(operations: int = 1000) -> dict[str, Step]:
    """Return chains of products of four numbers: without a graph, with one, and back through it."""
    array = np.full(4, 0.5, np.float32)
    factor, leaf = Variable(array, requires_grad=False), Variable(array)

    def numpy() -> np.ndarray:
        y = array
        for _ in range(operations):
            y = y * array
        return y

    def forward() -> Variable:
        y = leaf
        for _ in range(operations):
            y = multiply(y, factor)
        return y

    def forward_and_back() -> None:
        forward().backward(array)

    return {"NumPy": numpy, "forward": forward, "forward and back": forward_and_back}
