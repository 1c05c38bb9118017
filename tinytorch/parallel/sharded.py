"""Optimizer state spread over the ranks: stage 1 of ZeRO."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.core.autograd import Variable
from tinytorch.core.tensor import Tensor
from tinytorch.parallel.bucket import Bucket
from tinytorch.parallel.data_parallel import collect_gradients
from tinytorch.parallel.ranks import Ranks


class ShardedOptimizer:
    """An optimizer of which each rank keeps the state of its own part of the weights only.

    Parameters
    ----------
    parameters : sequence of Variable
        Of this rank's replica, all of one dtype. They are overwritten with those of rank 0, and
        their arrays become parts of one flat array.
    ranks : Ranks
        The processes.
    make_optimizer : callable
        Makes the optimizer of a list of parameters: ``lambda shard: Adam(shard, 0.001)``. Its rule
        must work element by element, as those of SGD and Adam do.

    Attributes
    ----------
    parameters : list of Variable
        As given.
    optimizer : SGD, Adam or another
        The optimizer of this rank's chunk: one parameter, `shard`.
    shard : Variable
        This rank's chunk of all weights, one-dimensional.
    learning_rate : float
        That of `optimizer`; a schedule may set it.

    Notes
    -----
    A step is a reduce-scatter of the gradients, the step of the chunk, and an all-gather of the
    weights: the two halves of an all-reduce with the optimizer between them. So it sends no more
    than data parallelism does, does 1/N of the arithmetic, and for Adam in float32 the model state
    takes ``8 + 8/N`` bytes a weight and rank instead of 16. Buckets for the gradients come on top.
    The gradients added up are those of `DataParallel.average_gradients`, bit by bit.

    References
    ----------
    S. Rajbhandari, J. Rasley, O. Ruwase, Y. He, ZeRO: Memory Optimizations Toward Training
    Trillion Parameter Models, 2020.
    """

    def __init__(
        self,
        parameters: Sequence[Variable],
        ranks: Ranks,
        make_optimizer: Callable[[list[Variable]], Any],
    ) -> None:
        self.parameters = list(parameters)
        self._ranks = ranks
        self._weights = Bucket(self.parameters)
        self._weights.load(parameter.data.data for parameter in self.parameters)
        ranks.broadcast(self._weights.array)
        for parameter, view in zip(self.parameters, self._weights.views, strict=True):
            parameter.data = Tensor.adopt(view)
        self._gradients = Bucket(self.parameters)
        own = ranks.chunk(self._weights.array.size)
        self._chunk = self._weights.array[own]
        self.shard = Variable(0.0)
        self.shard.data = Tensor.adopt(self._chunk)
        self._own_gradient = np.empty_like(self._chunk)
        self.optimizer = make_optimizer([self.shard])

    @property
    def learning_rate(self) -> float:
        """The rate of the optimizer of this rank's chunk."""
        return self.optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self.optimizer.learning_rate = value

    def step(self, examples: int) -> None:
        """Average the gradients over all ranks and update every weight, each rank its chunk.

        Parameters
        ----------
        examples : int
            How many examples this rank's gradients are the mean of; may be 0.

        Raises
        ------
        ValueError
            If a parameter has a gradient on no rank: a flat chunk cannot skip it.
        """
        present = collect_gradients(self.parameters, self._gradients, self._ranks, examples)
        missing = [i for i, parameter in enumerate(self.parameters) if parameter.grad is None]
        if missing or not present:
            raise ValueError(
                f"every parameter must have a gradient on some rank, got none for {missing}; "
                "leave those parameters out of the sharded optimizer"
            )
        self._ranks.reduce_scatter(self._gradients.array, self._own_gradient)
        self.shard.grad = Variable(self._own_gradient)
        self.optimizer.step()
        self.shard.grad = None
        if self.shard.data.data is not self._chunk:  # this optimizer replaces what it updates
            self._chunk[...] = self.shard.data.data
            self.shard.data = Tensor.adopt(self._chunk)
        # MPI wants what is sent apart from where it is received.
        np.copyto(self._own_gradient, self._chunk)
        self._ranks.all_gather(self._own_gradient, self._weights.array)

    def zero_grad(self) -> None:
        """Set the ``grad`` of every parameter to None."""
        for parameter in self.parameters:
            parameter.grad = None
