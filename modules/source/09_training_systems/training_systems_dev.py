# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Training systems
#
# > What runs around an optimizer, from a checkpoint to several processes, measured.
#
# In the chapter before you wrote `SGD`, `Adam`, a schedule, a profiler and the features of a
# production loop. Here we put them to work: we save and resume a training to the bit, make steps
# fast without touching their rule, look at memory, train in float16 and on several processes, and
# compare optimizers over problems and seeds.
#
# This is a lab without points: run the cells from top to bottom, read them, and change what you
# like. Half of the sections end with a question to think about.

# %% [markdown]
# ## Where this code lives
#
# The lab trains with your own optimizers, `tinytorch.core.optimizers`. In the folder of this lab,
# `.venv/bin/tito export PATH/optimizers_dev.ipynb` makes them of your notebook of the chapter
# before.
# What the lab builds is exported to two modules, `tinytorch.core.checkpoints` and
# `tinytorch.core.fused`, by `.venv/bin/tito export`. Cells of
# these begin with `#| export`.

# %%
#| default_exp core.checkpoints

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import importlib.util

WHEEL = "python -m pip install 'PATH[lab]'   (PATH: the .whl file of your bundle)"
for module, command in {
    "numpy": "python -m pip install numpy",
    "matplotlib": "python -m pip install matplotlib",
    "tinytorch": WHEEL,
    "tinytorch.core.optimizers": "in this folder, .venv/bin/tito export PATH/optimizers_dev.ipynb",
}.items():
    if importlib.util.find_spec(module) is None:
        raise ModuleNotFoundError(
            f"this notebook needs {module}, which is not installed. Run: {command}\n"
            "Then restart the kernel."
        )

# %%
import math
import tempfile
import time
import tracemalloc
from functools import partial

from tinytorch import parallel, profiling
from tinytorch.core.autograd import mean, multiply, softmax_cross_entropy
from tinytorch.core.optimizers import SGD, Adam, AdvancedOptimizerFeatures, StepLR
from tinytorch.datasets import load_digits
from tinytorch.parallel import cost
from tinytorch.parallel.digits import loss_of, make_network, scores_of, split_digits

# %% nbgrader={"grade": false, "grade_id": "setup-figures", "locked": true, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    import matplotlib.pyplot as plt

    from tinytorch.figures import prepare_figures

    prepare_figures()

# %% [markdown]
# The network is the one of the chapter before: 64 pixels, 32 hidden units, 10 classes, 2,410
# parameters. `make_network(seed)` returns its weights and biases, `scores_of(network, images)` the
# scores of the classes, and `loss_of(network, images, labels)` the mean cross-entropy. They come
# from the package, so that new processes find them as well.

# %%
all_digits = load_digits()
digits = split_digits()  # training images and labels, then test images and labels

# %% [markdown]
# ## 1 Checkpoints
#
# Machines fail in the middle of a training. A checkpoint holds everything the next step depends on:
# the parameters, the optimizer's state, the schedule's counter, the state of the random generator
# that draws the batches. If one of them is missing, training still goes on, but it is another
# training. The test of a checkpoint is therefore exact: the run that was stopped and resumed must
# end with the same bits as the run that was not.

# %% [markdown]
# The state is a flat dictionary, from names like `learning_rate`, `t` or `m.0` (the first moment of
# parameter 0) to numbers and arrays. All attributes of an object belong to it, except the
# parameters themselves, which are saved as such, the optimizer that a schedule holds, and memory
# for intermediate results. An optimizer may keep its arrays in a list or in a dictionary. The names
# show the position in `optimizer.parameters`, never an `id()`, which means nothing in another
# process; where the keys are ids, or the values tensors, an entry `m.form` says so.

# %%
#| export
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch.core.autograd import Variable
from tinytorch.core.tensor import Tensor


def state_dict(owner: Any) -> dict[str, Any]:
    """Return a copy of the state of an optimizer or a schedule.

    Parameters
    ----------
    owner : SGD, Adam, StepLR or an object like them
        Every attribute is state, except ``parameters``, ``optimizer`` and ``_scratch``. One that
        has a method ``state_dict`` answers by itself.

    Returns
    -------
    dict of str to array, number, str or None
        An attribute that holds one value per parameter has an entry for each: ``"velocity.0"``.

    Raises
    ------
    TypeError
        If an attribute holds anything else.
    """
    if hasattr(owner, "state_dict"):
        return owner.state_dict()
    state: dict[str, Any] = {}
    for name, value in _state_attributes(owner).items():
        if not isinstance(value, (dict, list, tuple)):
            state[name] = _saved(name, value)
            continue
        keys, entries = _entries(owner, name, value)
        kinds = [type(e).__name__ for e in entries.values() if isinstance(e, (Tensor, Variable))]
        if kinds or keys != "index":
            state[f"{name}.form"] = f"{keys} {kinds[0] if kinds else 'ndarray'}"
        for i, entry in entries.items():
            entry = np.asarray(entry) if isinstance(entry, np.floating) else entry
            state[f"{name}.{i}"] = _saved(f"{name}.{i}", entry)
    return state


def _state_attributes(owner: Any) -> dict[str, Any]:
    """Return the attributes that are state."""
    parameters, optimizer = getattr(owner, "parameters", ()), getattr(owner, "optimizer", ())
    return {
        name: value
        for name, value in vars(owner).items()
        if name != "_scratch" and value is not optimizer
        if value is not parameters and not (isinstance(value, list) and value == parameters)
    }


def _entries(owner: Any, name: str, held: Any) -> tuple[str, dict[int, Any]]:
    """Return what the keys of a list or dict are, and its values by the index of a parameter."""
    if not isinstance(held, dict):
        return "index", dict(enumerate(held))
    for keys, key_of in _KEYS.items():
        index = {key_of(i, p): i for i, p in enumerate(getattr(owner, "parameters", []))}
        if held.keys() <= index.keys():
            return keys, {index[key]: value for key, value in held.items()}
    raise TypeError(f"{name} must have parameters, their ids or indices as keys, got {[*held]!r}")


_KEYS = {"index": lambda i, p: i, "id": lambda i, p: id(p), "parameter": lambda i, p: p}


def _saved(name: str, value: Any) -> Any:
    """Return a copy of a value in the form in which it is saved."""
    if isinstance(value, (Variable, Tensor, np.ndarray)):
        return np.array(value.data if isinstance(value, Variable) else value)
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{name} must be a number, a text or an array to be saved, got {value!r}")


# %% [markdown]
# Loading is strict. A state that does not fit belongs to another training, and the sooner we learn
# that the better. So every name, shape and dtype is compared before the first value is changed, and
# the message names the entry.

# %%
#| export
def load_state_dict(owner: Any, state: dict[str, Any]) -> None:
    """Put a state that `state_dict` has returned into an object of the same kind.

    Parameters
    ----------
    owner : SGD, Adam, StepLR or an object like them
        Its parameters must have the shapes and dtypes of those the state was taken with. One that
        has a method ``load_state_dict`` loads by itself.
    state : dict
        Copied.

    Raises
    ------
    ValueError
        If an entry is missing, unknown, or of another type or shape. The owner stays as it was.
    """
    if hasattr(owner, "load_state_dict"):
        owner.load_state_dict(state)
        return
    for name, value in _fitting(owner, state).items():
        setattr(owner, name, value)


def _fitting(owner: Any, state: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes that a state stands for, all of them checked."""
    left, attributes = dict(state), {}
    for name, held in _state_attributes(owner).items():
        if isinstance(held, (dict, list, tuple)):
            attributes[name] = _loaded_entries(owner, name, held, left)
        elif name not in left:
            raise ValueError(f"state must have an entry {name!r}, as {type(owner).__name__} has")
        else:
            attributes[name] = _loaded(name, left.pop(name), held)
    if left:
        raise ValueError(f"state has an entry {min(left)!r}, which {type(owner).__name__} has not")
    return attributes


def _loaded_entries(owner: Any, name: str, held: Any, left: dict[str, Any]) -> Any:
    """Take what belongs to a list or dict out of `left`, and return the new list or dict."""
    keys, kind = left.pop(f"{name}.form", "index ndarray").split()
    likes, parameters = _entries(owner, name, held)[1], getattr(owner, "parameters", [])
    values = {}
    for i in range(max(len(parameters), len(held))):
        value = left.pop(f"{name}.{i}", _ABSENT)
        if value is not _ABSENT:
            like = likes.get(i)
            like = np.asarray(like) if isinstance(like, np.floating) else like
            values[i] = _loaded(f"{name}.{i}", value, like)
            if isinstance(value, np.ndarray) and value.shape != parameters[i].shape:
                raise ValueError(
                    f"{name}.{i} must have the shape {parameters[i].shape} of parameter {i}, "
                    f"got {value.shape}"
                )
            if isinstance(value, np.ndarray) and kind != "ndarray":
                values[i] = {"Tensor": Tensor, "Variable": Variable}[kind](values[i])
    if isinstance(held, dict):
        filled = held.copy()
        filled.clear()
        filled.update({_KEYS[keys](i, parameters[i]): value for i, value in values.items()})
        return filled
    expected = max(len(held), len(parameters) if values else 0)
    for i in range(expected):
        if i not in values:
            raise ValueError(f"state must have an entry '{name}.{i}'")
    return type(held)(values.values())


_ABSENT = object()


def _loaded(name: str, value: Any, like: Any) -> Any:
    """Return a copy of a saved value; refuse it if it is not of the kind of `like`."""
    if isinstance(like, (Tensor, Variable)):
        like = np.asarray(like.data)
    if isinstance(value, np.ndarray):
        if isinstance(like, np.ndarray) and (value.shape, value.dtype) != (like.shape, like.dtype):
            raise ValueError(
                f"{name} must have shape {like.shape} and dtype {like.dtype}, "
                f"got shape {value.shape} and dtype {value.dtype}"
            )
        value = value.copy()
    expected = [kind for kind in (np.ndarray, (int, float), str) if isinstance(like, kind)]
    if expected and not isinstance(value, expected[0]):
        what = "an array" if expected[0] is np.ndarray else type(like).__name__
        raise ValueError(f"{name} must be {what}, got {value!r}")
    return value


# %% [markdown]
# A file adds the other parts. It is an `.npz`, NumPy's archive of arrays; whatever is no array
# stands in it as JSON, with the names of all entries. No pickle: unpickling runs code, and a
# checkpoint may come from anybody. The file is written under another name and renamed when it is
# complete, so that a crash while writing leaves the previous checkpoint whole.

# %%
#| export
def save_checkpoint(path: Any, /, **parts: Any) -> None:
    """Write a checkpoint.

    Parameters
    ----------
    path : path-like
        The file, replaced if it exists. It appears under this name when it is complete.
    **parts
        By names of your choice: parameters (`Variable` or a list of them), optimizers, schedules,
        ``numpy.random.Generator``, arrays, and what JSON can hold: numbers, texts, lists, dicts.

    Raises
    ------
    TypeError
        If a part cannot be saved, with its name; an earlier checkpoint then stays as it is.

    Examples
    --------
    >>> save_checkpoint("run.npz", parameters=[w, b], optimizer=adam, schedule=stairs, epoch=3)
    """
    entries = [
        (part, name, entry)
        for part, value in parts.items()
        for name, entry in _saved_part(value).items()
    ]
    arrays = [entry for _, _, entry in entries if isinstance(entry, np.ndarray)]
    for part, name, entry in entries:
        if isinstance(entry, np.ndarray) and entry.dtype.hasobject:
            where = f"{part}/{name}" if name else part
            raise TypeError(f"{where}: an array of Python objects cannot be saved")
    # An array stands under its number, so that parts and entries may have any name.
    others = [(p, n, None if isinstance(e, np.ndarray) else [e]) for p, n, e in entries]
    unfinished = Path(f"{path}.{os.getpid()}.tmp")
    try:
        with unfinished.open("wb") as file:
            index = np.array(json.dumps(others, default=_as_json))
            np.savez(file, index=index, **{str(i): array for i, array in enumerate(arrays)})
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def load_checkpoint(path: Any, /, **parts: Any) -> dict[str, Any]:
    """Read a checkpoint, and put its parts into the given objects.

    Parameters
    ----------
    path : path-like
        What `save_checkpoint` has written.
    **parts
        The parameters, optimizers, schedules and generators to fill, under the names they were
        saved with.

    Returns
    -------
    dict
        The other parts, by name.

    Raises
    ------
    ValueError
        If the file is no checkpoint, or a part is missing or does not fit; the message names the
        entry. Every given object is then as it was.
    """
    saved: dict[str, dict[str, Any]] = {}
    for part, name, entry in _read_checkpoint(path):
        saved.setdefault(part, {})[name] = entry
    before: list[tuple[Any, dict[str, Any]]] = []
    for part, target in parts.items():
        try:
            if part not in saved:
                raise ValueError(f"there is no such part; there are {', '.join(sorted(saved))}")
            before.append((target, _saved_part(target)))
            _load_part(target, saved.pop(part))
        except ValueError as error:
            for changed, entries in before:
                _load_part(changed, entries)
            raise ValueError(f"{path}: {part}: {error}") from error
    return {part: entries.get("", entries) for part, entries in saved.items()}


def _read_checkpoint(path: Any) -> list[tuple[str, str, Any]]:
    """Return the entries of a file: part, name, value."""
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            numbers = iter(range(len(archive.files)))
            return [
                (part, name, other[0] if other else archive[str(next(numbers))])
                for part, name, other in json.loads(str(archive["index"]))
            ]
    except (ValueError, LookupError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} must be a checkpoint written by save_checkpoint") from error


def _saved_part(value: Any) -> dict[str, Any]:
    """Return the entries of a part; what is one entry itself has the name ""."""
    if isinstance(value, np.random.Generator):
        return {"generator": value.bit_generator.state}
    if isinstance(value, Variable):
        value = [value]
    if isinstance(value, (list, tuple)) and any(isinstance(p, Variable) for p in value):
        return {str(i): _saved(str(i), parameter) for i, parameter in enumerate(value)}
    if hasattr(value, "state_dict") or hasattr(value, "__dict__"):
        return state_dict(value)
    return {"": value.item() if isinstance(value, np.generic) else value}


def _load_part(target: Any, entries: dict[str, Any]) -> None:
    """Put the entries of a part into an object."""
    target = [target] if isinstance(target, Variable) else target
    if isinstance(target, np.random.Generator):
        kind = entries.get("generator", {}).get("bit_generator")
        if kind != type(target.bit_generator).__name__:
            raise ValueError(f"generator must be {type(target.bit_generator).__name__}, got {kind}")
        target.bit_generator.state = entries["generator"]
    elif isinstance(target, (list, tuple)):
        names = [str(i) for i in range(len(target))]
        if wrong := sorted(entries.keys() ^ set(names)):
            raise ValueError(f"there must be {len(target)} parameters, but for {wrong[0]!r}")
        arrays = [
            _loaded(f"parameter {name}", entries[name], parameter.data)
            for name, parameter in zip(names, target, strict=True)
        ]
        for array, parameter in zip(arrays, target, strict=True):
            parameter.data.data[...] = array
    else:
        load_state_dict(target, entries)


def _as_json(value: Any) -> Any:
    """Return what JSON can hold for a value that it cannot, as `json.dumps` asks for it."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    raise TypeError(f"a part must be numbers, texts, arrays or objects with state, got {value!r}")


# %% [markdown]
# The proof, on a bowl of curvatures 1 and 20: 30 steps of your Adam in one go, against 10 steps, a
# checkpoint, new objects, and the other 20 steps. The two must agree to the last bit.

# %%
def walk_on_stairs(steps, checkpoint=None, resume=False):
    """Walk the bowl with Adam and a schedule; save the state at the end, or resume it first."""
    w = Variable([-2.0, 1.0])
    optimizer = Adam([w], learning_rate=0.2)
    stairs = StepLR(optimizer, step_size=8, gamma=0.5)
    if resume:
        load_checkpoint(checkpoint, w=w, adam=optimizer, stairs=stairs)
    for _ in range(steps):
        w.grad = None
        mean(multiply(np.array([1.0, 20.0]), multiply(w, w))).backward()
        stairs.step()
        optimizer.step()
    if checkpoint and not resume:
        save_checkpoint(checkpoint, w=w, adam=optimizer, stairs=stairs)
    return w.data.data


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        walk_on_stairs(10, f"{folder}/run.npz")
        resumed, whole = walk_on_stairs(20, f"{folder}/run.npz", resume=True), walk_on_stairs(30)
    print("resumed:", resumed, " in one go:", whole, " same bits:", np.array_equal(resumed, whole))

# %% [markdown]
# ## 2 Fast steps
#
# An optimizer computes little and moves much. One step of Adam needs a dozen operations per
# parameter, but reads four arrays and writes three, and a processor multiplies faster than memory
# delivers. Three things decide the time of a step.
#
# - **Allocation.** Each `a * b` asks for a new array, and the system hands out its pages one by one
#   as they are first touched. Written in place (`v *= momentum`, `np.multiply(a, b, out=s)`), a
#   step needs no new memory at all.
# - **Passes.** NumPy does one operation at a time on the whole array. If the array is larger than
#   the cache, each operation fetches it from memory again. In *blocks* that stay in the cache, only
#   the first one does.
# - **Calls.** A call of a NumPy function costs its time however little it computes. A hundred small
#   arrays cost a hundred times as many calls as one array of their joint length.

# %% [markdown]
# Blocks and joint arrays do not change the rule: it works on each element by itself, so it may as
# well be applied to pieces. That makes a *fused* optimizer a matter of bookkeeping. The classes
# below hold no update rule. They cut large parameters into blocks, join small ones, and let your
# `SGD` or your `Adam` take its step on these pieces. So they give the same numbers, to the bit.
#
# (PyTorch's fused kernels go one step further: they do all operations in one loop, which passes
# over memory once. Such a loop has to be compiled; section 3 writes one.)

# %%
#| export core.fused
import contextvars
import importlib.util
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from typing import Any

import numpy as np

from tinytorch.core.autograd import Variable, record
from tinytorch.core.optimizers import SGD, Adam
from tinytorch.core.tensor import Tensor

if __name__ != "__main__":  # in this notebook they stand above
    from tinytorch.core.checkpoints import load_state_dict, state_dict

BLOCK = 2**18  # elements of a block: 5 MB with gradient, state and scratch, for a shared cache
SMALL = 2**14  # parameters with fewer elements are joined, and left to NumPy


def _piece_of(array: np.ndarray) -> Variable:
    """Return a parameter on an array that is a part of another one."""
    piece = record(array)
    piece.requires_grad = True
    return piece


class _Blocks:
    """Consecutive blocks of one parameter, each of them a piece: a parameter of its own.

    Parameters
    ----------
    index, parameter : int, Variable
        The parameter and its place in the list.
    start, stop, block : int
        The range of its elements that the blocks cover, and how many a block has.
    """

    def __init__(
        self, index: int, parameter: Variable, start: int, stop: int, block: int
    ) -> None:
        self.members, self.parameter = [index], parameter
        self.shape, self.dtype = parameter.shape, parameter.dtype
        bounds = [*range(start, stop, block), stop]
        self.slices = list(map(slice, bounds[:-1], bounds[1:])) or [slice(start, stop)]
        self.pieces = [_piece_of(np.empty(0, parameter.dtype)) for _ in self.slices]
        self.array: np.ndarray | None = None
        self.prepare()

    def prepare(self) -> list[int]:
        """Point the pieces to the array and the gradient that the parameter has now."""
        w = self.parameter.data.data
        if w is not self.array:
            _check_kept(w, self.shape, self.dtype)
            if not w.flags.c_contiguous:  # blocks of it would be copies
                self.parameter.data = Tensor(w)
                w = self.parameter.data.data
            self.array, flat = w, w.reshape(-1)
            self.views = [flat[part] for part in self.slices]
            for piece, view in zip(self.pieces, self.views, strict=True):
                piece.data = Tensor.adopt(view)
        gradient = self.parameter.grad
        flat = None if gradient is None else gradient.data.data.reshape(-1)
        for piece, part in zip(self.pieces, self.slices, strict=True):
            piece.grad = None if flat is None else record(flat[part])
        return []

    def gather(self, buffer: np.ndarray) -> None:
        """Do nothing: the gradients of the pieces are views."""

    def finish(self) -> None:
        """Bring home what an optimizer has put into new arrays, and let go of the gradient."""
        for piece, view in zip(self.pieces, self.views, strict=True):
            piece.grad = None
            if piece.data.data is not view:
                view[...] = piece.data.data
                piece.data = Tensor.adopt(view)

    def join(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Return the state of the members, flat, given that of the pieces."""
        return [np.concatenate(arrays)]

    def split(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Return the state of the pieces, given that of the members."""
        return [arrays[0].reshape(-1)[part] for part in self.slices]


def _check_kept(array: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Refuse an array that a user has given to a parameter of another shape or dtype."""
    if (array.shape, array.dtype) != (shape, dtype):
        raise ValueError(
            f"a parameter must keep its shape {shape} and its dtype {dtype}, "
            f"got {array.shape} and {array.dtype}; or make a new optimizer"
        )


# %% [markdown]
# Joined parameters change their place: the arrays move into one, and `w.data.data` becomes a window
# on it. Their gradients come from `backward()` one by one, and are gathered at each step, into
# memory that all groups share. A parameter without a gradient must be skipped, which a joint step
# cannot do; so it leaves the group, with its state, and goes its own way from then on.

# %%
#| export core.fused
class _Joined:
    """One piece for several small parameters, whose arrays become windows on it."""

    def __init__(self, members: list[int], parameters: list[Variable]) -> None:
        self.members, self.parameters = members, parameters
        self.flat = np.concatenate([p.data.data.ravel() for p in parameters])
        ends = np.cumsum([p.size for p in parameters]).tolist()
        self.slices = list(map(slice, [0, *ends[:-1]], ends))
        pairs = zip(self.slices, parameters, strict=True)
        self.views = [self.flat[part].reshape(p.shape) for part, p in pairs]
        self.pieces = [_piece_of(self.flat)]
        self.gradients: list[np.ndarray] = []

    def prepare(self) -> list[int]:
        """Collect data and gradients; return the members that must leave before the step."""
        self.pieces[0].grad, self.gradients = None, []
        for parameter, view in zip(self.parameters, self.views, strict=True):
            if parameter.data.data is not view:  # assigned by the user: its place is here
                _check_kept(parameter.data.data, view.shape, view.dtype)
                view[...] = parameter.data.data
                parameter.data = Tensor.adopt(view)
        variables = list(map(attrgetter("grad"), self.parameters))
        if None in variables:
            missing = [i for i, g in zip(self.members, variables, strict=True) if g is None]
            return missing if len(missing) < len(variables) else []
        self.gradients = [g if g.ndim == 1 else g.ravel() for g in map(_array_of, variables)]
        if set(map(attrgetter("dtype"), self.gradients)) == {self.flat.dtype}:
            return []
        # With a gradient of another dtype the plain step would compute in the wider of the two.
        pairs = zip(self.members, self.gradients, strict=True)
        return [i for i, gradient in pairs if gradient.dtype != self.flat.dtype]

    def gather(self, buffer: np.ndarray) -> None:
        """Bring the gradients of the members together."""
        joint = buffer[: self.flat.nbytes].view(self.flat.dtype)
        if self.gradients:
            self.pieces[0].grad = record(np.concatenate(self.gradients, out=joint))

    def finish(self) -> None:
        """Bring home what an optimizer has put into a new array, and let go of the gradients."""
        self.pieces[0].grad, self.gradients = None, []
        if self.pieces[0].data.data is not self.flat:
            self.flat[...] = self.pieces[0].data.data
            self.pieces[0].data = Tensor.adopt(self.flat)

    def join(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Return the state of the members, flat, given that of the piece."""
        return [arrays[0][part] for part in self.slices]

    def split(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Return the state of the piece, given that of the members."""
        return [np.concatenate([array.ravel() for array in arrays])]


_array_of = attrgetter("data.data")

# %% [markdown]
# The optimizer arranges the parts, gives each a plain optimizer for its pieces, and translates
# their state into that of whole parameters and back. So a checkpoint of `Adam` can be loaded into a
# `FusedAdam`, and the other way round. NumPy lets go of Python's lock while it computes; so with
# large arrays several threads do run side by side.
#
# The course's own package knows loops for its own rule, in `tinytorch.compiled`, which compiled do
# all in one pass. They may stand in for a `step` only if they give its bits. Of yours nobody can
# know that, so your package has no such module, and blocks it is.

# %%
#| export core.fused
class FusedOptimizer:
    """Let a plain optimizer take its steps on pieces of memory that suit the machine.

    Parameters
    ----------
    plain : type
        The optimizer whose rule it is, `SGD` or `Adam`.
    parameters : list of Variable
        What to train.
    threads : int
        Among how many threads the pieces are shared out, at least 1.
    compiled : bool
        Whether large parts take their steps in one pass, where `tinytorch.compiled` knows how. The
        attribute says whether one does.
    **settings
        Of the plain optimizer. They become attributes, and are read at each `step()`.
    """

    def __init__(
        self, plain: Any, parameters: list[Variable], threads: int = 1, compiled: bool = True,
        **settings: float,
    ) -> None:
        if not threads >= 1:
            raise ValueError(f"threads must be at least 1, got {threads!r}")
        self.parameters, self.threads = list(parameters), threads
        self._plain, self._settings, self._apart = plain, list(settings), set()
        vars(self).update(settings)
        self._may_compile = compiled
        self._pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None
        self._arrange()

    def step(self) -> None:
        """Take the plain optimizer's step: the same numbers, sooner."""
        while leaving := [i for part, _ in self._work for i in part.prepare()]:
            state = self.state_dict()
            self._apart |= set(leaving)
            self._arrange()
            self.load_state_dict(state)
        context = contextvars.copy_context  # NumPy's errstate is part of it
        others = [
            self._pool.submit(context().run, self._run, thread) for thread in range(1, self.threads)
        ]
        self._run(0)
        for other in others:
            other.result()

    def zero_grad(self) -> None:
        """Set the ``grad`` of every parameter to None."""
        for parameter in self.parameters:
            parameter.grad = None

    def _run(self, thread: int) -> None:
        """Take the steps that fall to one thread."""
        settings = {name: getattr(self, name) for name in self._settings}
        for part, plain in self._work[thread :: self.threads]:
            for name, value in settings.items():
                setattr(plain, name, value)
            part.gather(self._buffers[thread])
            plain.step()
            part.finish()

    def _arrange(self) -> None:
        """Cut and join the parameters, and make a plain optimizer for each part."""
        groups: dict[Any, list[int]] = {}
        arrays, sizes = [_array_of(p) for p in self.parameters], Counter()
        uses = Counter(map(id, arrays))  # a parameter may be there twice, or share its array
        for i, array in enumerate(arrays):
            alone = i in self._apart or array.size >= SMALL or uses[id(array)] > 1
            sizes[array.dtype] += 0 if alone else array.size
            key = i if alone else (array.dtype, sizes[array.dtype] // BLOCK)
            groups.setdefault(key, []).append(i)
        settings = {name: getattr(self, name) for name in self._settings}
        self._work, self.compiled, in_blocks = [], False, []
        for members in groups.values():
            one = self._one_pass_for([arrays[i] for i in members])
            self.compiled |= one is not None
            rule, parts = one or self._plain, self._parts(members, cut=one is None)
            self._work += [(part, rule(part.pieces, **settings)) for part in parts]
            in_blocks += [] if one else parts
        joined = _largest([part for part, _ in self._work if isinstance(part, _Joined)])
        self._buffers = [np.empty(joined, np.uint8) for _ in range(self.threads)]
        for thread in range(self.threads):
            scratch = np.empty(_largest(in_blocks), np.uint8)  # all of a thread can share it
            for _, plain in self._work[thread :: self.threads]:
                if isinstance(getattr(plain, "_scratch", None), np.ndarray):
                    plain._scratch = scratch

    def _one_pass_for(self, arrays: list[np.ndarray]) -> Any:
        """Return what takes the steps of a group in one pass; None for small or unknown ones."""
        if not self._may_compile or sum(array.size for array in arrays) < SMALL:
            return None
        if importlib.util.find_spec("tinytorch.compiled") is None:
            return None
        loops = importlib.import_module("tinytorch.compiled")
        return loops.one_pass(self._plain, arrays[0].dtype)

    def _parts(self, members: list[int], cut: bool) -> list[Any]:
        """Return the parts for one group: one if it is joined, else one for each thread.

        They are not cut into blocks where one pass takes the step: nothing need stay in a cache,
        and state in large arrays lies on large pages, if the system has such.
        """
        parameters = [self.parameters[i] for i in members]
        if len(members) > 1:
            return [_Joined(members, parameters)]
        stride = max(BLOCK, -(-parameters[0].size // self.threads))
        bounds = [*range(0, parameters[0].size, stride), parameters[0].size]
        bounds = bounds if len(bounds) > 1 else [0, 0]
        return [
            _Blocks(members[0], parameters[0], start, stop, BLOCK if cut else stride)
            for start, stop in zip(bounds, bounds[1:], strict=False)
        ]

    def state_dict(self) -> dict[str, Any]:
        """Return the state as the plain optimizer would, for whole parameters."""
        result: dict[str, Any] = {}
        for part, plain in self._work or [(None, self._plain([]))]:
            entries: dict[str, list[Any]] = {}
            for name, value in state_dict(plain).items():
                attribute, index = _split_name(name)
                if index is None:
                    result[name] = value
                else:
                    entries.setdefault(attribute, []).append(value)
            for attribute, values in entries.items():
                arrays = isinstance(values[0], np.ndarray)
                joint = part.join(values) if arrays else [values[0]] * len(part.members)
                for i, value in zip(part.members, joint, strict=True):
                    result.setdefault(f"{attribute}.{i}", []).append(value)
        for name, values in result.items():
            if isinstance(values, list):
                array = isinstance(values[0], np.ndarray)
                shape = self.parameters[_split_name(name)[1]].shape if array else ()
                result[name] = np.concatenate(values).reshape(shape) if array else values[0]
        return result | {name: getattr(self, name) for name in self._settings}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on as the optimizer, plain or fused, that `state` was taken from would."""
        load_state_dict(self._plain(self.parameters), state)  # refuses what does not fit
        entries: dict[str, dict[int, Any]] = {}
        for name, value in state.items():
            attribute, index = _split_name(name)
            if index is not None:
                entries.setdefault(attribute, {})[index] = value
        self._apart |= {i for part, _ in self._work for i in _unlike(part.members, entries)}
        self._arrange()
        common = {name: value for name, value in state.items() if _split_name(name)[1] is None}
        for part, plain in self._work:
            own = dict(common)
            for attribute, held in entries.items():
                values = [held[i] for i in part.members if i in held]
                if values and isinstance(values[0], np.ndarray):
                    values = part.split(values)
                elif values:
                    values = [values[0]] * len(part.pieces)
                own |= {f"{attribute}.{k}": value for k, value in enumerate(values)}
            load_state_dict(plain, own)
        vars(self).update({name: state[name] for name in self._settings})

    def __getstate__(self) -> dict[str, Any]:
        # Copies of views are no views any more: what is copied or pickled is arranged anew.
        settings = {name: getattr(self, name) for name in self._settings}
        arguments = (self._plain, self.parameters, self.threads, self._may_compile)
        return {"arguments": arguments, "settings": settings, "state": self.state_dict()}

    def __setstate__(self, saved: dict[str, Any]) -> None:
        FusedOptimizer.__init__(self, *saved["arguments"], **saved["settings"])
        self.load_state_dict(saved["state"])

    def _held(self, attribute: str) -> list[np.ndarray]:
        """Return copies of what the plain optimizer holds under a name, for whole parameters."""
        state = self.state_dict()
        names = [f"{attribute}.{i}" for i in range(len(self.parameters))]
        return [state[name] for name in names if name in state]


def _largest(parts: list[Any]) -> int:
    """Return the bytes of the largest piece."""
    return max((p.data.data.nbytes for part in parts for p in part.pieces), default=0)


def _split_name(name: str) -> tuple[str, int | None]:
    """Return the attribute and the index in the name of an entry; None where it has no index."""
    attribute, _, index = name.rpartition(".")
    return (attribute, int(index)) if attribute and index.isdigit() else (name, None)


def _unlike(members: list[int], entries: dict[str, dict[int, Any]]) -> list[int]:
    """Return the members whose entries, arrays apart, are not those of the first member."""

    def numbers(i: int) -> list[Any]:
        found = [held.get(i, _NOTHING) for held in entries.values()]
        return ["array" if isinstance(value, np.ndarray) else value for value in found]

    return [i for i in members if numbers(i) != numbers(members[0])]


_NOTHING = object()


# %%
#| export core.fused
class FusedSGD(FusedOptimizer):
    """`SGD` in blocks and joint arrays: the same numbers, sooner.

    Parameters
    ----------
    parameters, learning_rate, momentum
        As for `SGD`. Small parameters move into joint arrays, on which ``w.data.data`` is a view.
    threads : int, default 1
        Among how many threads the blocks are shared out, at least 1.
    compiled : bool, default True
        Whether large parameters take their steps in one pass where `tinytorch.compiled` can: the
        same numbers, but no warning of overflow. The attribute says whether one does.
    """

    def __init__(
        self, parameters: list[Variable], learning_rate: float = 0.01, momentum: float = 0.0,
        threads: int = 1, compiled: bool = True,
    ) -> None:
        super().__init__(
            SGD, parameters, threads, compiled, learning_rate=learning_rate, momentum=momentum
        )

    @property
    def velocity(self) -> list[np.ndarray]:
        """Copies of the velocities."""
        return self._held("velocity")


class FusedAdam(FusedOptimizer):
    """`Adam` in blocks and joint arrays: the same numbers, sooner.

    Parameters
    ----------
    parameters, learning_rate, beta1, beta2, epsilon
        As for `Adam`. Small parameters move into joint arrays, on which ``w.data.data`` is a view.
    threads : int, default 1
        Among how many threads the blocks are shared out, at least 1.
    compiled : bool, default True
        Whether large parameters take their steps in one pass where `tinytorch.compiled` can: the
        same numbers, but no warning of overflow. The attribute says whether one does.
    """

    def __init__(
        self, parameters: list[Variable], learning_rate: float = 0.001, beta1: float = 0.9,
        beta2: float = 0.999, epsilon: float = 1e-8, threads: int = 1, compiled: bool = True,
    ) -> None:
        super().__init__(
            Adam, parameters, threads, compiled,
            learning_rate=learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon,
        )

    @property
    def m(self) -> list[np.ndarray]:
        """Copies of the first moments."""
        return self._held("m")

    @property
    def v(self) -> list[np.ndarray]:
        """Copies of the second moments."""
        return self._held("v")

    @property
    def t(self) -> int:
        """Number of calls of ``step()``."""
        return self._work[0][1].t if self._work else 0


# %% [markdown]
# `FusedAdam` still has to collect the gradients one by one. If you build the network yourself, you
# can avoid that: `FlatParameters` is one parameter whose *parts* are the weights of the network,
# and `backward()` writes the gradient of each part straight into one joint array. The optimizer,
# plain or fused, sees one array and one gradient; and machines that average their gradients
# exchange one message.

# %%
#| export core.fused
class _Window(Tensor):
    """A tensor on a part of another one's memory: what is assigned is copied into its place."""

    __slots__ = ()

    @property
    def data(self) -> np.ndarray:
        """The array, a view."""
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        array = np.asarray(value)
        if array.shape != self.shape:
            raise ValueError(f"a part must keep its shape {self.shape}, got {array.shape}")
        if array is not self._data:
            self._data[...] = array


class FlatParameters(Variable):
    """Many parameters in one array: one for an optimizer, its parts for the network.

    Parameters
    ----------
    parameters : list of Variable
        The values to start from, of one dtype. They are copied.

    Attributes
    ----------
    parts : list of Variable
        As `parameters`. Their data and gradients are windows on those of this variable, so a
        gradient taken from a part lasts until `backward` finds the next one; what is assigned to
        them is copied.
    """

    def __init__(self, parameters: list[Variable]) -> None:
        if len({p.dtype for p in parameters}) != 1:
            raise ValueError(f"parameters must have one dtype, got {[p.dtype for p in parameters]}")
        self._with_gradient: set[int] = set()
        self.parts: list[Variable] = []
        super().__init__(np.concatenate([p.data.data.ravel() for p in parameters]))
        self._gradient = Variable(np.zeros_like(self.data.data), requires_grad=False)
        start = 0
        for parameter in parameters:
            stop = start + parameter.size
            joint = self.data.data, self._gradient.data.data
            arrays = [array[start:stop].reshape(parameter.shape) for array in joint]
            self.parts.append(_Part(self, len(self.parts), *arrays))
            start = stop

    def __reduce__(self) -> tuple[Any, ...]:
        # Copies of views are no views any more: a copy is made anew, without gradients.
        return FlatParameters, ([Variable(part) for part in self.parts],)

    @property
    def grad(self) -> Variable | None:
        """The gradient of all parts, or None if no part has one."""
        if len(self._with_gradient) == len(self.parts):
            return self._gradient
        if not self._with_gradient:
            return None
        missing = min(set(range(len(self.parts))) - self._with_gradient)
        raise ValueError(
            f"every part must have a gradient or none, but part {missing} has none; "
            "give parts that may be left out to the optimizer as parameters of their own"
        )

    @grad.setter
    def grad(self, value: Variable | None) -> None:
        self._with_gradient.clear()
        if value is not None:
            self._gradient.data.data[...] = value.data.data
            self._with_gradient.update(range(len(self.parts)))


class _Part(Variable):
    """A parameter that is a part of a `FlatParameters`."""

    def __init__(self, whole: FlatParameters, index: int, data: Any, gradient: Any) -> None:
        self._whole, self._index = whole, index
        self._data, self._gradient = _Window.adopt(data), record(gradient)
        self._gradient.data = _Window.adopt(gradient)
        self.requires_grad, self._edges = True, ()

    def __reduce__(self) -> tuple[Any, ...]:
        return _part_of, (self._whole, self._index)

    @property
    def data(self) -> Tensor:
        """The value, a window on the joint array."""
        return self._data

    @data.setter
    def data(self, value: Tensor) -> None:
        self._data.data = value.data

    @property
    def grad(self) -> Variable | None:
        """The gradient, a window on the joint one, or None."""
        return self._gradient if self._index in self._whole._with_gradient else None

    @grad.setter
    def grad(self, value: Variable | None) -> None:
        if value is None:
            self._whole._with_gradient.discard(self._index)
            return
        self._gradient.data.data = value.data.data
        self._whole._with_gradient.add(self._index)


def _part_of(whole: FlatParameters, index: int) -> Variable:
    """Return a part of joint parameters: of their copy, where these were copied."""
    return whole.parts[index]

# %% [markdown]
# Do they really take the same steps? Ten of them, on the digits network: all four of its arrays are
# small, so `FusedAdam` joins them.

# %%
def digits_after_ten_steps(make_optimizer):
    """Return the parameters of the digits network after ten steps, as one array."""
    network, (images, labels) = make_network(), all_digits
    optimizer = make_optimizer(network)
    for step in range(10):
        rows = slice(32 * step, 32 * (step + 1))
        optimizer.zero_grad()
        loss_of(network, images[rows], labels[rows]).backward()
        optimizer.step()
    return np.concatenate([p.data.data.ravel() for p in network])


if __name__ == "__main__":
    plain, fused = digits_after_ten_steps(Adam), digits_after_ten_steps(FusedAdam)
    print("equal bits:", plain.tobytes() == fused.tobytes())

# %% [markdown]
# ## 3 One step, five ways
#
# Section 2 named three things that decide the time of a step: allocation, passes, calls. Here we
# measure each of them, on the same arithmetic written in five ways:
#
# - **naive**: the equation as it stands; each operation makes a new array for its result;
# - **in place**: results go to arrays that are there already, and to one for scratch;
# - **blocked**: in place, and all operations on one part of the arrays before the next part;
# - **compiled**: all operations on one element before the next element;
# - **flat**: in place, on one array that holds all the small arrays of a model.
#
# `measure` gives three numbers per step: the seconds (the least of some rounds: whatever else runs
# on the machine can only add), the **page faults**, and the memory that was needed on the way. New
# memory is only a promise until it is touched. At the first touch of each page, 4 KB as a rule, the
# operating system steps in, finds a page and fills it with zeros: a page fault. (Windows does not
# tell Python how many there were: the column is 0 there.)

# %%
try:
    import resource
except ModuleNotFoundError:  # on Windows
    resource = None


def page_faults():
    """Return the page faults of this process so far; 0 where the system does not say."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt if resource else 0


def measure(step, rounds=5):
    """Return seconds, page faults and the peak of extra bytes of one call of step()."""
    step()
    faults, seconds = page_faults(), []
    for _ in range(rounds):
        begin = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - begin)
    faults = (page_faults() - faults) // rounds
    tracemalloc.start()
    step()  # arrays that a step replaces are now among those that are traced
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return min(seconds), faults, peak - before


# %% [markdown]
# The first two ways, on the arrays of weights, gradients and both moments. The step is one late in
# a training, when both corrections of Adam have become 1. Compare the ways line by line: the
# arithmetic is the same, and so is every bit of the result. What differs is where results go.

# %%
def naive(w, g, m, v):
    """Take a late step of Adam; every operation makes an array."""
    m[:] = 0.9 * m + 0.1 * g
    v[:] = 0.999 * v + 0.001 * (g * g)
    w[:] = w - 0.001 * (m / (np.sqrt(v) + 1e-8))


def in_place(w, g, m, v, scratch):
    """Take the same step; no operation makes an array."""
    s = scratch[: w.size]
    m *= 0.9
    m += np.multiply(g, 0.1, out=s)
    v *= 0.999
    v += np.multiply(np.multiply(g, g, out=s), 0.001, out=s)
    np.add(np.sqrt(v, out=s), 1e-8, out=s)
    w -= np.multiply(np.divide(m, s, out=s), 0.001, out=s)


# %% [markdown]
# The third way calls the second on 32,768 weights at a time. Four arrays and the scratch are then
# 0.66 MB, which fit the second-level cache of many processors. Without blocks each operation goes
# through whole arrays, for the 2,000,000 weights below 8 MB each, 40 MB together: more than most
# caches hold.

# %%
def blocked(w, g, m, v, scratch, block=32_768):
    """Take the same step, one block of all arrays after the other."""
    for first in range(0, w.size, block):
        part = slice(first, first + block)
        in_place(w[part], g[part], m[part], v[part], scratch)


def adam_arrays(size):
    """Return weights, gradients and both moments, in the middle of a training."""
    rng = np.random.default_rng(0)
    w, g, m = rng.standard_normal((3, size), dtype=np.float32)
    return w, g, m * 0.01, np.abs(g) + 0.1


# %% [markdown]
# Blocks still pass over the cache a dozen times. The fourth way is a loop over the elements, which
# does all operations on one of them while its numbers are in registers. In Python it would be
# hopeless. *numba* translates such a function into machine code when it is first called; it is
# large (200 MB with its compiler), so you install it only if you want to, and without it this way
# is left out.
#
# For the same bits, the numbers are given as numbers of the arrays' dtype, as NumPy casts them:
# float32 times a Python float would be float64 here. And the compiler may neither reorder the
# operations nor contract a product and a sum into one, which it does only if asked (`fastmath`).

# %%
def loop(w, g, m, v, beta1, gain1, beta2, gain2, epsilon, rate):
    """Take a late step of Adam, one element after the other."""
    for i in range(w.size):
        m[i] = m[i] * beta1 + g[i] * gain1
        v[i] = v[i] * beta2 + g[i] * g[i] * gain2
        w[i] -= m[i] / (np.sqrt(v[i]) + epsilon) * rate


def compile_step():
    """Return a function that takes the late step by the compiled loop; None without numba."""
    if importlib.util.find_spec("numba") is None:
        return None
    machine_code = importlib.import_module("numba").njit(loop, error_model="numpy")
    numbers = np.float32([0.9, 0.1, 0.999, 0.001, 1e-8, 0.001])
    return lambda w, g, m, v: machine_code(w, g, m, v, *numbers)


# %%
if __name__ == "__main__":
    size, large = 2_000_000, {}
    ways = {"naive": (naive, 3), "in place": (in_place, 9, size), "blocked": (blocked, 9, 32_768)}
    if compiled := compile_step():
        ways["compiled"] = (compiled, 9)
    else:
        print("compiled: left out; python -m pip install numba, then restart the kernel")
    for name, (way, rounds, *needed) in ways.items():
        scratch = [np.empty(elements, np.float32) for elements in needed]
        large[name] = measure(partial(way, *adam_arrays(size), *scratch), rounds)
        seconds, faults, peak = large[name]
        bandwidth = 28 * size / seconds / 1e9
        print(f"{name:9}{1000 * seconds:7.2f} ms  {faults:6} page faults", end="")
        print(f"{peak / size:6.1f} bytes/weight extra   {bandwidth:5.1f} GB/s")
    ends = set()
    for way, _, *needed in ways.values():
        arrays = adam_arrays(size)
        way(*arrays, *[np.empty(elements, np.float32) for elements in needed])
        ends.add(arrays[0].tobytes())
    print("the same bits:", len(ends) == 1)

# %% [markdown]
# The last column is what the memory would have to deliver if a step moved only what it must: four
# arrays read, three written, 28 bytes a weight. The naive way moves several times as much, and much
# of its temporary memory is new at every step: the page faults tell. In place there are none, and
# what remains is the traffic of a dozen passes. Blocks save most of that traffic, unless the last
# level of the cache holds all the arrays: then the two ways come out about equal. The loop saves
# the passes over the cache as well: each number is read once and written once.
#
# How far is that from PyTorch's fused kernel? It does a little more, such as the corrections, and
# is measured on one thread, on the same arrays, at a step as late.

# %%
def torch_step(torch, w, g, m, v):
    """Return a function that takes the late step by PyTorch's fused kernel."""
    weight = torch.from_numpy(w).requires_grad_()
    weight.grad, *moments = map(torch.from_numpy, (g, m, v))
    adam = torch.optim.Adam([weight], lr=0.001, fused=True)
    names = "step", "exp_avg", "exp_avg_sq"
    adam.state[weight] = dict(zip(names, (torch.tensor(1e6), *moments), strict=True))
    return adam.step


# %%
if __name__ == "__main__":
    if importlib.util.find_spec("torch"):
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)
        large["torch"] = measure(torch_step(torch, *adam_arrays(size)), rounds=9)
    else:
        print("torch: left out; python -m pip install torch, then restart the kernel")
    saved = {
        "in place": "new arrays, and with them the page faults",
        "blocked": "traffic between memory and cache",
        "compiled": "passes over the cache",
        "torch": "the same as the loop",
    }
    times = {name: seconds for name, (seconds, _, _) in large.items()}
    for before, name in zip(times, [*times][1:], strict=False):
        print(f"{name:9}{times[name] / times[before]:5.2f} of the time of {before:10}", end="")
        print(f"{times[name] / times['naive']:5.2f} of naive   saves {saved[name]}")

# %% [markdown]
# The fifth way is for the other extreme: 1,000 weights in 100 tensors. There each call of NumPy
# costs more than its ten elements. One flat array, with the tensors as windows on it, needs a
# hundredth of the calls.

# %%
if __name__ == "__main__":
    tensors = [adam_arrays(10) for _ in range(100)]
    flat, scratch = adam_arrays(1_000), np.empty(1_000, np.float32)
    ways = {
        "naive": lambda: [naive(*arrays) for arrays in tensors],
        "in place": lambda: [in_place(*arrays, scratch) for arrays in tensors],
        "flat": lambda: in_place(*flat, scratch),
    }
    small = {name: measure(way, rounds=20) for name, way in ways.items()}
    figure, panels = plt.subplots(1, 3, figsize=(10, 2.6), gridspec_kw={"wspace": 0.4})
    panels[0].bar(large.keys(), [1000 * seconds for seconds, _, _ in large.values()])
    panels[0].set(title="2,000,000 weights, 1 tensor", ylabel="ms a step")
    panels[1].bar(large.keys(), [faults for _, faults, _ in large.values()], color="C1")
    panels[1].set(title="the same", ylabel="page faults a step")
    panels[2].bar(small.keys(), [1e6 * seconds for seconds, _, _ in small.values()], color="C2")
    panels[2].set(title="1,000 weights, 100 tensors", ylabel="µs a step")
    plt.show()

# %% [markdown]
# And your own `Adam`, with its corrections and its bookkeeping? `FusedAdam` takes the same steps,
# in blocks of $2^{18}$ weights: larger than those above, because each block costs a whole `step()`
# with its bookkeeping. If yours writes in place, blocks save it traffic; if it makes new arrays,
# blocks of them are small enough to be used again, without a page fault.

# %%
if __name__ == "__main__":
    for make_optimizer in (Adam, FusedAdam):
        w, g, _, _ = adam_arrays(size)
        parameter = Variable(w)
        parameter.grad = Variable(g)
        optimizer = make_optimizer([parameter])
        seconds, faults, peak = measure(optimizer.step, rounds=3)
        print(f"{make_optimizer.__name__:9}{1000 * seconds:7.2f} ms{faults:8} page faults ", end="")
        print(f"{peak / size:6.1f} bytes/weight extra", end="")
        print("   compiled" if getattr(optimizer, "compiled", False) else "")

# %% [markdown]
# **To think about.** The blocked way does the same operations as the one in place, on the same
# numbers, in more calls. Where it is faster, where has the time gone? What do you expect of blocks
# of 100 weights, and of 10 million? Which of the bars would change, and how, if the arrays were
# float64?

# %% [markdown]
# ## 4 The memory of real optimizers
#
# Your profiler counts bytes on paper. Here we look: `tracemalloc` follows every array that NumPy
# makes. The state is what exists after the first step and did not exist before the optimizer was
# made, whether it was allocated at once or when it was first needed. (Scratch memory that is kept
# for the next step counts too.) A class that keeps its moments in float64 shows twice the formula.
# The peak shows what a step needs on the way.

# %%
def state_bytes(make_optimizer, tensors=50, size=2_000):
    """Return the bytes per weight of an optimizer after a step, and the peak on the way."""
    parameters = [Variable(np.zeros(size, np.float32)) for _ in range(tensors)]
    tracemalloc.start()
    for parameter in parameters:
        parameter.data = Tensor(np.zeros(size, np.float32))  # some optimizers replace them
        parameter.grad = Variable(np.ones(size, np.float32))
    before, _ = tracemalloc.get_traced_memory()
    optimizer = make_optimizer(parameters)
    tracemalloc.reset_peak()
    optimizer.step()
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / (tensors * size), (peak - before) / (tensors * size)


# %%
if __name__ == "__main__":
    kinds = {
        "SGD": (SGD, 0),
        "momentum": (lambda parameters: SGD(parameters, momentum=0.9), 4),
        "Adam": (Adam, 8),
    }
    print("bytes per weight   formula  measured   peak in the step")
    for name, (make_optimizer, formula) in kinds.items():
        kept, peak = state_bytes(make_optimizer)
        print(f"{name:18}{formula:8}{kept:10.2f}{peak:12.2f}")

# %% [markdown]
# ## 5 Training in float16
#
# The chapter before gave the rules and three facts: too small becomes 0, too large becomes
# infinite, and a weight in float16 does not notice a small update. Now we train with them: the
# forward and the backward pass in real float16, with a **master copy** of the weights in float32
# that the optimizer updates, and a loss scale that finds its own size.
#
# The rule is the one of PyTorch's `GradScaler`. After a step with an infinite or NaN gradient the
# scale is halved, and that step was skipped. After `interval` clean steps in a row it is doubled.
# So the scale rises until it is just too large, and every now and then a step is lost to find out.

# %%
class LossScaler:
    """A loss scale that adapts: halved at each overflow, doubled after enough clean steps."""

    def __init__(self, scale=2.0**16, interval=2000):
        self.scale, self.interval, self.clean = scale, interval, 0

    def update(self, overflow):
        """Take note of whether the last step had to be skipped."""
        self.clean = 0 if overflow else self.clean + 1
        if overflow:
            self.scale /= 2
        elif self.clean == self.interval:
            self.scale, self.clean = self.scale * 2, 0


# %% [markdown]
# A check against an oracle: the scales of `torch.amp.GradScaler` (PyTorch 2.13) after each step of
# the same history, with an interval of 3. (The package's tests ask PyTorch itself where it is
# installed.)

# %%
OVERFLOWS = [1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0]
TORCH_SCALES = [15, 14, 14, 14, 15, 15, 14, 14, 14, 15, 15, 15, 16, 15, 14, 14, 14, 13, 13, 13, 14]


def scales_after(overflows, interval):
    """Return the logarithm, to base 2, of the scale after each step."""
    scaler, scales = LossScaler(interval=interval), []
    for overflow in overflows:
        scaler.update(overflow)
        scales.append(round(math.log2(scaler.scale)))
    return scales


if __name__ == "__main__":
    print("the same as PyTorch's:", scales_after(OVERFLOWS, interval=3) == TORCH_SCALES)

# %% [markdown]
# Now the training. Weights and images are float16, and so is every product of the forward and the
# backward pass. The scores go to the loss in float32, as PyTorch's `autocast` does it: `to_float32`
# is a node of the graph whose backward pass rounds to float16. There, or in the products that
# follow, a scale that is too large becomes infinite.

# %%
def to_float32(x):
    """Return a float16 variable in float32; its gradient goes back in float16."""
    return record(x.data.data.astype(np.float32), (x, lambda g: g.astype(np.float16)))


def train_in_half(data, scaler, steps=90):
    """Train in float16 with master weights in float32; return the losses and the scales."""
    images, labels = data[0].astype(np.float16), data[1]
    master, rng, losses, scales = make_network(), np.random.default_rng(0), [], []
    optimizer, features = Adam(master, learning_rate=0.01), AdvancedOptimizerFeatures()
    for _ in range(steps):
        rows = rng.integers(len(images), size=32)
        half = [Variable(w.data.data.astype(np.float16)) for w in master]
        with np.errstate(over="ignore", invalid="ignore"):  # the scaler wants to find the limit
            loss = softmax_cross_entropy(to_float32(scores_of(half, images[rows])), labels[rows])
            (loss * scaler.scale).backward()
        for w, copy in zip(master, half, strict=True):
            w.grad = Variable(copy.grad.data.data.astype(np.float32))
        clean = features.simulate_mixed_precision(optimizer, scaler.scale)
        if clean:
            optimizer.step()
        losses.append(loss.item())
        scales.append(scaler.scale)
        scaler.update(not clean)
    return losses, scales


# %%
def train_in_single(data, steps=90):
    """Train on the same batches in float32; return the losses."""
    network, rng, losses = make_network(), np.random.default_rng(0), []
    optimizer = Adam(network, learning_rate=0.01)
    for _ in range(steps):
        rows = rng.integers(len(data[0]), size=32)
        optimizer.zero_grad()
        loss = loss_of(network, data[0][rows], data[1][rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %%
if __name__ == "__main__":
    losses, scales = train_in_half(all_digits, LossScaler(interval=12))
    skipped = [step for step in range(1, len(scales)) if scales[step] < scales[step - 1]]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3))
    left.semilogy(train_in_single(all_digits), label="float32", linewidth=3, alpha=0.4)
    left.semilogy(losses, label="float16, master float32", linewidth=1)
    left.set(xlabel="step", ylabel="loss of the batch")
    left.legend()
    right.step(range(len(scales)), np.log2(scales), where="post")
    right.plot([s - 1 for s in skipped], np.log2(scales)[[s - 1 for s in skipped]], "rx")
    right.set(xlabel="step (crosses: skipped)", ylabel="log2 of the loss scale")
    plt.show()

# %% [markdown]
# Step by step the losses are nearly those of float32. The scale climbs until a gradient overflows,
# loses one step, and climbs again; with PyTorch's interval of 2,000 that is one step in some
# thousands. With the weights themselves in float16 this training would fail at once: Adam's
# $\epsilon = 10^{-8}$ is 0 in float16, and where a gradient is 0, so is the root: 0/0.
#
# **To think about.** Count the bytes per weight of this training: a float16 copy and its gradient,
# the master copy and its gradient, two moments. What has float16 saved, and where, if not in these?
# And which numbers would you keep in float32 if you could keep only one kind?

# %% [markdown]
# ## 6 Several processes, for real
#
# In the chapter before one process played a rank whose peers agree with it. Now we start the ranks.
# `launch` runs a function in N new processes of this machine, which talk to each other by MPI, the
# library that clusters use for this. Each rank holds a **replica** of the network and takes its
# **share** of each batch; an all-reduce turns the gradients of the shares into the gradient of the
# batch; then all take the same step. Shares may differ in size, so a rank says how many examples
# its gradient is the mean of. Your optimizer travels to the processes with the function.
#
# After each step the ranks compare their weights, bit by bit.

# %%
def train_replicas(ranks, make_optimizer, data, epochs=2, batch_size=32):
    """Train one network on all ranks; return whether they agreed at each step, and its weights."""
    images, labels = data
    network = make_network()
    trainer = parallel.DataParallel(network, ranks, make_optimizer)
    rng, agreed = np.random.default_rng(0), True  # the same order of images on each rank
    for _ in range(epochs):
        order = rng.permutation(len(images))
        for batch in np.split(order, range(batch_size, len(order), batch_size)):
            share = batch[ranks.rank :: ranks.size]
            trainer.zero_grad()
            loss_of(network, images[share], labels[share]).backward()
            trainer.step(examples=len(share))
            agreed &= ranks.agree(w.data.data for w in network)
    return agreed, np.concatenate([w.data.data.ravel() for w in network])


# %%
def momentum_sgd(network):
    """Return the optimizer of the next cells: your SGD."""
    return SGD(network, learning_rate=0.1, momentum=0.9)


if __name__ == "__main__":
    no_ranks = parallel.unavailable()
    print(no_ranks or "Training with 1, 2 and 3 processes:")
    runs = {}
    for n in () if no_ranks else (1, 2, 3):
        runs[n] = parallel.launch(train_replicas, momentum_sgd, digits[:2], ranks=n)
        agreed = all(agreed for agreed, _ in runs[n])
        error = max(np.abs(weights - runs[1][0][1]).max() for _, weights in runs[n])
        print(f"{n}: equal bits at each step {agreed}, largest difference from 1: {error:.1e}")

# %% [markdown]
# The replicas never differ in a single bit: equal numbers, equal operations, equal order. From the
# run of one process they differ by rounding, because the gradients of a batch were added up in
# another order. (While a notebook is graded or validated, and where MPI is not installed, the cell
# says so in a sentence and goes on.)
#
# What does it cost? An all-reduce takes a fixed time to start, the **latency**, and a time that
# grows with the bytes. However it is done, N ranks must send $2 (N - 1)$ arrays between them, so
# the busiest rank sends at least $2 (N - 1) / N$ of one. For an array of $n$ bytes we expect
#
# $$ T(n) = \text{latency} + \frac{2 (N - 1)}{N} \cdot \frac{n}{\text{bandwidth}} $$
#
# We measure it at six sizes, fit the two numbers, and let the model predict the time of a training
# step on two ranks: that of one rank with half the batch, and one all-reduce.

# %%
BATCHES = (16, 32, 64, 128, 256, 512, 1024)


def measure_ranks(ranks, make_optimizer, data):
    """Return the seconds of all-reduces of cost.SIZES, and of training steps of BATCHES."""
    network, steps = make_network(), []
    trainer = parallel.DataParallel(network, ranks, make_optimizer)
    for size in BATCHES:
        share, rounds = slice(ranks.rank, size, ranks.size), []
        for _ in range(20):
            ranks.barrier()
            begin = time.perf_counter()
            trainer.zero_grad()
            loss_of(network, data[0][share], data[1][share]).backward()
            trainer.step(examples=len(data[0][share]))
            rounds.append(max(ranks.gather(time.perf_counter() - begin)))
        steps.append(min(rounds))
    return cost.measure_all_reduce(ranks), steps


# %%
if __name__ == "__main__" and not no_ranks:
    job = (measure_ranks, momentum_sgd, digits[:2])
    one, two = (parallel.launch(*job, ranks=n)[0] for n in (1, 2))
    nbytes = 4 * np.array(cost.SIZES)
    model = cost.CostModel.fit(2, nbytes, two[0])
    print(f"latency {1e6 * model.latency:.0f} µs, bandwidth {model.bandwidth / 1e9:.1f} GB/s")
    predicted = np.array(one[1][:-1]) + model.seconds(4 * 2_410)  # of twice the batch
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2))
    left.loglog(nbytes, 1e6 * np.array(two[0]), "o", label="measured, 2 ranks")
    left.loglog(nbytes, 1e6 * model.seconds(nbytes), label="model")
    left.set(xlabel="bytes", ylabel="µs an all-reduce")
    right.loglog(BATCHES, 1e6 * np.array(one[1]), "o-", label="1 rank")
    right.loglog(BATCHES, 1e6 * np.array(two[1]), "o", label="2 ranks")
    right.loglog(BATCHES[1:], 1e6 * predicted, "k:", label="2 ranks, predicted")
    right.set(xlabel="images in the batch", ylabel="µs a step")
    left.legend()
    right.legend()
    plt.show()

# %% [markdown]
# The dots of two ranks lie on the dotted line if two cores are free. (Ranks that share a core with
# each other, or with something else, wait for it, and all others wait for them.) Compare it with
# the line of one rank. On the left little is gained: most of a small step is calls, graph and the
# update of all weights, which half a batch does not halve, and the all-reduce comes on top. On the
# right the computing is most of it, and two ranks come near to twice as fast. What decides is the
# computing **per rank** between two messages.
#
# **To think about.** With 1,000 ranks the factor $2 (N-1)/N$ is still below 2. Why does the time of
# an all-reduce still grow with the number of ranks? What would change if each of the four tensors
# were sent in a message of its own? And which rank does everyone wait for?

# %% [markdown]
# ## 7 Sharding the state
#
# All N ranks keep the same two moments for every weight: N - 1 copies too many. **ZeRO**, stage 1,
# gives each rank the state of its own N-th of the weights. An all-reduce can be done in two halves,
# and the optimizer goes between them:
#
# 1. reduce-scatter: each rank gets the averaged gradient of its own part;
# 2. it takes the step of that part, with the state it has;
# 3. all-gather: the new weights of all parts go to all ranks.
#
# So nothing more is sent than before, the arithmetic is shared too, and Adam's bytes per weight and
# rank fall from $4 + 4 + 8$ to $4 + 4 + 8/N$. (With mixed precision, and without the float32
# gradient that section 5 keeps, 16 bytes become $4 + 12/N$. Stages 2 and 3 shard gradients and
# weights as well: $2 + 14/N$ and $16/N$.)

# %%
def shard_adam(ranks, adam, data):
    """Take 20 steps, whole and sharded; return whether the weights agree, and bytes of state."""
    weights, state = [], []
    for sharded in (False, True):
        network = make_network()
        kind = parallel.ShardedOptimizer if sharded else parallel.DataParallel
        trainer = kind(network, ranks, adam)
        for step in range(20):
            share = slice(64 * step + ranks.rank, 64 * (step + 1), ranks.size)
            trainer.zero_grad()
            loss_of(network, data[0][share], data[1][share]).backward()
            trainer.step(examples=len(data[1][share]))
        weights.append(np.concatenate([w.data.data.ravel() for w in network]))
        state.append(cost.measure_state(ranks, adam, 1_000_000, sharded))
    return np.array_equal(*weights), state


if __name__ == "__main__" and not no_ranks:
    for n in (2, 3):
        equal, (whole, part) = parallel.launch(shard_adam, FusedAdam, digits[:2], ranks=n)[0]
        print(f"{n} ranks: equal bits {equal}; bytes of state per weight {whole:.2f}, ", end="")
        print(f"sharded {part:.2f} (formula {8 / n:.2f})")

# %% [markdown]
# The steps are the same to the last bit, since the rule works on each element by itself.
#
# The whole training is there as a program too, with checkpoints, and with a rank that dies when it
# is told to: see `python -m tinytorch.parallel train --help`. What runs there with `--ranks 2` runs
# on a cluster with `srun` or `mpiexec` in front.
#
# **To think about.** Clipping by the global norm needs one number from all parts. Where in the
# three steps would you compute it, and what would you send? Which of your other features still work
# when a rank sees only its own part of the gradient?

# %% [markdown]
# ## 8 More than one run
#
# One run, from one start, on one problem, is an anecdote. `tinytorch.profiling` has what a fair
# comparison needs; each of its functions asks for a way to start a fresh training from a seed.
#
# We take three problems. A **bowl** of ten dimensions whose curvatures go from 1 to 300; the valley
# of **Rosenbrock** (1960), $(1 - x)^2 + 100\,(y - x^2)^2$, curved and nearly flat at its bottom;
# and the **digits** in batches of 64. Each has a target: the loss at which we call it solved.

# %%
def start_training(make_optimizer, parameters, loss_of):
    """Return an optimizer, and a function that takes one step and returns the loss before it."""
    optimizer = make_optimizer(parameters)

    def train_step():
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss.item()

    return optimizer, train_step


def start_bowl(make_optimizer, seed):
    """Start somewhere on a bowl of condition 300."""
    w = Variable(np.random.default_rng(seed).normal(size=10))
    curvatures = Variable(np.geomspace(1, 300, 10) / 2, requires_grad=False)
    return start_training(make_optimizer, [w], lambda: (curvatures * w * w).sum())


# %%
def start_rosenbrock(make_optimizer, seed):
    """Start on the far side of the valley, near the usual point."""
    x, y = map(Variable, np.random.default_rng(seed).normal([-1.2, 1.0], 0.2))
    return start_training(make_optimizer, [x, y], lambda: (1 - x) ** 2 + 100 * (y - x * x) ** 2)


def start_digits(make_optimizer, seed):
    """Start with a fresh network and batches of 64 images."""
    images, labels, rng = *all_digits, np.random.default_rng(seed)
    network = make_network(seed)

    def loss_of_batch():
        rows = rng.integers(len(images), size=64)
        return loss_of(network, images[rows], labels[rows])

    return start_training(make_optimizer, network, loss_of_batch)


# %% [markdown]
# Each optimizer gets a rate of its own for each problem. To find one, a **range test** (Smith,
# 2017) raises the rate at every step of a single short run: the loss falls, fastest at the dotted
# line in the figure at the end, reaches a lowest point, and grows. Around there we tried,
# beforehand (no cell here repeats it), fifteen rates for each, evenly spaced on a logarithmic
# scale, and took the one that needed the fewest steps, as a mean of the three seeds. The same
# effort for all: without that, a comparison mostly shows whose rate was chosen better.
#
# Then three runs from three seeds. Batches have lucky losses, so on the digits the mean of five
# losses must reach the target.

# %%
PROBLEMS = {  # how to start; target, over how many losses; rates of SGD, momentum, Adam
    "bowl": (start_bowl, 0.01, 1, (0.0061, 0.0029, 0.2)),
    "Rosenbrock": (start_rosenbrock, 0.1, 1, (0.0029, 0.0029, 1.3)),
    "digits": (start_digits, 0.3, 5, (0.7, 0.25, 0.08)),
}
KINDS = {
    "SGD": lambda rate: lambda parameters: SGD(parameters, rate),
    "momentum": lambda rate: lambda parameters: SGD(parameters, rate, momentum=0.9),
    "Adam": lambda rate: lambda parameters: Adam(parameters, rate),
}


def solve(problem, kind, steps=600):
    """Run one optimizer on one problem from three seeds."""
    start, target, window, rates = PROBLEMS[problem]
    make_optimizer = KINDS[kind](dict(zip(KINDS, rates, strict=True))[kind])
    return profiling.run_seeds(
        lambda seed: start(make_optimizer, seed), range(3), steps,
        target=target, window=window, label=f"{kind} on {problem}",
    )  # fmt: skip


# %%
if __name__ == "__main__":
    solved = {problem: {kind: solve(problem, kind) for kind in KINDS} for problem in PROBLEMS}
    costs = {kind: [] for kind in KINDS}
    print(f"{'steps to the target':22}" + "".join(f"{kind:>18}" for kind in KINDS))
    for problem, (_, target, window, _) in PROBLEMS.items():
        for kind, runs in solved[problem].items():
            costs[kind] += [run.steps_to(target, window) for run in runs]
        rows = (" ".join(f"{steps:5.0f}" for steps in costs[kind][-3:]) for kind in KINDS)
        print(f"{problem:22}" + "".join(f"{row:>18}" for row in rows))
    profile = profiling.performance_profile(costs)
    print("AlgoPerf's score:", {kind: round(profile.score(kind), 2) for kind in profile.ranking()})

# %% [markdown]
# The **performance profile** (Dolan and Moré, 2002) makes one picture of that table: for each
# optimizer, the share of the nine runs that it finishes within a factor of the best. It starts at
# the left with how often an optimizer is the fastest; how far it rises says how often it arrives at
# all. AlgoPerf, a benchmark of training algorithms (Dahl et al., 2023), makes one number of it: the
# mean height over the factors from 1 to 4, which is 1 for one that is always the fastest.
#
# Beside it stands a gauge for a run that is going on: the length of each tensor's update over the
# length of the tensor. A ratio near 1/1000 is a common rule of thumb.

# %%
if __name__ == "__main__":
    figure, panels = plt.subplots(2, 2, figsize=(10, 6.4))
    figure.subplots_adjust(bottom=0.09, top=0.97)
    for kind, highest in {"momentum": 10, "Adam": 1}.items():
        test = profiling.learning_rate_range_test(*start_digits(KINDS[kind](0.1), 0), 1e-4, highest)
        profiling.draw_range_test(test, kind, panels[0, 0])
    profiling.draw_runs(solved["digits"], target=0.3, axes=panels[0, 1])
    profiling.draw_performance_profile(profile, panels[1, 0])
    optimizer, train_step = start_digits(KINDS["Adam"](0.01), seed=0)
    ratios = profiling.update_ratios(optimizer.parameters, train_step, steps=100)
    names = ("weights 1", "biases 1", "weights 2", "biases 2")
    profiling.draw_update_ratios(ratios, names, panels[1, 1])
    for panel in panels.flat:
        panel.legend(fontsize="small")
    plt.show()

# %% [markdown]
# In the upper left panel the optimizers want rates an order of magnitude apart. In the upper right
# one the band is the luck of the start: a difference smaller than the band is none. The lower left
# one ranks these three optimizers on these three problems with these rates; leave one out, and the
# others' scores change. In the lower right one the biases start from zero, so that their first
# steps are large beside them; after 100 steps the weights still change by several thousandths of
# their length at each step, a sign that this rate will have to fall before training ends.

# %% [markdown]
# ## Summary
#
# - A checkpoint holds all that the next step depends on; the test is a resumed run with equal bits.
# - The same arithmetic takes several times as long if its results are new arrays, and again in a
#   dozen passes instead of one; a hundred small arrays cost as many calls as a hundred large ones.
# - float16 saves memory and traffic of activations; the master copy stays in float32, and the loss
#   scale finds its limit by losing a step now and then.
# - More processes help as far as each has enough to compute between two messages. Sharding the
#   state costs no message more, and Adam's 8 bytes become 8/N.
# - One run is an anecdote: compare over problems and seeds, each optimizer at a rate of its own.
#
# Chapter 10 goes on with AdamW. By yourself: send the gradients of the last layer to the other
# ranks while those of the first are still being computed, as PyTorch does.
