"""The lab on training systems: its claims hold on any machine."""

import numpy as np
import pytest

from tests.modules.test_sources import LAB, imported


def test_all_ways_to_write_the_step_give_the_same_bits():
    lab, size = imported(LAB), 100_001
    scratch = np.empty(size, np.float32)
    results = []
    for way in (
        lambda *arrays: lab.naive(*arrays),
        lambda *arrays: lab.in_place(*arrays, scratch),
        lambda *arrays: lab.blocked(*arrays, scratch, block=1_000),
        *filter(None, [lab.compile_step()]),
    ):
        arrays = lab.adam_arrays(size)
        way(*arrays)
        results.append(b"".join(array.tobytes() for array in arrays))
    assert len(results) >= 3 and set(results) == {results[0]}


def test_pytorch_takes_the_step_that_the_lab_measures_it_by():
    torch = pytest.importorskip("torch")
    lab = imported(LAB)
    ours, theirs = lab.adam_arrays(1_000), lab.adam_arrays(1_000)
    lab.naive(*ours)
    lab.torch_step(torch, *theirs)()
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5)


def test_in_place_and_in_blocks_a_step_needs_no_memory_and_naively_a_lot():
    lab, size = imported(LAB), 100_000
    arrays, scratch = lab.adam_arrays(size), np.empty(size, np.float32)
    peaks = [
        lab.measure(step, rounds=1)[2]
        for step in (
            lambda: lab.naive(*arrays),
            lambda: lab.in_place(*arrays, scratch),
            lambda: lab.blocked(*arrays, scratch),
        )
    ]
    assert peaks[0] >= 8 * size
    assert max(peaks[1:]) < 20_000  # NumPy's own buffers, whatever the size


@pytest.mark.parametrize(("name", "formula"), [("SGD", 0), ("momentum", 4), ("Adam", 8)])
def test_measured_state_is_that_of_the_formula(name, formula):
    lab = imported(LAB)
    kinds = {
        "SGD": lab.SGD,
        "momentum": lambda parameters: lab.SGD(parameters, momentum=0.9),
        "Adam": lab.Adam,
    }
    kept, peak = lab.state_bytes(kinds[name])
    assert kept == pytest.approx(formula, abs=0.5)
    assert peak >= kept


def test_the_loss_scale_is_that_of_pytorch():
    lab = imported(LAB)
    assert lab.scales_after(lab.OVERFLOWS, interval=3) == lab.TORCH_SCALES
    assert lab.LossScaler().scale == 65536


def test_the_stored_scales_are_those_of_this_pytorch():
    torch = pytest.importorskip("torch")
    lab = imported(LAB)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16, growth_interval=3)
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    scales = []
    for overflow in lab.OVERFLOWS:
        scaler.scale(torch.zeros(1))  # makes the scale
        weight.grad = torch.tensor([float("inf") if overflow else 1.0])
        scaler.step(optimizer)
        scaler.update()
        scales.append(int(np.log2(scaler.get_scale())))
    assert scales == lab.TORCH_SCALES


def test_training_in_float16_keeps_up_with_float32_and_the_scale_finds_its_limit():
    lab = imported(LAB)
    losses, scales = lab.train_in_half(lab.all_digits, lab.LossScaler(interval=12))
    skipped = np.sum(np.diff(np.log2(scales)) < 0)
    assert 1 <= skipped <= 10
    single = lab.train_in_single(lab.all_digits)
    assert np.mean(losses[-20:]) == pytest.approx(np.mean(single[-20:]), rel=0.2)
    assert np.mean(losses[-20:]) < np.mean(losses[:10]) / 4


@pytest.mark.parametrize("kind", ["SGD", "momentum", "Adam"])
def test_each_optimizer_solves_the_bowl_from_each_start(kind):
    lab = imported(LAB)
    runs = lab.solve("bowl", kind)
    assert all(np.isfinite(run.steps_to(0.01)) for run in runs)
