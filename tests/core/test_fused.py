"""Fused optimizers take the plain ones' steps, to the bit, without memory of their own."""

import copy
import gc
import pickle
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.strategies import examples, seeds
from tests.solutions.wrong_ideas import source_of
from tinytorch import compiled
from tinytorch.core import fused, optimizers
from tinytorch.core.autograd import Variable
from tinytorch.core.checkpoints import state_dict
from tinytorch.core.fused import FlatParameters, FusedAdam, FusedOptimizer, FusedSGD
from tinytorch.core.optimizers import SGD, Adam
from tinytorch.core.tensor import Tensor

RULES: dict[str, tuple[Any, Any, dict[str, float]]] = {
    "SGD": (SGD, FusedSGD, {"learning_rate": 0.1}),
    "momentum": (SGD, FusedSGD, {"learning_rate": 0.1, "momentum": 0.9}),
    "Adam": (Adam, FusedAdam, {"learning_rate": 0.01}),
}
SHAPES: list[tuple[int, ...]] = [(), (3,), (2, 2), (20,), (4, 5), (1,), (0,), (4,)]
rules = pytest.mark.parametrize("rule", RULES)


@pytest.fixture(autouse=True, params=["compiled", "blocks"])
def tiny_blocks(request, monkeypatch):
    """Blocks so small that a handful of numbers is cut and joined in every way."""
    monkeypatch.setattr(fused, "BLOCK", 7)
    monkeypatch.setattr(fused, "SMALL", 5)
    if request.param == "blocks":
        monkeypatch.setattr(compiled, "one_pass", lambda plain, dtype: None)


def variables(seed: int = 0, dtype: str = "float32", shapes: Any = None) -> list[Variable]:
    rng = np.random.default_rng(seed)
    shapes = SHAPES if shapes is None else shapes
    return [Variable(np.asarray(rng.normal(size=shape), dtype)) for shape in shapes]


def give(parameters: list[Variable], gradients: list[Any]) -> None:
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = None if gradient is None else Variable(gradient)


def bits(parameters: list[Variable]) -> list[tuple[Any, bytes]]:
    return [(p.data.dtype, p.data.data.tobytes()) for p in parameters]


def gradients_like(parameters: list[Variable], rng: np.random.Generator, missing: float) -> list:
    return [
        None if rng.random() < missing else np.asarray(rng.normal(size=p.shape), p.dtype)
        for p in parameters
    ]


@examples
@given(
    rule=st.sampled_from(sorted(RULES)),
    dtypes=st.sampled_from([("float32",), ("float64",), ("float32", "float64")]),
    shapes=st.lists(st.sampled_from(SHAPES), min_size=1, max_size=8),
    threads=st.integers(1, 3),
    missing=st.sampled_from([0.0, 0.0, 0.2, 1.0]),
    seed=seeds,
)
def test_fused_steps_are_bit_identical_to_plain_ones(rule, dtypes, shapes, threads, missing, seed):
    plain_class, fused_class, settings = RULES[rule]
    rng = np.random.default_rng(seed)
    start = [
        np.asarray(rng.normal(size=shape), dtypes[i % len(dtypes)])
        for i, shape in enumerate(shapes)
    ]
    one, other = [Variable(a) for a in start], [Variable(a) for a in start]
    plain, fused = plain_class(one, **settings), fused_class(other, threads=threads, **settings)
    for step in range(5):
        plain.learning_rate = fused.learning_rate = np.float64(0.1 / (1 + step))
        gradients = gradients_like(one, rng, missing)
        give(one, gradients)
        give(other, gradients)
        plain.step()
        fused.step()
        assert bits(one) == bits(other)
    mine, theirs = state_dict(plain), state_dict(fused)
    assert mine.keys() == theirs.keys()
    for name in theirs:
        np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)


def steps_after(change: Any, rule: str) -> tuple[list[Variable], list[Variable]]:
    """Take two steps, change the parameters and gradients of both runs alike, take two more."""
    plain_class, fused_class, settings = RULES[rule]
    runs = []
    for cls in (plain_class, fused_class):
        parameters, rng = variables(), np.random.default_rng(1)
        optimizer = cls(parameters, **settings)
        for step in range(4):
            give(parameters, gradients_like(parameters, rng, 0.0))
            if step >= 2:
                change(parameters)
            optimizer.step()
        runs.append(parameters)
    return runs[0], runs[1]


def replace_data(parameters: list[Variable]) -> None:
    for parameter in parameters:
        parameter.data = Tensor(0.5 * parameter.data)


def assign_arrays(parameters: list[Variable]) -> None:
    for parameter in parameters:
        parameter.data.data = 0.5 * parameter.data.data


def widen_gradients(parameters: list[Variable]) -> None:
    for parameter in parameters[1:4]:
        parameter.grad = Variable(parameter.grad.data.data.astype(np.float64) / 3)


def change_in_place(parameters: list[Variable]) -> None:
    for parameter in parameters:
        parameter.data.data[...] *= 0.5
        parameter.grad.data.data[...] *= 0.1


@rules
@pytest.mark.parametrize("change", [replace_data, assign_arrays, widen_gradients, change_in_place])
def test_what_users_do_to_parameters_between_steps_is_seen(rule, change):
    plain, fused = steps_after(change, rule)
    assert bits(plain) == bits(fused)


@pytest.mark.parametrize("shape", [(3,), (20,)])
@pytest.mark.parametrize("change", [lambda w: w[np.newaxis], np.float64])
def test_a_parameter_that_changes_its_shape_or_dtype_is_refused(shape, change):
    parameters = variables(shapes=[shape, shape])
    optimizer = FusedSGD(parameters)
    parameters[0].data = Tensor(change(parameters[0].data.data))
    give(parameters, [np.ones(shape)] * 2)
    with pytest.raises(ValueError, match="must keep its shape .* and its dtype float32, got"):
        optimizer.step()


def test_the_same_parameter_twice_and_two_on_one_array_move_as_in_the_plain_step():
    results = []
    for cls in (SGD, FusedSGD):
        w, tied = variables(shapes=[(3,), (3,)])
        tied.data = w.data
        optimizer = cls([w, w, tied], learning_rate=0.1)
        give([w, tied], [np.ones(3), np.full(3, 2.0)])
        optimizer.step()
        assert tied.data.data is w.data.data
        results.append(bits([w, tied]))
    assert results[0] == results[1]


def test_errors_of_numpy_reach_the_caller_from_another_thread():
    parameters = variables(shapes=[(60,)])
    optimizer = FusedSGD(parameters, learning_rate=1e30, threads=2)
    gradient = np.zeros(60, np.float32)
    gradient[-1] = 1e30  # in the share of the second thread
    give(parameters, [gradient])
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        optimizer.step()


def with_gradients() -> list[Variable]:
    gc.collect()
    # By type: some objects, such as torch's, warn where isinstance() asks for their class.
    variables = [v for v in gc.get_objects() if issubclass(type(v), Variable)]
    return [v for v in variables if v.grad is not None]


def test_gradients_are_not_held_after_the_step():
    before = with_gradients()  # by other tests; held, so that no id is given away anew
    parameters = variables(shapes=[(3,), (2,), (20,)])
    optimizer = FusedAdam(parameters)
    give(parameters, [np.ones(3), np.ones(2), np.ones(20)])
    optimizer.step()
    optimizer.zero_grad()
    known = set(map(id, before))
    assert [v for v in with_gradients() if id(v) not in known] == []


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
@pytest.mark.parametrize("rule", ["momentum", "Adam"])
def test_a_copy_of_an_optimizer_trains_parameters_of_its_own(rule, duplicate):
    _, fused_class, settings = RULES[rule]
    first = fused_class(variables(), threads=2, **settings)
    gradients = gradients_like(first.parameters, np.random.default_rng(4), 0.0)
    give(first.parameters, gradients)
    first.step()
    second = duplicate(first)
    assert bits(second.parameters) == bits(first.parameters)
    give(second.parameters, gradients)
    second.step()
    assert bits(second.parameters) != bits(first.parameters)
    give(first.parameters, gradients)
    first.step()
    assert bits(second.parameters) == bits(first.parameters)


def test_a_copy_of_flat_parameters_has_windows_on_its_own_array():
    flat = FlatParameters([Variable([1.0]), Variable([2.0, 3.0])])
    whole, (_, part) = copy.deepcopy((flat, flat.parts))
    part.data.data[...] = 9.0
    assert whole.data.data.tolist() == [1.0, 9.0, 9.0]
    assert flat.data.data.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("threads", [0, -1])
def test_threads_must_be_positive(threads):
    with pytest.raises(ValueError, match=f"threads must be at least 1, got {threads}"):
        FusedSGD([], threads=threads)


def peak_of_a_step(optimizer: Any) -> int:
    """Return by how many bytes a step raises the memory that NumPy holds."""
    optimizer.step()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        optimizer.step()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@rules
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rate", [0.01, np.float64(0.01)])
def test_plain_and_fused_steps_allocate_no_arrays_in_steady_state(rule, dtype, rate, monkeypatch):
    monkeypatch.setattr(fused, "BLOCK", 2**14)
    plain_class, fused_class, settings = RULES[rule]
    for cls in (plain_class, fused_class):
        (w,) = parameters = variables(dtype=dtype, shapes=[(100_000,)])
        optimizer = cls(parameters, **settings | {"learning_rate": rate})
        give(parameters, [np.ones(w.shape, dtype)])
        array = w.data.data
        assert peak_of_a_step(optimizer) < 20_000  # a temporary would be 400,000
        assert w.data.data is array
        assert w.data.dtype == dtype


@rules
def test_a_flat_parameter_takes_the_steps_of_its_parts(rule):
    plain_class, fused_class, settings = RULES[rule]
    one, start = variables(), variables()
    flats = [FlatParameters(start), FlatParameters(start)]
    trained = [plain_class(one, **settings)]
    trained += [
        cls([flat], **settings) for cls, flat in zip((plain_class, fused_class), flats, strict=True)
    ]
    rng = np.random.default_rng(2)
    for _ in range(4):
        gradients = gradients_like(one, rng, 0.0)
        for parameters in (one, *(flat.parts for flat in flats)):
            give(parameters, gradients)
        for optimizer in trained:
            optimizer.step()
    assert bits(one) == bits(flats[0].parts) == bits(flats[1].parts)


def test_parts_compute_with_windows_on_the_flat_arrays():
    flat = FlatParameters([Variable([[1.0, 2.0]]), Variable([3.0])])
    a, b = flat.parts
    assert flat.grad is None and a.grad is None
    (a.sum() * 2.0 + b * 5.0).sum().backward()
    assert flat.grad.data.data.tolist() == [2.0, 2.0, 5.0]
    (a.sum()).backward()
    assert flat.grad.data.data.tolist() == [3.0, 3.0, 5.0]
    a.data = Tensor([[7.0, 8.0]])
    b.data.data = np.array([9.0])
    a.grad.data.data[...] *= 10
    assert flat.data.data.tolist() == [7.0, 8.0, 9.0]
    assert flat.grad.data.data.tolist() == [30.0, 30.0, 5.0]
    flat.grad = None
    assert a.grad is None and b.grad is None


def test_a_flat_parameter_refuses_what_it_cannot_express():
    flat = FlatParameters([Variable([1.0]), Variable([2.0])])
    flat.parts[0].grad = Variable([1.0])
    with pytest.raises(ValueError, match="part 1 has none"):
        SGD([flat]).step()
    with pytest.raises(ValueError, match=r"must keep its shape \(1,\), got \(2,\)"):
        flat.parts[0].data = Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match="one dtype"):
        FlatParameters([Variable([1.0]), Variable(np.array([2.0]))])


@pytest.mark.parametrize(
    "solution", ["dict_by_id_in_place", "list_of_none", "mixin_and_base", "velocity_of_tensors"]
)
def test_a_students_sgd_can_be_fused(solution):
    namespace = dict(vars(optimizers))
    exec(source_of("right", f"sgd-class/{solution}"), namespace)
    rng, one, other = np.random.default_rng(3), variables(), variables()
    settings = {"learning_rate": 0.1, "momentum": 0.9}
    plain = namespace["SGD"](one, **settings)
    fused = FusedOptimizer(namespace["SGD"], other, **settings)
    for _ in range(5):
        gradients = gradients_like(one, rng, 0.2)
        give(one, gradients)
        give(other, gradients)
        plain.step()
        fused.step()
    for mine, theirs in zip(one, other, strict=True):
        np.testing.assert_allclose(mine.data.data, theirs.data.data, rtol=1e-6)
