"""The runs on which the optimizers are compared with PyTorch: plain numbers, no torch here."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

STEPS = 12
SHAPES = ((3,), (2, 2), ())
#: Muon takes matrices only: wide, tall and of one row.
MATRICES = ((3, 5), (6, 2), (1, 4))
#: The rates drop to a tenth from this step on, so that a rate kept in the state would show.
DROP = 6
DTYPES = ("float64", "float32")


@dataclass(frozen=True)
class Case:
    """One optimizer on one kind of gradients.

    Attributes
    ----------
    name : str
        Key of the case in the stored file.
    optimizer : str
        The name of our class.
    settings : dict
        Keyword arguments of our constructor.
    scale : float
        Size of the gradients; 0 for gradients that are exactly zero.
    missing : bool
        Whether the second parameter has no gradient on every third step.
    first_group : dict
        Options of a group of the first parameter alone; where empty, there is one group.
    """

    name: str
    optimizer: str
    settings: dict[str, Any]
    scale: float = 1.0
    missing: bool = False
    first_group: dict[str, Any] = field(default_factory=dict)

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of the parameters."""
        return MATRICES if self.optimizer == "Muon" else SHAPES

    def start(self, dtype: str) -> list[np.ndarray]:
        """Return the parameters at the beginning."""
        rng = np.random.default_rng(8)
        return [np.asarray(rng.normal(size=shape), dtype=dtype) for shape in self.shapes]

    def gradients(self, dtype: str) -> list[list[np.ndarray | None]]:
        """Return the gradients of each step, None where there is none."""
        rng = np.random.default_rng(80)
        steps: list[list[np.ndarray | None]] = []
        for step in range(STEPS):
            row: list[np.ndarray | None] = [
                np.asarray(self.scale * rng.normal(size=shape), dtype=dtype)
                for shape in self.shapes
            ]
            if self.missing and step % 3 == 1:
                row[1] = None
            steps.append(row)
        return steps


_SGD = {"learning_rate": 0.1}
_MOMENTUM = {"learning_rate": 0.1, "momentum": 0.9}
_ADAM = {"learning_rate": 0.01}
_RMSPROP = {"learning_rate": 0.01}
_NESTEROV = {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.1}
_ADAMW = {"learning_rate": 0.01, "weight_decay": 0.1}
_MUON = {"learning_rate": 0.02, "weight_decay": 0.1}
_ADAM_ODD = {"learning_rate": 0.1, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-2}


def _every_kind(
    name: str, optimizer: str, settings: dict[str, Any], first_group: dict[str, Any]
) -> list[Case]:
    """Return one optimizer on every kind of gradients, and with two groups."""
    scales = {"": 1.0, "-zero": 0.0, "-tiny": 1e-12, "-huge": 1e12}
    cases = [Case(name + kind, optimizer, settings, scale) for kind, scale in scales.items()]
    missing = Case(f"{name}-missing", optimizer, settings, missing=True)
    groups = Case(f"{name}-groups", optimizer, settings, first_group=first_group)
    return [*cases, missing, groups]


CASES = [
    Case("sgd", "SGD", _SGD),
    Case("sgd-missing", "SGD", _SGD, missing=True),
    Case("momentum", "SGD", _MOMENTUM),
    Case("momentum-zero", "SGD", _MOMENTUM, scale=0.0),
    Case("momentum-tiny", "SGD", _MOMENTUM, scale=1e-12),
    Case("momentum-huge", "SGD", _MOMENTUM, scale=1e12),
    Case("momentum-missing", "SGD", _MOMENTUM, missing=True),
    Case("adam", "Adam", _ADAM),
    Case("adam-odd-settings", "Adam", _ADAM_ODD),
    Case("adam-zero", "Adam", _ADAM, scale=0.0),
    Case("adam-tiny", "Adam", _ADAM, scale=1e-12),
    Case("adam-huge", "Adam", _ADAM, scale=1e12),
    Case("adam-missing", "Adam", _ADAM, missing=True),
    *_every_kind("rmsprop", "RMSprop", _RMSPROP, {"alpha": 0.9, "epsilon": 1e-2}),
    *_every_kind("nesterov", "NesterovSGD", _NESTEROV, {"momentum": 0.5, "weight_decay": 0.0}),
    *_every_kind("adamw", "AdamW", _ADAMW, {"learning_rate": 0.1, "beta1": 0.8, "beta2": 0.95}),
    *_every_kind("muon", "Muon", _MUON, {"learning_rate": 0.05, "momentum": 0.5, "steps": 3}),
]

#: Gradient clipping: each maximum is tried on the gradients of one step.
CLIP_MAXIMA = (0.1, 1.0, 100.0)


def clip_gradients(dtype: str) -> list[np.ndarray]:
    """Return the gradients that are clipped."""
    rng = np.random.default_rng(800)
    return [np.asarray(rng.normal(size=shape), dtype=dtype) for shape in SHAPES]


#: Rates of a schedule: this base, for so many steps of the optimizer.
BASE = 0.1
SCHEDULE_STEPS = 30


def slower(step: int) -> float:
    """Return the factor that both sides are given as a function."""
    return 1 / (1 + step)
