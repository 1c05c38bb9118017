"""Our optimizers follow PyTorch's, step by step.

The stored trajectories come from PyTorch 2.13 in float64 (see torch_runs.py); where torch is
installed, it is asked again, in each dtype.
"""

import numpy as np
import pytest

from tests.parity.cases import CASES, CLIP_MAXIMA, DTYPES, Case, clip_gradients
from tinytorch.core.autograd import Variable
from tinytorch.core.optimizers import SGD, Adam, AdvancedOptimizerFeatures

STORED = np.load(__file__.replace("test_parity.py", "trajectories.npz"))
RTOL = {"float64": 1e-10, "float32": 1e-4}
OPTIMIZERS = {"SGD": SGD, "Adam": Adam}

runs = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
dtypes = pytest.mark.parametrize("dtype", DTYPES)


def ours(case: Case, dtype: str) -> list[np.ndarray]:
    parameters = [Variable(array) for array in case.start(dtype)]
    optimizer = OPTIMIZERS[case.optimizer](parameters, **case.settings)
    seen: list[list[np.ndarray]] = [[] for _ in parameters]
    for step, gradients in enumerate(case.gradients(dtype)):
        optimizer.learning_rate = case.rate(step)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = None if gradient is None else Variable(gradient)
        optimizer.step()
        for history, parameter in zip(seen, parameters, strict=True):
            assert parameter.data.dtype == dtype
            history.append(parameter.data.data.copy())
    return [np.stack(history) for history in seen]


def assert_same(histories: list[np.ndarray], theirs: list[np.ndarray], dtype: str) -> None:
    for mine, other in zip(histories, theirs, strict=True):
        # Relative to the largest entry: a weight may pass through zero on its way.
        scale = np.max(np.abs(other))
        np.testing.assert_allclose(mine, other, rtol=RTOL[dtype], atol=RTOL[dtype] * scale)


@runs
@dtypes
def test_follows_the_stored_trajectory(case, dtype):
    stored = [STORED[f"{case.name}/{number}"] for number in range(3)]
    assert_same(ours(case, dtype), stored, dtype)


@runs
@dtypes
def test_follows_torch_live(case, dtype):
    pytest.importorskip("torch")
    from tests.parity import torch_runs

    assert_same(ours(case, dtype), torch_runs.trajectory(case, dtype), dtype)


def test_stored_trajectories_are_of_the_release_the_text_names():
    assert str(STORED["torch-version"]).startswith("2.13")


def clip(maximum: float, dtype: str) -> tuple[float, list[np.ndarray]]:
    parameters = [Variable(np.zeros_like(array)) for array in clip_gradients(dtype)]
    for parameter, gradient in zip(parameters, clip_gradients(dtype), strict=True):
        parameter.grad = Variable(gradient)
    optimizer = SGD(parameters)
    norm = AdvancedOptimizerFeatures().apply_gradient_clipping(optimizer, maximum)
    return norm, [parameter.grad.data.data for parameter in parameters]


def assert_clipped_alike(maximum, dtype, norm, gradients):
    our_norm, our_gradients = clip(maximum, dtype)
    assert our_norm == pytest.approx(norm, rel=RTOL[dtype])
    # PyTorch divides by norm + 1e-6; we divide by the norm.
    epsilon = norm / (norm + 1e-6) if norm > maximum else 1.0
    for mine, other in zip(our_gradients, gradients, strict=True):
        np.testing.assert_allclose(mine * epsilon, other, rtol=RTOL[dtype])


@dtypes
@pytest.mark.parametrize("maximum", CLIP_MAXIMA)
def test_clips_like_the_stored_run(maximum, dtype):
    gradients = [STORED[f"clip-{maximum}/{number}"] for number in range(3)]
    assert_clipped_alike(maximum, dtype, float(STORED[f"clip-{maximum}/norm"]), gradients)


@dtypes
@pytest.mark.parametrize("maximum", CLIP_MAXIMA)
def test_clips_like_torch_live(maximum, dtype):
    pytest.importorskip("torch")
    from tests.parity import torch_runs

    assert_clipped_alike(maximum, dtype, *torch_runs.clipped(maximum, dtype))
