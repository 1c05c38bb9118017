"""What data parallelism and sharding have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.core.autograd import Variable
from tinytorch.parallel.bucket import Bucket
from tinytorch.parallel.ranks import Ranks


class Trainer(ABC):
    """The replica of one rank, and the optimizer of what this rank updates.

    Parameters
    ----------
    parameters : sequence of Variable
        Of this rank's replica, all of one dtype. They are overwritten with those of rank 0.
    ranks : Ranks
        The processes.

    Attributes
    ----------
    parameters : list of Variable
        As given.
    owned : list of Variable
        What `optimizer` updates.
    optimizer : SGD, Adam or another
        This rank's.
    """

    owned: list[Variable]
    optimizer: Any

    def __init__(self, parameters: Sequence[Variable], ranks: Ranks) -> None:
        self.parameters = [*parameters]
        self._ranks = ranks
        self._bucket = Bucket(self.parameters)
        # Room for this rank's chunk: MPI wants what is sent apart from where it is received.
        self._own = np.empty_like(self._bucket.array[ranks.chunk(self._bucket.array.size)])
        self._bucket.load(parameter.data.data for parameter in self.parameters)
        ranks.broadcast(self._bucket.array)
        for parameter, view in zip(self.parameters, self._bucket.views, strict=True):
            parameter.data.data[...] = view

    @property
    def learning_rate(self) -> float:
        """The rate of `optimizer`; a schedule may set it."""
        return float(self.optimizer.learning_rate)

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self.optimizer.learning_rate = value

    @abstractmethod
    def step(self, examples: int) -> None:
        """Average the gradients over all ranks, and update the weights of all replicas alike.

        Parameters
        ----------
        examples : int
            How many examples this rank's gradients are the mean of. A rank may have fewer than
            others, or none; its gradients count by its share of all examples.
        """

    @abstractmethod
    def state_dict(self) -> dict[str, np.ndarray]:
        """Return the state of the optimizer of all weights, whole on each rank."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Go on from such a state, saved by any number of ranks, sharded or not."""

    def zero_grad(self) -> None:
        """Set the ``grad`` of every parameter to None."""
        for parameter in self.parameters:
            parameter.grad = None

    def _optimizer_state(self) -> dict[str, Any]:
        from tinytorch.core.checkpoints import state_dict  # of a later chapter than what trains

        return state_dict(self.optimizer)

    def _load_optimizer_state(self, state: dict[str, Any]) -> None:
        from tinytorch.core.checkpoints import load_state_dict

        load_state_dict(self.optimizer, state)

    def _collect_gradients(self, examples: int) -> list[bool]:
        """Put this rank's part of the mean gradient into the bucket.

        Tells which parameters have a gradient on any rank. One that has it only elsewhere gets
        one of zeros here.
        """
        gradients = [parameter.grad if examples else None for parameter in self.parameters]
        present = [gradient is not None for gradient in gradients]
        total, *counts = self._ranks.total([examples, *present])
        wanted = [count > 0 for count in counts]
        for index, (parameter, view) in enumerate(
            zip(self.parameters, self._bucket.views, strict=True)
        ):
            gradient = gradients[index]
            if gradient is not None:
                np.multiply(gradient.data.data, examples / total, out=view)
            else:
                view[...] = 0
                parameter.grad = Variable(view) if wanted[index] else None
        return wanted
