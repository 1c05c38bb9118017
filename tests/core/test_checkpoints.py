"""A training that is stopped and resumed ends with the same bits; what does not fit is refused."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.solutions.wrong_ideas import source_of
from tinytorch.core import optimizers
from tinytorch.core.autograd import Variable, relu, softmax_cross_entropy
from tinytorch.core.checkpoints import (
    load_checkpoint,
    load_state_dict,
    save_checkpoint,
    state_dict,
)
from tinytorch.core.fused import FusedAdam, FusedSGD
from tinytorch.core.optimizers import SGD, Adam, StepLR
from tinytorch.datasets import load_digits

OPTIMIZERS: dict[str, Any] = {
    "SGD": lambda ps: SGD(ps, learning_rate=0.1),
    "momentum": lambda ps: SGD(ps, learning_rate=0.1, momentum=0.9),
    "Adam": lambda ps: Adam(ps, learning_rate=0.01),
    "fused momentum": lambda ps: FusedSGD(ps, learning_rate=0.1, momentum=0.9),
    "fused Adam": lambda ps: FusedAdam(ps, learning_rate=0.01),
}


class Run:
    """Training the digits network, in parts that can be saved."""

    def __init__(self, make_optimizer: Any, seed: int = 0, dtype: str = "float32") -> None:
        rng = np.random.default_rng(seed)
        shapes = [(64, 8), (8,), (8, 10), (10,)]
        self.parameters = [Variable(rng.normal(0, 0.2, s).astype(dtype)) for s in shapes]
        self.optimizer = make_optimizer(self.parameters)
        self.schedule = StepLR(self.optimizer, step_size=3, gamma=0.5)
        self.rng = np.random.default_rng(seed)
        self.images, self.labels = load_digits()

    def train(self, steps: int) -> list[bytes]:
        w1, b1, w2, b2 = self.parameters
        for _ in range(steps):
            batch = self.rng.integers(0, 1797, 16)
            self.schedule.step()
            self.optimizer.zero_grad()
            logits = relu(self.images[batch] @ w1 + b1) @ w2 + b2
            softmax_cross_entropy(logits, self.labels[batch]).backward()
            if self.schedule.step_count == 4:
                b1.grad = None  # counts of steps differ from here on
            self.optimizer.step()
        return [p.data.data.tobytes() for p in self.parameters]

    def parts(self) -> dict[str, Any]:
        names = ("parameters", "optimizer", "schedule", "rng")
        return {name: getattr(self, name) for name in names}


@pytest.mark.parametrize("saved", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_resumed_run_is_the_run_that_was_not_stopped(saved, dtype, tmp_path):
    first = Run(OPTIMIZERS[saved], dtype=dtype)
    first.train(5)
    save_checkpoint(tmp_path / "run.npz", **first.parts(), step=5)
    second = Run(OPTIMIZERS[saved], seed=1, dtype=dtype)
    assert load_checkpoint(tmp_path / "run.npz", **second.parts()) == {"step": 5}
    whole = first.train(5)
    assert second.train(5) == whole
    rate = 0.01 if "Adam" in saved else 0.1
    assert second.optimizer.learning_rate == first.optimizer.learning_rate == rate * 0.5**3


@pytest.mark.parametrize("saved, loaded", [("momentum", "fused momentum"), ("fused Adam", "Adam")])
def test_plain_and_fused_optimizers_read_each_others_checkpoints(saved, loaded, tmp_path):
    first, second = Run(OPTIMIZERS[saved]), Run(OPTIMIZERS[loaded], seed=1)
    first.train(5)
    save_checkpoint(tmp_path / "run.npz", **first.parts())
    load_checkpoint(tmp_path / "run.npz", **second.parts())
    assert second.train(5) == first.train(5)


def test_a_state_is_a_copy_in_both_directions():
    run = Run(OPTIMIZERS["Adam"])
    run.train(1)
    state = state_dict(run.optimizer)
    before = {name: np.copy(value) for name, value in state.items()}
    run.train(1)
    for name, value in before.items():
        np.testing.assert_array_equal(state[name], value)
    load_state_dict(run.optimizer, state)
    run.train(1)
    for name, value in before.items():
        np.testing.assert_array_equal(state[name], value)


def test_names_of_a_state_are_those_of_the_attributes():
    w = Variable([1.0, 2.0])
    w.grad = Variable([1.0, 1.0])
    optimizer = SGD([w], learning_rate=0.5, momentum=0.9)
    optimizer.step()
    state = state_dict(optimizer)
    assert state.pop("velocity.0").tolist() == [1.0, 1.0]
    assert state == {"learning_rate": 0.5, "momentum": 0.9}
    schedule = {"step_size": 2, "gamma": 0.1, "initial_lr": 0.5, "step_count": 0}
    assert state_dict(StepLR(optimizer, 2)) == schedule


def broken(kind: str) -> Any:
    def change(state: dict[str, Any]) -> None:
        name, _, how = kind.partition(" ")
        if how == "missing":
            del state[name]
        elif how == "unknown":
            state[name] = 1.0
        elif how == "shape":
            state[name] = state[name].reshape(-1)
        elif how == "dtype":
            state[name] = state[name].astype(np.float64)
        else:
            state[name] = "much" if how == "text" else np.ones(3) if how == "array" else 1.0

    return change


@pytest.mark.parametrize("make", ["Adam", "fused Adam"])
@pytest.mark.parametrize(
    "kind",
    ["m.0 missing", "v.3 missing", "t missing", "m.4 unknown", "nesterov unknown", "m.0 shape",
     "v.2 dtype", "learning_rate text", "t array", "m.1 number"],
)  # fmt: skip
def test_a_state_that_does_not_fit_is_refused_by_name_and_changes_nothing(make, kind):
    run = Run(OPTIMIZERS[make])
    run.train(2)
    state = state_dict(run.optimizer)
    before = state_dict(run.optimizer)
    broken(kind)(state)
    name = kind.partition(" ")[0]
    with pytest.raises(ValueError, match=rf"(?<![\w.]){name}(?!\w)"):
        load_state_dict(run.optimizer, state)
    for entry, value in state_dict(run.optimizer).items():
        np.testing.assert_array_equal(value, before[entry])


def test_the_state_of_another_optimizer_is_refused():
    w = Variable([1.0])
    with pytest.raises(ValueError, match="'beta1'"):
        load_state_dict(Adam([w]), state_dict(SGD([w])))
    with pytest.raises(ValueError, match="'step_size'"):
        load_state_dict(StepLR(SGD([w]), 3), state_dict(SGD([w])))
    wide = state_dict(Adam([Variable(np.ones(1))]))
    with pytest.raises(ValueError, match=r"m\.0 must have shape \(1,\) and dtype float32, got"):
        load_state_dict(Adam([w]), wide)


def test_loading_is_all_or_nothing(tmp_path):
    first, second = Run(OPTIMIZERS["Adam"]), Run(OPTIMIZERS["momentum"], seed=1)
    first.train(2)
    save_checkpoint(tmp_path / "run.npz", **first.parts())
    before = [p.data.data.tobytes() for p in second.parameters]
    with pytest.raises(ValueError, match=r"run\.npz: optimizer: .*'momentum'"):
        load_checkpoint(tmp_path / "run.npz", **second.parts())
    assert [p.data.data.tobytes() for p in second.parameters] == before


@pytest.mark.parametrize(
    "parts, message",
    [
        ({"model": []}, "model: there is no such part; there are w"),
        ({"w": [Variable([1.0]), Variable([2.0])]}, "w: there must be 2 parameters, but for '1'"),
        ({"w": Variable([1.0, 2.0])}, r"w: parameter 0 must have shape \(2,\)"),
        ({"w": np.random.default_rng()}, "w: generator must be PCG64, got None"),
    ],
)
def test_parts_that_do_not_fit_are_refused_by_name(parts, message, tmp_path):
    save_checkpoint(tmp_path / "a.npz", w=Variable([1.0]))
    with pytest.raises(ValueError, match=message):
        load_checkpoint(tmp_path / "a.npz", **parts)


def test_other_files_are_refused_and_pickles_never_loaded(tmp_path):
    text, pickled, other = (tmp_path / name for name in ("text", "pickle.npz", "other.npz"))
    text.write_text("no archive")
    np.savez(pickled, json=np.array([{}], dtype=object))
    np.savez(other, a=np.ones(1))
    whole = tmp_path / "whole.npz"
    save_checkpoint(whole, w=Variable(np.ones(1000)))
    half = tmp_path / "half.npz"
    half.write_bytes(whole.read_bytes()[:2000])
    for path in (text, pickled, other, half):
        with pytest.raises(ValueError, match=f"{path.name} must be a checkpoint"):
            load_checkpoint(path)


def test_a_crash_while_writing_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    save_checkpoint(path, epoch=1)

    def full(descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        save_checkpoint(path, epoch=2)
    assert load_checkpoint(path) == {"epoch": 1}
    assert [Path(entry).name for entry in os.listdir(tmp_path)] == ["run.npz"]


ODD_NAMES = ["file", "json", "index", "allow_pickle", "path", "self", "0", "a/b", ""]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_part_may_have_any_name(name, tmp_path):
    weights = [Variable([1.0, 2.0]), Variable([3.0])]
    save_checkpoint(tmp_path / "a.npz", **{name: np.arange(3.0), "weights": weights, "epoch": 4})
    others = load_checkpoint(tmp_path / "a.npz", weights=[Variable([0.0, 0.0]), Variable([0.0])])
    assert others["epoch"] == 4 and others[name].tolist() == [0.0, 1.0, 2.0]
    save_checkpoint(tmp_path / "b.npz", **{name: weights})
    fresh = [Variable([0.0, 0.0]), Variable([0.0])]
    load_checkpoint(tmp_path / "b.npz", **{name: fresh})
    assert [w.data.data.tolist() for w in fresh] == [[1.0, 2.0], [3.0]]


def test_what_could_not_be_loaded_again_is_refused_before_the_file_is_replaced(tmp_path):
    path = tmp_path / "run.npz"
    save_checkpoint(path, epoch=1)
    with pytest.raises(TypeError, match="notes: an array of Python objects"):
        save_checkpoint(path, epoch=2, notes=np.array([{"a": 1}, None], dtype=object))
    assert load_checkpoint(path) == {"epoch": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.npz"]


def test_what_cannot_be_saved_is_named(tmp_path):
    with pytest.raises(TypeError, match="a part must be"):
        save_checkpoint(tmp_path / "a.npz", best={1, 2})
    optimizer = SGD([Variable([1.0])])
    optimizer.callback = print
    with pytest.raises(TypeError, match="callback must be"):
        state_dict(optimizer)


@pytest.mark.parametrize(
    "solution",
    [
        "sgd-class/dict_by_id_in_place",
        "sgd-class/list_of_none",
        "sgd-class/velocity_of_tensors",
        "adam-class/correction_in_the_rate",
        "adam-class/fully_in_place_float32",
    ],
)
def test_a_students_class_can_be_saved(solution, tmp_path):
    namespace = dict(vars(optimizers))
    exec(source_of("right", solution), namespace)
    settings = {"momentum": 0.9} if "sgd" in solution else {}
    cls = namespace["SGD" if "sgd" in solution else "Adam"]

    def make(parameters: list[Variable]) -> Any:
        return cls(parameters, learning_rate=0.01, **settings)

    first, second = Run(make), Run(make, seed=1)
    first.train(5)
    save_checkpoint(tmp_path / "run.npz", **first.parts())
    load_checkpoint(tmp_path / "run.npz", **second.parts())
    assert second.train(5) == first.train(5)
    third = make(first.parameters)
    load_state_dict(third, state_dict(first.optimizer))
