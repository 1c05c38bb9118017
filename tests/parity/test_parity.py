"""Our optimizers follow PyTorch's, step by step.

The stored trajectories come from PyTorch 2.13 in float64 (see torch_runs.py); where torch is
installed, it is asked again, in each dtype.
"""

import numpy as np
import pytest

from tests.parity.cases import (
    BASE,
    CASES,
    CLIP_MAXIMA,
    DROP,
    DTYPES,
    SCHEDULE_STEPS,
    Case,
    clip_gradients,
    slower,
)
from tinytorch.core import modern_optimizers as modern
from tinytorch.core.autograd import Variable
from tinytorch.core.optimizers import SGD, Adam, AdvancedOptimizerFeatures

STORED = np.load(__file__.replace("test_parity.py", "trajectories.npz"))
RTOL = {"float64": 1e-10, "float32": 1e-4}
#: PyTorch's Muon orthogonalizes in bfloat16; test_muon.py holds ours to the formula in float64.
MUON_RTOL = 1e-3
OPTIMIZERS = {
    "SGD": SGD,
    "Adam": Adam,
    "RMSprop": modern.RMSprop,
    "NesterovSGD": modern.NesterovSGD,
    "AdamW": modern.AdamW,
    "Muon": modern.Muon,
}


def rise(step: int) -> float:
    return 1.04 - modern.cosine(8, 0.04)(step)


#: Our functions, and to which step PyTorch's schedule agrees with them.
FACTORS = {
    "lambda": (slower, 30),
    "cosine": (modern.cosine(20, 0.1), 20),
    "linear": (modern.linear_warmup(5), 30),
    "one-cycle": (modern.one_after_another([rise, modern.cosine(21, 4e-6)], [8]), 30),
}

runs = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
dtypes = pytest.mark.parametrize("dtype", DTYPES)


def ours(case: Case, dtype: str) -> list[np.ndarray]:
    parameters = [Variable(array) for array in case.start(dtype)]
    groups = parameters
    if case.first_group:
        first = {"parameters": parameters[:1], **case.first_group}
        groups = [first, {"parameters": parameters[1:]}]
    optimizer = OPTIMIZERS[case.optimizer](groups, **case.settings)
    seen: list[list[np.ndarray]] = [[] for _ in parameters]
    for step, gradients in enumerate(case.gradients(dtype)):
        if step == DROP:
            for options in getattr(optimizer, "groups", [vars(optimizer)]):
                options["learning_rate"] *= 0.1
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = None if gradient is None else Variable(gradient)
        optimizer.step()
        for history, parameter in zip(seen, parameters, strict=True):
            assert parameter.data.dtype == dtype
            history.append(parameter.data.data.copy())
    return [np.stack(history) for history in seen]


def assert_same(case: Case, theirs: list[np.ndarray], dtype: str) -> None:
    rtol = MUON_RTOL if case.optimizer == "Muon" else RTOL[dtype]
    for mine, other in zip(ours(case, dtype), theirs, strict=True):
        # Relative to the largest entry: a weight may pass through zero on its way.
        np.testing.assert_allclose(mine, other, rtol=rtol, atol=rtol * np.max(np.abs(other)))


@runs
@dtypes
def test_follows_the_stored_trajectory(case, dtype):
    stored = [STORED[f"{case.name}/{number}"] for number in range(3)]
    assert_same(case, stored, dtype)


@runs
@dtypes
def test_follows_torch_live(case, dtype):
    pytest.importorskip("torch")
    from tests.parity import torch_runs

    assert_same(case, torch_runs.trajectory(case, dtype), dtype)


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


def our_rates(factor) -> list[float]:
    optimizer = modern.AdamW([Variable(0.0)], BASE)
    schedule = modern.Schedule(optimizer, factor)
    found = []
    for _ in range(SCHEDULE_STEPS):
        found.append(optimizer.learning_rate)
        schedule.step()
    return found


schedules = pytest.mark.parametrize("name", FACTORS)


@schedules
def test_sets_the_rates_of_the_stored_schedule(name):
    factor, agree = FACTORS[name]
    stored = STORED[f"schedule-{name}"]
    np.testing.assert_allclose(our_rates(factor)[:agree], stored[:agree], rtol=1e-10)


@schedules
def test_stored_schedules_are_what_torch_does(name):
    pytest.importorskip("torch")
    from tests.parity import torch_runs

    np.testing.assert_allclose(torch_runs.rates(name), STORED[f"schedule-{name}"], rtol=1e-10)


def test_torch_cosine_rises_again_where_ours_keeps_its_floor():
    stored = STORED["schedule-cosine"]
    np.testing.assert_allclose(our_rates(modern.cosine(20, 0.1))[20:], 0.1 * BASE)
    np.testing.assert_allclose(stored[21:], stored[19:10:-1], rtol=1e-10)


def test_torch_linear_schedule_needs_one_step_less_for_our_warm_up():
    # LinearLR counts the intervals between rates, linear_warmup the steps of the optimizer.
    np.testing.assert_allclose(STORED["schedule-linear"][:5], BASE * np.arange(1, 6) / 5)


def test_torch_one_cycle_reaches_its_top_one_step_before_its_share():
    assert int(np.argmax(STORED["schedule-one-cycle"])) == 0.3 * SCHEDULE_STEPS - 1


def test_torch_one_cycle_moves_the_momentum_too():
    torch = pytest.importorskip("torch")
    from tests.parity import torch_runs

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=BASE, momentum=0.9)
    schedule = torch_runs.SCHEDULES["one-cycle"](optimizer)
    for momentum in (0.95, 0.85):
        assert optimizer.param_groups[0]["momentum"] == pytest.approx(momentum)
        for _ in range(8):
            optimizer.step()
            schedule.step()
