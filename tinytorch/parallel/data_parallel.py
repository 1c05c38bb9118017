"""Copies of one model that stay equal, each on its own share of every batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.core.autograd import Variable
from tinytorch.parallel.ranks import Ranks
from tinytorch.parallel.trainer import Trainer


class DataParallel(Trainer):
    """Keep the replicas of a model equal: the same start, then the same gradients.

    Parameters
    ----------
    parameters, ranks
        As in `Trainer`.
    make_optimizer : callable
        Makes the optimizer of a list of parameters: ``lambda ps: Adam(ps, learning_rate=0.01)``.
        Any rule will do: equal weights and equal gradients give equal steps.

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
        super().__init__(parameters, ranks)
        self.owned = self.parameters
        self.optimizer = make_optimizer(self.owned)

    def average_gradients(self, examples: int) -> None:
        """Replace each gradient by its mean over the examples of all ranks.

        Parameters
        ----------
        examples : int
            How many examples this rank's gradients are the mean of.

        Notes
        -----
        A parameter without a gradient on this rank counts as zero, and one without a gradient on
        all ranks stays without.
        """
        if any(self._collect_gradients(examples)):
            self._ranks.all_reduce(self._bucket.array, self._own)
        for weights, view in zip(self.parameters, self._bucket.views, strict=True):
            if weights.grad is not None:
                weights.grad.data.data[...] = view

    def step(self, examples: int) -> None:
        """Average the gradients over all ranks; then every rank takes the same step."""
        self.average_gradients(examples)
        self.optimizer.step()

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return the optimizer's state: each rank has it all."""
        return self._optimizer_state()

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Go on from a state, saved by any number of ranks, sharded or not."""
        self._load_optimizer_state(state)
