"""Copies of one model that stay equal, each on its own share of every batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.core.autograd import Variable
from tinytorch.parallel.bucket import Bucket
from tinytorch.parallel.ranks import Ranks


class DataParallel:
    """Keep the replicas of a model equal: the same start, then the same gradients.

    Parameters
    ----------
    parameters : sequence of Variable
        Of this rank's replica, all of one dtype. They are overwritten with those of rank 0.
    ranks : Ranks
        The processes.
    make_optimizer : callable
        Makes the optimizer of a list of parameters: ``lambda ps: Adam(ps, learning_rate=0.01)``.

    Attributes
    ----------
    parameters : list of Variable
        As given.
    optimizer : SGD, Adam or another
        This rank's own. Any rule will do: equal weights and equal gradients give equal steps.

    Notes
    -----
    This is PyTorch's DistributedDataParallel without its overlap of communication and backward
    pass.
    """

    def __init__(
        self,
        parameters: Sequence[Variable],
        ranks: Ranks,
        make_optimizer: Callable[[list[Variable]], Any],
    ) -> None:
        self.parameters = list(parameters)
        self._ranks = ranks
        self._bucket = Bucket(self.parameters)
        self._bucket.load(parameter.data.data for parameter in self.parameters)
        ranks.broadcast(self._bucket.array)
        for parameter, view in zip(self.parameters, self._bucket.views, strict=True):
            parameter.data.data[...] = view
        self._own = np.empty_like(self._bucket.array[ranks.chunk(self._bucket.array.size)])
        self.optimizer = make_optimizer(self.parameters)

    def average_gradients(self, examples: int) -> None:
        """Replace each gradient by its mean over the examples of all ranks.

        Parameters
        ----------
        examples : int
            How many examples this rank's gradients are the mean of. A rank may have fewer than
            others, or none; its gradients count by its share of all examples.

        Notes
        -----
        A parameter without a gradient on this rank counts as zero, and one without a gradient on
        all ranks stays without.
        """
        if collect_gradients(self.parameters, self._bucket, self._ranks, examples):
            self._ranks.all_reduce(self._bucket.array, self._own)
        for parameter, view in zip(self.parameters, self._bucket.views, strict=True):
            if parameter.grad is not None:
                parameter.grad.data.data[...] = view

    def step(self, examples: int) -> None:
        """Average the gradients, see `average_gradients`; then every rank takes the same step."""
        self.average_gradients(examples)
        self.optimizer.step()

    def zero_grad(self) -> None:
        """Set the ``grad`` of every parameter to None."""
        for parameter in self.parameters:
            parameter.grad = None


def collect_gradients(
    parameters: Sequence[Variable], bucket: Bucket, ranks: Ranks, examples: int
) -> bool:
    """Put this rank's part of the mean gradient into the bucket; tell whether any rank has one.

    A parameter that has a gradient on another rank only gets one of zeros.
    """
    present = [parameter.grad is not None and examples > 0 for parameter in parameters]
    total, *wanted = ranks.total([examples, *present])
    for parameter, view, here, count in zip(parameters, bucket.views, present, wanted, strict=True):
        if here:
            np.multiply(parameter.grad.data.data, examples / total, out=view)
            continue
        view[...] = 0
        parameter.grad = Variable(view) if count else None
    return any(wanted)
