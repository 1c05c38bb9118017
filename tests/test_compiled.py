"""Steps in one compiled pass: the bits of the plain rule, and NumPy where a loop does not fit."""

import functools
import os
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.strategies import examples, seeds
from tests.solutions.wrong_ideas import source_of
from tinytorch import compiled
from tinytorch.compiled import adam_loop, compile_loop
from tinytorch.core import fused, optimizers
from tinytorch.core.autograd import Variable, record
from tinytorch.core.checkpoints import state_dict
from tinytorch.core.fused import FusedAdam, FusedOptimizer, FusedSGD
from tinytorch.core.optimizers import SGD, Adam
from tinytorch.core.tensor import Tensor

pytest.importorskip("numba")

CLASSES: dict[str, tuple[Any, Any]] = {"SGD": (SGD, FusedSGD), "Adam": (Adam, FusedAdam)}
#: What arithmetic goes wrong with: infinities, NaN, subnormals, the largest and the least numbers.
ODD = [np.inf, -np.inf, np.nan, 0.0, -0.0, 1e-45, -1e-42, 5e-324, 3e38, -3e38, 1.7e308, 1e-30]
rates = st.sampled_from([0.0, 1e-8, 1e-3, 0.1, 1 / 3, 10.0, 1e30])
decays = st.sampled_from([0.0, 0.1, 0.5, 1 / 3, 0.9, 0.999, 0.9999999])
settings = st.one_of(
    st.tuples(st.just("SGD"), st.fixed_dictionaries({"momentum": decays})),
    st.tuples(
        st.just("Adam"),
        st.fixed_dictionaries({"beta1": decays, "beta2": decays, "epsilon": rates}),
    ),
)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Blocks so small that sizes around them are quick."""
    monkeypatch.setattr(fused, "BLOCK", 64)
    monkeypatch.setattr(fused, "SMALL", 16)


def odd_numbers(rng: np.random.Generator, size: int, dtype: str, odd: float) -> np.ndarray:
    with np.errstate(all="ignore"):
        numbers = rng.normal(size=size) * 10.0 ** rng.integers(-12, 6, size=size)
        return np.where(rng.random(size) < odd, rng.choice(ODD, size), numbers).astype(dtype)


def bits(value: Any) -> bytes:
    """Return the bits of numbers; which of two NaN gives its sign to their sum is nobody's rule."""
    array = np.array(value)
    return np.where(np.isnan(array), np.nan, array).astype(array.dtype).tobytes()


@examples
@given(
    rule=settings,
    dtype=st.sampled_from(["float32", "float64"]),
    sizes=st.lists(st.integers(0, 500), min_size=1, max_size=3),
    threads=st.integers(1, 3),
    odd=st.sampled_from([0.0, 0.02, 0.5]),
    steps=st.lists(rates, min_size=1, max_size=8),
    seed=seeds,
)
def test_compiled_steps_are_bit_identical(rule, dtype, sizes, threads, odd, steps, seed):
    (name, options), rng = rule, np.random.default_rng(seed)
    start = [odd_numbers(rng, size, dtype, odd) for size in sizes]
    (plain_class, fused_class), runs = CLASSES[name], [[*map(Variable, start)] for _ in range(2)]
    plain, fast = plain_class(runs[0], **options), fused_class(runs[1], threads=threads, **options)
    assert fast.compiled == (max(*sizes, sum(n for n in sizes if n < 16)) >= 16)
    for rate in steps:
        plain.learning_rate = fast.learning_rate = rate
        for mine, theirs in zip(*runs, strict=True):
            gradient = odd_numbers(rng, mine.size, dtype, odd)
            mine.grad, theirs.grad = Variable(gradient), Variable(gradient)
        with np.errstate(all="ignore"):
            plain.step()
            fast.step()
        for mine, theirs in zip(*runs, strict=True):
            assert bits(mine.data) == bits(theirs.data)
    states = state_dict(plain), state_dict(fast)
    for key, value in states[0].items():
        assert bits(value) == bits(states[1][key]), key


def wide_gradient(w: Variable) -> None:
    w.grad = Variable(w.grad.data.data.astype(np.float64) / 3)


def gradient_with_gaps(w: Variable) -> None:
    w.grad.data.data = np.repeat(w.grad.data.data, 2)[::2]


def weights_with_gaps(w: Variable) -> None:
    w.data.data = np.repeat(w.data.data, 2)[::2]


def read_only_gradient(w: Variable) -> None:
    w.grad.data.data.flags.writeable = False


def gradient_shifted_on_weights(w: Variable) -> None:
    memory = np.resize(w.data.data, w.size + 1)
    w.data, w.grad = Tensor.adopt(memory[1:]), record(memory[:-1])


def nothing(w: Variable) -> None:
    pass


@pytest.mark.parametrize(
    "change",
    [wide_gradient, gradient_with_gaps, weights_with_gaps, read_only_gradient]
    + [gradient_shifted_on_weights],
)
@pytest.mark.parametrize("name", CLASSES)
def test_arrays_that_no_loop_fits_take_the_plain_step(name, change):
    assert results(name, change)[0] == results(name, change)[1]


@pytest.mark.parametrize("setting", ["beta1", "beta2", "epsilon"])
def test_a_numpy_number_as_a_setting_is_computed_in_its_dtype(setting):
    one, other = results("Adam", nothing, {setting: np.float64(1 / 3)})
    assert one == other


def results(name: str, change: Any, later: Any = None) -> list[bytes]:
    """Take three steps, plain and compiled, with a change before each; settings are set later."""
    ends = []
    for cls in CLASSES[name]:
        rng = np.random.default_rng(5)
        w = Variable(rng.normal(size=100).astype(np.float32))
        optimizer = cls([w], learning_rate=0.1)
        vars(optimizer).update(later or {})
        for _ in range(3):
            w.grad = Variable(rng.normal(size=100).astype(np.float32))
            change(w)
            optimizer.step()
        ends.append(w.data.data.tobytes())
    return ends


def test_overflow_is_an_exception_where_numpy_is_asked_for_one_and_no_warning_else():
    w = Variable(np.ones(100, np.float32))
    w.grad = Variable(np.full(100, 3e38, np.float32))
    optimizer = FusedAdam([w])
    assert optimizer.compiled
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        optimizer.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.step()


def test_only_the_rule_that_the_loops_were_checked_against_is_compiled(monkeypatch):
    (w,) = [Variable(np.ones(100))]
    assert FusedAdam([w]).compiled and FusedSGD([w]).compiled
    assert not FusedAdam([w], compiled=False).compiled
    namespace = dict(vars(optimizers))
    exec(source_of("right", "sgd-class/list_of_none"), namespace)
    assert not FusedOptimizer(namespace["SGD"], [w], learning_rate=0.1).compiled
    monkeypatch.setattr(SGD, "step", functools.wraps(SGD.step)(lambda self: None))
    assert not FusedSGD([w]).compiled


def test_half_precision_and_foreign_byte_order_are_left_to_numpy():
    known = {code: bool(compile_loop(adam_loop, np.dtype(code))) for code in ("=f4", "f2", "S4")}
    known["foreign"] = bool(compile_loop(adam_loop, np.dtype("=f4").newbyteorder()))
    assert known == {"=f4": True, "f2": False, "S4": False, "foreign": False}


@pytest.mark.parametrize(
    "text", ["raise ImportError('Numba needs NumPy 2.3 or less')", "import gone", "1 .config"]
)
def test_a_numba_that_does_not_work_is_named_in_one_warning(text, tmp_path, monkeypatch):
    (tmp_path / "numba.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "numba")
    with pytest.warns(RuntimeWarning, match="numba cannot be used, so steps are not compiled: "):
        assert compiled._import_numba.__wrapped__() is None


def test_without_numba_or_switched_off_nothing_is_said(monkeypatch):
    import numba

    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    assert compiled._import_numba.__wrapped__() is None
    monkeypatch.setitem(sys.modules, "numba", None)
    assert compiled._import_numba.__wrapped__() is None


COMPILE = """
import numpy as np
from tinytorch.compiled import adam_loop, compile_loop
print(sum(compile_loop(adam_loop, np.dtype("float32")).stats.cache_hits.values()))
"""


def started(cache: Any, code: str = COMPILE) -> subprocess.Popen[str]:
    variables = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    return subprocess.Popen([sys.executable, "-c", code], env=variables, text=True, stdout=-1)


def test_processes_that_compile_at_once_leave_a_cache_and_a_broken_one_is_done_without(tmp_path):
    both = [started(tmp_path), started(tmp_path)]
    assert {run.communicate()[0] for run in both} <= {"0\n", "1\n"}
    assert started(tmp_path).communicate()[0] == "1\n"
    for index in tmp_path.rglob("*.nbi"):
        index.write_bytes(b"")  # as after a power cut
    assert started(tmp_path).communicate()[0] == "0\n"


def test_where_no_folder_can_be_written_a_loop_is_compiled_without_a_cache(monkeypatch):
    from numba.core.caching import CompileResultCacheImpl

    monkeypatch.setattr(CompileResultCacheImpl, "_locator_classes", [])
    arrays = [np.ones(3) for _ in range(4)]
    compile_loop.__wrapped__(adam_loop, np.dtype(float))(*arrays, *np.arange(6.0))
    assert arrays[2].tolist() == [1.0, 1.0, 1.0]


def test_small_parameters_never_import_numba():
    code = """
import sys
from tinytorch.core.fused import FusedAdam, Variable
optimizer = FusedAdam([Variable([1.0] * 10) for _ in range(100)])
for w in optimizer.parameters: w.grad = Variable([1.0] * 10)
optimizer.step()
print("numba" in sys.modules, optimizer.compiled)
"""
    assert started("unused", code).communicate()[0] == "False False\n"
