"""One optimizer step, done by NumPy as one would write it, by this package, and by PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.measure import Step
from tinytorch.core.autograd import Variable, record
from tinytorch.core.fused import FlatParameters, FusedAdam, FusedSGD
from tinytorch.core.optimizers import SGD, Adam


@dataclass(frozen=True)
class Size:
    """How many parameters, in how many tensors."""

    parameters: int
    tensors: int

    def __str__(self) -> str:
        return f"{self.parameters:,} in {self.tensors}"


SIZES = [Size(1_000, 100), Size(10**6, 100), Size(10**6, 1), Size(10**7, 1), Size(5 * 10**7, 1)]

#: Bytes that a step of float32 parameters must at least move: what it reads and what it writes.
BYTES_MOVED = {"SGD": 4 * (3 + 2), "Adam": 4 * (4 + 3)}
BASELINE = "torch fused"
#: The fused optimizer as it is where the extra `compiled` is installed; "ours fused" is in blocks.
COMPILED = "ours compiled"

_OURS = {"SGD": (SGD, FusedSGD), "Adam": (Adam, FusedAdam)}
_THEIRS = {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam}
_SETTINGS = {"SGD": ({"learning_rate": 1e-3, "momentum": 0.9}, {"lr": 1e-3, "momentum": 0.9})}


def contenders(rule: str, size: Size, threads: int) -> dict[str, Step]:
    """Return what is compared, by name; each has parameters and state of its own.

    Parameters
    ----------
    rule : {"SGD", "Adam"}
        SGD is with momentum 0.9.
    size : Size
        The parameters, float32; the gradients are the same arrays for all.
    threads : int
        Naive and plain NumPy always run in one, and take part only where this is 1.
    """
    torch.set_num_threads(threads)
    rng = np.random.default_rng(0)
    shape = size.parameters // size.tensors
    gradients = [rng.normal(size=shape).astype(np.float32) for _ in range(size.tensors)]
    start = [rng.normal(size=shape).astype(np.float32) for _ in range(size.tensors)]
    ours, theirs = _SETTINGS.get(rule, ({}, {}))
    plain, fused = _OURS[rule]
    result: dict[str, Step] = {}
    if threads == 1:
        result["naive NumPy"] = _naive(rule, start, gradients)
        result["ours"] = plain(_variables(start, gradients), **ours).step
    for name, compiled in {"ours fused": False, COMPILED: True}.items():
        settings = {"threads": threads, "compiled": compiled, **ours}
        result[name] = fused(_variables(start, gradients), **settings).step
    if size.tensors > 1:
        if threads == 1:
            result["ours, flat"] = plain([_flat(start, gradients)], **ours).step
        flat = fused([_flat(start, gradients)], threads=threads, compiled=False, **ours)
        result["ours fused, flat"] = flat.step
    for name, choice in {
        "torch default": {"foreach": False},
        "torch foreach": {"foreach": True},
        BASELINE: {"fused": True},
    }.items():
        tensors = [torch.tensor(array, requires_grad=True) for array in start]
        for tensor, gradient in zip(tensors, gradients, strict=True):
            tensor.grad = torch.from_numpy(gradient)
        result[name] = _THEIRS[rule](tensors, **theirs, **choice).step
    return result


def _variables(start: list[np.ndarray], gradients: list[np.ndarray]) -> list[Variable]:
    variables = [Variable(array) for array in start]
    for variable, gradient in zip(variables, gradients, strict=True):
        variable.grad = record(gradient)
    return variables


def _flat(start: list[np.ndarray], gradients: list[np.ndarray]) -> FlatParameters:
    flat = FlatParameters([Variable(array) for array in start])
    for part, gradient in zip(flat.parts, gradients, strict=True):
        part.grad = Variable(gradient)
    return flat


def _naive(rule: str, start: list[np.ndarray], gradients: list[np.ndarray]) -> Step:
    """Write the equations down in NumPy, with a new array for each result."""
    w = [array.copy() for array in start]
    m, v = [np.zeros_like(a) for a in w], [np.zeros_like(a) for a in w]
    t = 0

    def sgd() -> None:
        for i, g in enumerate(gradients):
            v[i] = 0.9 * v[i] + g
            w[i] = w[i] - 1e-3 * v[i]

    def adam() -> None:
        nonlocal t
        t += 1
        for i, g in enumerate(gradients):
            m[i] = 0.9 * m[i] + 0.1 * g
            v[i] = 0.999 * v[i] + 0.001 * g * g
            m_hat, v_hat = m[i] / (1 - 0.9**t), v[i] / (1 - 0.999**t)
            w[i] = w[i] - 1e-3 * m_hat / (np.sqrt(v_hat) + 1e-8)

    return sgd if rule == "SGD" else adam


def fused_step(rule: str, parameters: int) -> Step:
    """Return the fused step for one tensor, with the block size that is set now."""
    rng = np.random.default_rng(0)
    array = rng.normal(size=parameters).astype(np.float32)
    settings = {"compiled": False, **_SETTINGS.get(rule, ({},))[0]}
    return _OURS[rule][1](_variables([array], [array.copy()]), **settings).step
