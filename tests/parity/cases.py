"""The runs on which the optimizers are compared with PyTorch: plain numbers, no torch here."""

from dataclasses import dataclass
from typing import Any

import numpy as np

STEPS = 12
SHAPES = ((3,), (2, 2), ())
#: The rate drops to a tenth from this step on, so that a rate kept in the state would show.
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
        ``"SGD"`` or ``"Adam"``.
    settings : dict
        Keyword arguments of our constructor.
    scale : float
        Size of the gradients; 0 for gradients that are exactly zero.
    missing : bool
        Whether the second parameter has no gradient on every third step.
    """

    name: str
    optimizer: str
    settings: dict[str, Any]
    scale: float = 1.0
    missing: bool = False

    def start(self, dtype: str) -> list[np.ndarray]:
        """Return the parameters at the beginning."""
        rng = np.random.default_rng(8)
        return [np.asarray(rng.normal(size=shape), dtype=dtype) for shape in SHAPES]

    def gradients(self, dtype: str) -> list[list[np.ndarray | None]]:
        """Return the gradients of each step, None where there is none."""
        rng = np.random.default_rng(80)
        steps: list[list[np.ndarray | None]] = []
        for step in range(STEPS):
            row: list[np.ndarray | None] = [
                np.asarray(self.scale * rng.normal(size=shape), dtype=dtype) for shape in SHAPES
            ]
            if self.missing and step % 3 == 1:
                row[1] = None
            steps.append(row)
        return steps

    def rate(self, step: int) -> float:
        """Return the learning rate of a step."""
        rate = self.settings["learning_rate"]
        return rate if step < DROP else rate * 0.1


_SGD = {"learning_rate": 0.1}
_MOMENTUM = {"learning_rate": 0.1, "momentum": 0.9}
_ADAM = {"learning_rate": 0.01}
_ADAM_ODD = {"learning_rate": 0.1, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-2}

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
]

#: Gradient clipping: each maximum is tried on the gradients of one step.
CLIP_MAXIMA = (0.1, 1.0, 100.0)


def clip_gradients(dtype: str) -> list[np.ndarray]:
    """Return the gradients that are clipped."""
    rng = np.random.default_rng(800)
    return [np.asarray(rng.normal(size=shape), dtype=dtype) for shape in SHAPES]
