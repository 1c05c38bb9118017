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
# # Tensor: an array with fixed rules
#
# > The array that everything else is built on.
#
# Everything in this framework stands on one small class. A `Tensor` holds a NumPy array and makes
# four promises that all later code relies on:
#
# 1. its numbers are floating point;
# 2. its memory is its own;
# 3. arithmetic with it gives another tensor;
# 4. a single number is an array like any other, with shape `()`.
#
# This chapter shows the problem behind each promise, keeps the promise in a few lines, and checks
# it. It is a prerequisite: there is nothing to hand in. Run the cells from top to bottom, and
# change the numbers.

# %% [markdown]
# **Afterwards you can say**
#
# - what shape and dtype a tensor has, whatever it was made from;
# - when two arrays share memory, and why two parameters must not;
# - why `np.float64(0.1) * w` leaves float32 weights float32 here, but not in NumPy;
# - which method Python calls when a NumPy array stands to the left of a tensor.

# %%
#| default_exp core.tensor

# %%
#| export
# ruff: noqa: D105 -- operators and other special methods mean what Python says they mean.
import reprlib
from collections.abc import Iterator
from typing import Any, Self

import numpy as np

# %% [markdown]
# ## 1. What may go in
#
# People hand us numbers, lists, arrays, and sometimes mistakes. NumPy accepts all of them: it makes
# an array of objects from `[1, None]`, an array of characters from `"0.1"`, and the program fails
# later, in a place that has nothing to do with the mistake. So one function decides what counts as
# data, and every tensor is made by it.
#
# | given | becomes |
# |---|---|
# | number, nested list or tuple | float32 |
# | NumPy array or scalar, floating point | keeps its dtype |
# | NumPy array or scalar, integer or bool | float32 |
# | tensor | copied, keeps its dtype |
# | anything else | an error that shows what was given |

# %% [markdown]
# Numbers typed by hand become float32 because networks are trained in it: half the memory of
# float64, and twice as many numbers in each vector instruction. A floating-point array has the
# precision that somebody chose, for a numerical check for example, so it is kept. Integers become
# float32 because a derivative needs a continuum. (Class labels are not data in this sense: they
# stay plain integer arrays.)

# %%
#| export
def as_array(data: Any, dtype: Any = None) -> np.ndarray:
    """Copy data into a new floating-point array.

    Parameters
    ----------
    data : number, nested list, numpy.ndarray or Tensor
        Numbers, lists and integer arrays become float32; floating-point arrays keep their dtype.
    dtype : floating-point dtype, optional
        The dtype of the result, instead of these rules.

    Returns
    -------
    numpy.ndarray
        C-contiguous and writable; shares no memory with `data`.

    Raises
    ------
    TypeError
        If `data` does not consist of real numbers, or `dtype` is not floating point.
    ValueError
        If the lists in `data` are nested unevenly.
    """
    if dtype is not None and np.dtype(dtype).kind != "f":
        raise TypeError(f"dtype must be floating point, got {dtype!r}")
    if isinstance(data, (int, float)) and not isinstance(data, np.generic):
        return np.array(data, dtype=dtype or np.float32)
    try:
        array = np.asarray(data)
    except ValueError as error:
        message = f"data must be an evenly nested list, got {reprlib.repr(data)}"
        raise ValueError(message) from error
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"data must be real numbers (a number, a list or an array), got {reprlib.repr(data)}"
        )
    if dtype is None:
        keeps_dtype = hasattr(data, "dtype") and array.dtype.kind == "f"
        dtype = array.dtype if keeps_dtype else np.float32
    return array.astype(dtype, order="C", copy=True)


# %% [markdown]
# The table, in code:

# %%
if __name__ == "__main__":
    assert as_array([1, 2.5]).dtype == np.float32
    assert as_array(np.array([1, 2])).dtype == np.float32
    assert as_array(np.array([1.0, 2.0])).dtype == np.float64
    assert as_array(np.array([1.0, 2.0]), dtype=np.float32).dtype == np.float32

# %% [markdown]
# How much does float32 keep? A number between 1 and 2 is stored to 23 binary places, so neighbours
# are $2^{-23} \approx 1.2 \cdot 10^{-7}$ apart: about seven decimal digits. A change of less than
# half that distance is lost completely, which is one way for training to stop without any message.

# %%
if __name__ == "__main__":
    one = as_array(1)
    assert one + np.float32(2**-23) == 1.0000001192092896
    assert one + np.float32(2**-25) == 1.0  # the update is lost

# %% [markdown]
# ## 2. Memory of its own
#
# The shortest class that would do keeps what it is given. It has two faults, and both appear in the
# middle of a training loop.

# %%
if __name__ == "__main__":

    class Naive:
        """Keep what is given."""

        def __init__(self, data):
            self.data = np.asarray(data)

    start = np.array([1.0, 2.0])
    first, second = Naive(start), Naive(start)
    first.data -= 1.0
    assert second.data.tolist() == [0.0, 1.0]  # changed, although nobody touched it
    assert start.tolist() == [0.0, 1.0]  # and so was the caller's array

    total = Naive(0.1).data + Naive(0.2).data
    assert not isinstance(total, np.ndarray)  # a NumPy scalar: it cannot be updated in place

# %% [markdown]
# The first fault is *aliasing*: two names for one piece of memory. An optimizer writes into the
# weights, so two parameters made from one array would move together, and would drag along the array
# they came from. Our class copies what it is given, when it is made and when `.data` is assigned.
#
# The second is a habit of NumPy: a 0-dimensional result turns into a scalar, which looks like an
# array until somebody tries to write into it. Our class turns it back, so `.data` is an `ndarray`
# always.
#
# A copy costs time. Code that has just computed an array, and will never look at it again, can hand
# it over with `adopt`: ownership moves, nothing is copied.

# %%
#| export
class Storage:
    """A floating-point array that shares its memory with nobody: the first layer of `Tensor`.

    Parameters
    ----------
    data : number, nested list, numpy.ndarray or Tensor
        Copied, by the rules of `as_array`.
    dtype : floating-point dtype, optional
        The dtype to have instead.
    """

    __slots__ = ("__weakref__", "_data")

    def __init__(self, data: Any, dtype: Any = None) -> None:
        self._data = as_array(data, dtype)

    @classmethod
    def adopt(cls, array: Any) -> Self:
        """Take over an array that nobody else will use, without copying it."""
        self = cls.__new__(cls)
        if isinstance(array, np.floating):  # what NumPy gives in the place of an array of shape ()
            array = np.asarray(array)
        owned = type(array) is np.ndarray and array.dtype.kind == "f"
        self._data = array if owned else as_array(array)
        return self

    @property
    def data(self) -> np.ndarray:
        """The array, writable. What is assigned is copied, by the same rules as at the start."""
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        if value is not self._data:  # `t.data -= x` assigns the array that is already there
            self._data = as_array(value)


# %% [markdown]
# The comment in the setter is worth a second look. Python runs `t.data -= x` in three steps: fetch
# `t.data`, let the array subtract in place, assign the result back to `t.data`. The last step hands
# over the very array that is there already, and copying it would waste the saving of working in
# place.

# %%
if __name__ == "__main__":
    start = np.array([1.0, 2.0])
    first, second = Storage(start), Storage(start)
    first.data -= 1.0
    assert second.data.tolist() == [1.0, 2.0]
    assert start.tolist() == [1.0, 2.0]

    before = first.data
    first.data -= 1.0
    assert first.data is before  # in place: still the same array

    total = Storage.adopt(Storage(0.1).data + Storage(0.2).data)
    assert isinstance(total.data, np.ndarray)
    assert total.data.shape == ()

# %% [markdown]
# ## 3. Arithmetic
#
# To compute `a - b`, Python calls `a.__sub__(b)`; if that answers `NotImplemented`, it calls
# `b.__rsub__(a)`. A class that accepts numbers and arrays on either side needs both methods, for
# each operator. First, what may stand on the other side:

# %%
#| export
def as_operand(value: Any) -> Any:
    """Return what NumPy should compute with for an operand, or NotImplemented.

    Tensors and arrays give floating-point arrays, without a copy where there is one already.
    Numbers, of Python or of NumPy, give Python floats: these take the dtype of what they meet.
    """
    if isinstance(value, Storage):
        return value.data
    if isinstance(value, (int, float, np.integer, np.floating, np.bool_)):
        return float(value)
    if isinstance(value, np.ndarray):
        return value if value.dtype.kind == "f" else as_array(value)
    return NotImplemented


# %% [markdown]
# Between arrays the wider dtype wins, as in NumPy: float32 with float64 gives float64. For single
# numbers that rule is a trap. `np.cos(x)` and `losses.mean()` return scalars of type `np.float64`;
# NumPy takes them for float64 data, and a learning rate computed that way turns every weight it
# touches into float64. Here a number is a number, whatever its type: only arrays and tensors have a
# dtype that counts.
#
# The two methods of an operator differ in the order of the operands only, so one function makes
# both from the NumPy function that does the work.

# %%
#| export
def operator_pair(function: Any) -> tuple[Any, Any]:
    """Return the methods behind `tensor OP other` and `other OP tensor`."""

    def method(self: "Arithmetic", other: Any) -> Any:
        operand = as_operand(other)
        return operand if operand is NotImplemented else self.adopt(function(self.data, operand))

    def reflected(self: "Arithmetic", other: Any) -> Any:
        operand = as_operand(other)
        return operand if operand is NotImplemented else self.adopt(function(operand, self.data))

    return method, reflected


class Arithmetic(Storage):
    """The operators: the second layer of `Tensor`."""

    __slots__ = ()
    __array_priority__ = 1000  # `array + tensor`: the array leaves it to the tensor

    __add__, __radd__ = operator_pair(np.add)
    __sub__, __rsub__ = operator_pair(np.subtract)
    __mul__, __rmul__ = operator_pair(np.multiply)
    __truediv__, __rtruediv__ = operator_pair(np.divide)
    __pow__, __rpow__ = operator_pair(np.power)
    __matmul__, __rmatmul__ = operator_pair(np.matmul)

    def __neg__(self) -> Self:
        return self.adopt(-self._data)


# %% [markdown]
# One case needs the line with `__array_priority__`. In `array - tensor` the array is asked first,
# and NumPy would make what it can of the operand and answer with an array. If the operand's
# priority is above 0, the array's own, NumPy answers `NotImplemented`, and the tensor is asked.

# %%
if __name__ == "__main__":
    w = Arithmetic([1.0, 2.0])

    assert (2 * w - 1).data.tolist() == [1.0, 3.0]
    assert isinstance(np.array([10.0, 20.0]) - w, Arithmetic)  # the array stood on the left

    assert (np.float64(0.1) * w.data).dtype == np.float64  # NumPy: the scalar wins
    assert (np.float64(0.1) * w).data.dtype == np.float32  # tensor: it does not
    assert (np.array([0.1, 0.2]) * w).data.dtype == np.float64  # a float64 array still does

# %% [markdown]
# ### Broadcasting
#
# Operands of different shapes are lined up at their *last* axis. Two lengths go together if they
# are equal or if one of them is 1; that one is repeated, and so are axes that are missing in front:
#
# $$(32, 10) \text{ with } (10,) \to (32, 10) \qquad (3, 1) \text{ with } (3,) \to (3, 3)$$
#
# The first example is how a layer adds one bias per unit to a whole batch. The second is how a
# mistake stays unseen: a column of 3 predictions minus a row of 3 targets is a 3 by 3 matrix, its
# mean square is a number, and nothing complains. Remember it when a loss refuses to go down.

# %%
if __name__ == "__main__":
    batch, bias = Arithmetic(np.ones((32, 10))), Arithmetic(np.arange(10.0))
    assert (batch + bias).data.shape == (32, 10)

    predictions, targets = Arithmetic([[1.0], [2.0], [3.0]]), Arithmetic([1.0, 2.0, 3.0])
    difference = predictions - targets
    assert difference.data.shape == (3, 3)  # meant was (3,), and all zeros
    assert (difference**2).data.mean() == 4 / 3

# %% [markdown]
# ## 4. The face it shows
#
# The last layer describes the tensor and lets NumPy and Python look inside. `__array__` is what
# `np.asarray`, `np.exp` or `plt.plot` call when they are given something that is not an array; the
# `copy` argument is part of the protocol since NumPy 2. So functions of NumPy see the array and
# return an array, whereas operators return tensors.

# %%
#| export
class Tensor(Arithmetic):
    """A floating-point array that owns its memory.

    Parameters
    ----------
    data : number, nested list, numpy.ndarray or Tensor
        Copied. Numbers, lists and integer arrays become float32; floating-point arrays keep
        their dtype.
    dtype : floating-point dtype, optional
        The dtype to have instead.

    Raises
    ------
    TypeError
        If `data` does not consist of real numbers, or `dtype` is not floating point.
    ValueError
        If the lists in `data` are nested unevenly.

    Notes
    -----
    Operators take tensors, arrays and numbers on either side, broadcast as NumPy does, and give a
    new tensor. Numbers take the tensor's dtype, ``numpy.float64`` scalars included.
    """

    __slots__ = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis; ``()`` for a single number."""
        return self._data.shape

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._data.size

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._data.ndim

    @property
    def dtype(self) -> np.dtype:
        """The type of the elements, always floating point."""
        return self._data.dtype

    def item(self) -> float:
        """Return the only element as a Python float."""
        if self._data.size != 1:
            raise ValueError(f"item() needs a tensor of one element, got shape {self.shape}")
        return float(self._data.item())

    def __float__(self) -> float:
        return self.item()

    def __bool__(self) -> bool:
        return bool(self._data)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._data, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: Any) -> "Tensor":
        return Tensor(self._data[index])

    def __iter__(self) -> Iterator["Tensor"]:
        return (Tensor(row) for row in self._data)

    def __repr__(self) -> str:
        body = np.array2string(self._data, separator=", ", prefix="Tensor(")
        return f"Tensor({body}{'' if self.dtype == np.float32 else f', dtype={self.dtype}'})"


# %%
if __name__ == "__main__":
    scalar = Tensor(0.1)
    assert scalar.shape == () and scalar.ndim == 0 and scalar.size == 1
    assert Tensor([0.1]).shape == (1,)  # a list of one number is something else

    matrix = Tensor([[1, 2], [3, 4]])
    assert (matrix @ Tensor([1, 1])).data.tolist() == [3.0, 7.0]
    assert np.sqrt(matrix).tolist()[1][1] == 2.0
    assert repr(matrix[1]) == "Tensor([3., 4.])"
    assert repr(matrix / np.ones(2)).endswith("dtype=float64)")

# %% [markdown]
# And the mistakes of section 1 are reported where they happen, with the value that caused them:

# %%
if __name__ == "__main__":
    for mistake in ("0.1", None, [1.0, None], [[1], [1, 2]], 1 + 2j, {"w": 1}):
        try:
            Tensor(mistake)
        except (TypeError, ValueError) as error:
            print(f"{type(error).__name__}: {error}")

# %% [markdown]
# ## Summary
#
# | promise | kept by |
# |---|---|
# | floating point | `as_array`, through which all data goes |
# | own memory | copying in `Tensor(...)` and `.data = ...`; `adopt` for arrays nobody else holds |
# | tensors give tensors | `operator_pair`, `__array_priority__` |
# | numbers are arrays of shape `()` | `adopt`, which turns NumPy's scalars back |

# %% [markdown]
# What a tensor does *not* do is as useful to know. It does not track how it was computed: that is
# the work of `Variable`, in the next chapter, which holds a tensor in its `data`. For a parameter
# `w`, then, `w.data` is a tensor, and `w.data.data` the array that an optimizer updates. And the
# promise of own memory ends at `.data`: whoever asks for the array gets the array, not a copy, and
# may write into it. Optimizers depend on that.
#
# Tensors of production frameworks differ in one point that surprises people who come from here: a
# slice or a transposed view of a PyTorch tensor *shares* memory with it, as in NumPy. That saves
# copies, and it is why those frameworks must keep track of who changed what.
