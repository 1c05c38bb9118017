"""Optimizer state spread over the ranks: stage 1 of ZeRO."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.core.autograd import Variable
from tinytorch.core.tensor import Tensor
from tinytorch.parallel.bucket import Bucket
from tinytorch.parallel.ranks import Ranks
from tinytorch.parallel.trainer import Trainer


class ShardedOptimizer(Trainer):
    """An optimizer of which each rank keeps the state of its own part of the weights only.

    Parameters
    ----------
    parameters, ranks
        As in `Trainer`. The arrays of the parameters become parts of one flat array.
    make_optimizer : callable
        Makes the optimizer of a list of parameters: ``lambda shard: Adam(shard, 0.001)``. It gets
        this rank's chunk of all weights, as one flat parameter; so its rule must work element by
        element, as those of SGD and Adam do.

    Notes
    -----
    A step is a reduce-scatter of the gradients, the step of the chunk, and an all-gather of the
    weights: the two halves of an all-reduce with the optimizer between them. So it sends no more
    than data parallelism does, does 1/N of the arithmetic, and for Adam in float32 the model state
    takes ``8 + 8/N`` bytes a weight and rank instead of 16. The bucket of gradients that are sent
    comes on top, as in `DataParallel`. What is added up is the same too, bit by bit.

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
        super().__init__(parameters, ranks)
        self._weights = Bucket(self.parameters)
        self._weights.load(parameter.data.data for parameter in self.parameters)
        for parameter, view in zip(self.parameters, self._weights.views, strict=True):
            parameter.data = Tensor.adopt(view)
        self._chunk = self._weights.array[ranks.chunk(self._weights.array.size)]
        shard = Variable(0.0)
        shard.data = Tensor.adopt(self._chunk)
        self.owned = [shard]
        self.optimizer = make_optimizer(self.owned)

    def step(self, examples: int) -> None:
        """Average the gradients and update every weight, each rank those of its chunk.

        Parameters
        ----------
        examples : int
            How many examples this rank's gradients are the mean of; may be 0.

        Raises
        ------
        ValueError
            If a parameter has a gradient on no rank: a flat chunk cannot skip it.
        """
        wanted = self._collect_gradients(examples)
        if not all(wanted):
            missing = [index for index, present in enumerate(wanted) if not present]
            raise ValueError(
                f"every parameter must have a gradient on some rank, got none for {missing}; "
                "leave those parameters out of the sharded optimizer"
            )
        self._ranks.reduce_scatter(self._bucket.array, self._own)
        (shard,) = self.owned
        shard.grad = Variable(self._own)
        self.optimizer.step()
        shard.grad = None
        if shard.data.data is not self._chunk:  # this optimizer replaces what it updates
            self._chunk[...] = shard.data.data
            shard.data = Tensor.adopt(self._chunk)
        np.copyto(self._own, self._chunk)
        self._ranks.all_gather(self._own, self._weights.array)

    def state_dict(self) -> dict[str, np.ndarray]:
        """Put the chunks of all ranks together, under the names of the unsharded optimizer."""
        whole: dict[str, np.ndarray] = {}
        for name, value in self._optimizer_state().items():
            stem, dot, index = name.rpartition(".")
            if not (dot and index == "0"):
                whole[name] = value
            elif np.shape(value) == self._chunk.shape:
                flat = Bucket(self.parameters)
                self._ranks.all_gather(np.ascontiguousarray(value), flat.array)
                whole.update({f"{stem}.{i}": view for i, view in enumerate(flat.views)})
            else:  # one number for the chunk, as a count of steps: the same for every parameter
                whole.update({f"{stem}.{i}": value for i in range(len(self.parameters))})
        return whole

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Go on from a state, saved by any number of ranks, sharded or not: take the own chunk."""
        own: dict[str, np.ndarray] = {}
        for name, value in state.items():
            stem, dot, index = name.rpartition(".")
            if not (dot and index.isdigit()):
                own[name] = value
            elif index == "0" and np.shape(value) == self.parameters[0].data.data.shape:
                flat = Bucket(self.parameters)
                flat.load(state[f"{stem}.{i}"] for i in range(len(self.parameters)))
                own[name] = flat.array[self._ranks.chunk(flat.array.size)].copy()
            elif index == "0":
                own[name] = value
        self._load_optimizer_state(own)
