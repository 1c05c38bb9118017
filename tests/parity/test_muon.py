"""Muon follows its formula in float64: the polynomial of singular values, found by the SVD."""

import numpy as np
import pytest

from tests.parity.cases import CASES, DROP, Case
from tests.parity.test_parity import ours
from tinytorch.core.modern_optimizers import newton_schulz

MUON = [case for case in CASES if case.optimizer == "Muon"]
DEFAULTS = {"learning_rate": 0.02, "momentum": 0.95, "weight_decay": 0.0, "steps": 5}


def orthogonalized(matrix: np.ndarray, steps: int) -> np.ndarray:
    """Apply the polynomial to the singular values themselves."""
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    values = values / max(float(np.sqrt(np.sum(values**2))), 1e-7)
    for _ in range(steps):
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    return (left * values) @ right


def formula(case: Case) -> list[np.ndarray]:
    weights = case.start("float64")
    velocities = [np.zeros_like(w) for w in weights]
    seen: list[list[np.ndarray]] = [[] for _ in weights]
    for step, gradients in enumerate(case.gradients("float64")):
        for number, gradient in enumerate(gradients):
            options = DEFAULTS | case.settings | (case.first_group if number == 0 else {})
            mu, w = options["momentum"], weights[number]
            rate = options["learning_rate"] * (0.1 if step >= DROP else 1.0)
            if gradient is not None:
                velocities[number] = mu * velocities[number] + (1 - mu) * gradient
                ahead = (1 - mu) * gradient + mu * velocities[number]
                length = rate * np.sqrt(max(1, w.shape[0] / w.shape[1]))
                w = w - rate * options["weight_decay"] * w
                weights[number] = w - length * orthogonalized(ahead, options["steps"])
            seen[number].append(weights[number])
    return [np.stack(history) for history in seen]


@pytest.mark.parametrize("case", MUON, ids=lambda case: case.name)
def test_follows_the_formula(case):
    for mine, expected in zip(ours(case, "float64"), formula(case), strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-10, atol=1e-10)


def test_torch_orthogonalizes_in_bfloat16():
    torch = pytest.importorskip("torch")
    from torch.optim._muon import _zeropower_via_newtonschulz

    matrix = np.random.default_rng(8).normal(size=(6, 4))
    coefficients = (3.4445, -4.7750, 2.0315)
    theirs = _zeropower_via_newtonschulz(torch.from_numpy(matrix), coefficients, 5, 1e-7)
    assert theirs.dtype == torch.bfloat16
    apart = np.abs(theirs.double().numpy() - newton_schulz(matrix)).max()
    assert 1e-4 < apart < 2e-2
