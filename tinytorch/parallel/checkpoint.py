"""Where a run on several processes goes on after one of them has failed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinytorch.core.checkpoints import load_checkpoint, save_checkpoint
from tinytorch.parallel.errors import ParallelError
from tinytorch.parallel.ranks import Ranks
from tinytorch.parallel.trainer import Trainer


@dataclass(frozen=True)
class Checkpoint:
    """A file with weights, optimizer state and the number of steps taken.

    Attributes
    ----------
    path : Path
        An ``.npz`` file; on a cluster, where all ranks can read it.
    every : int
        How many steps lie between two savings.
    resume : bool
        Whether to start from the file.

    Notes
    -----
    The state is saved whole: a run may go on with another number of ranks, sharded or not. With
    the same number it goes on bit by bit as if nothing had happened.
    """

    path: Path
    every: int = 20
    resume: bool = False

    def load(self, trainer: Trainer) -> int:
        """Fill the trainer from the file if asked to; return the number of steps taken so far."""
        if not self.resume:
            return 0
        if not self.path.is_file():
            raise ParallelError(f"there is no checkpoint {self.path} to resume from")
        rest = load_checkpoint(self.path, parameters=trainer.parameters, optimizer=trainer)
        return int(rest["steps"])

    def save(self, trainer: Trainer, ranks: Ranks, steps: int) -> None:
        """Write the file after every so many steps. All ranks call this, rank 0 writes."""
        if steps % self.every:
            return
        state = trainer.state_dict()
        if ranks.rank == 0:
            save_checkpoint(
                self.path, parameters=trainer.parameters, optimizer=_Whole(state), steps=steps
            )


class _Whole:
    """The state of all ranks, as an optimizer would hand it over."""

    def __init__(self, state: dict) -> None:
        self._state = state

    def state_dict(self) -> dict:
        return self._state
