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
# # Autograd
#
# First working version; the text follows.

# %%
#| default_exp core.autograd

# %%
#| export
# ruff: noqa: D105 -- operators and other special methods mean what Python says they mean.
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.core.tensor import Tensor, as_array, as_operand


# %%
#| export
class Operators:
    """The operators of `Variable`: each calls the function of the same meaning."""

    __slots__ = ()
    __array_ufunc__ = None  # array + variable asks the variable; np.exp(variable) is an error

    def __add__(self, other: Any) -> "Variable":
        return add(self, other)

    def __radd__(self, other: Any) -> "Variable":
        return add(other, self)

    def __sub__(self, other: Any) -> "Variable":
        return subtract(self, other)

    def __rsub__(self, other: Any) -> "Variable":
        return subtract(other, self)

    def __mul__(self, other: Any) -> "Variable":
        return multiply(self, other)

    def __rmul__(self, other: Any) -> "Variable":
        return multiply(other, self)

    def __truediv__(self, other: Any) -> "Variable":
        return divide(self, other)

    def __rtruediv__(self, other: Any) -> "Variable":
        return divide(other, self)

    def __matmul__(self, other: Any) -> "Variable":
        return matmul(self, other)

    def __rmatmul__(self, other: Any) -> "Variable":
        return matmul(other, self)

    def __pow__(self, exponent: float) -> "Variable":
        return power(self, exponent)

    def __neg__(self) -> "Variable":
        return multiply(self, -1.0)


# %%
#| export
class Variable(Operators):
    """A tensor that remembers how it was computed.

    Parameters
    ----------
    data : number, nested list, numpy.ndarray, Tensor or Variable
        Copied into a new Tensor.
    requires_grad : bool, default True
        Whether `backward` computes a gradient for it.

    Attributes
    ----------
    data : Tensor
        The value.
    grad : Variable or None
        The gradient that `backward` has accumulated; None before, and for computed variables.
    requires_grad : bool
        Whether gradients flow to it.
    """

    __slots__ = ("data", "grad", "requires_grad", "_edges", "__dict__", "__weakref__")

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        self.data: Tensor = Tensor(data.data if isinstance(data, Variable) else data)
        self.grad: Variable | None = None
        self.requires_grad = bool(requires_grad)
        self._edges: tuple[Edge, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis; ``()`` for a single number."""
        return self.data.shape

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.data.size

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.data.ndim

    @property
    def dtype(self) -> np.dtype:
        """The type of the elements."""
        return self.data.dtype

    def item(self) -> float:
        """Return the only element as a Python float."""
        return self.data.item()

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.grad = None

    def backward(self, gradient: Any = None) -> None:
        """Add the derivative of this variable to the `grad` of every leaf it depends on.

        Parameters
        ----------
        gradient : number, numpy.ndarray, Tensor or Variable, optional
            The derivative of some final scalar by this variable, of the same shape. Default 1,
            where this variable has one element.

        Raises
        ------
        ValueError
            If this variable does not require a gradient, if it has several elements and
            `gradient` is missing, or if `gradient` has another shape.
        """
        if not self.requires_grad:
            raise ValueError(f"backward needs a variable that requires a gradient, got {self!r}")
        if gradient is None:
            if self.size != 1:
                raise ValueError(
                    f"gradient must be given for a variable of shape {self.shape}, got None; "
                    "or reduce it to one number first, with sum() or mean()"
                )
            seed = np.ones_like(self.data.data)
        else:
            value = gradient.data if isinstance(gradient, Variable) else gradient
            seed = as_array(value, dtype=self.dtype)
            if seed.shape != self.shape:
                raise ValueError(f"gradient must have shape {self.shape}, got shape {seed.shape}")
        backpropagate(self, seed)

    def sum(self, axis: Any = None, keepdims: bool = False) -> "Variable":
        """Return the sum over the given axes, all by default."""
        return sum(self, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> "Variable":
        """Return the mean over the given axes, all by default."""
        return mean(self, axis, keepdims)

    def reshape(self, *shape: Any) -> "Variable":
        """Return the same elements in another shape."""
        return reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, axes: Any = None) -> "Variable":
        """Return the array with its axes permuted, reversed by default."""
        return transpose(self, axes)

    @property
    def T(self) -> "Variable":
        """The array with its axes reversed."""
        return transpose(self)

    def __float__(self) -> float:
        return self.item()

    def __repr__(self) -> str:
        return f"Variable({self.data!r}, requires_grad={self.requires_grad})"


# %%
#| export
Edge = tuple[Any, Callable[[Any], Any]]


def record(value: Any, *edges: Edge) -> Variable:
    """Make the variable that holds a computed value.

    Parameters
    ----------
    value : numpy.ndarray
        The result, in memory that nobody else uses.
    *edges : tuple of (input, pullback)
        For each input of the operation, the function from the gradient by the result to the gradient
        by this input. Edges to inputs that need no gradient are dropped.
    """
    variable = Variable.__new__(Variable)
    variable.data = Tensor.adopt(value)
    variable.grad = None
    variable._edges = tuple(
        [edge for edge in edges if isinstance(edge[0], Variable) and edge[0].requires_grad]
    )
    variable.requires_grad = len(variable._edges) > 0
    return variable


def count_uses(root: Variable) -> dict[Variable, int]:
    """Count, for each variable behind `root`, the edges that lead to it."""
    uses: dict[Variable, int] = {}
    stack = [root]
    while stack:
        for parent, _ in stack.pop()._edges:
            if parent not in uses:
                uses[parent] = 0
                stack.append(parent)
            uses[parent] += 1
    return uses


def backpropagate(root: Variable, gradient: np.ndarray) -> None:
    """Send a gradient from `root` to the leaves."""
    waiting = count_uses(root)
    gradients = {root: gradient}
    ready = [root]
    while ready:
        variable = ready.pop()
        gradient = gradients.pop(variable)
        if not variable._edges:
            accumulate(variable, gradient)
        for parent, pullback in variable._edges:
            share = pullback(gradient)
            gradients[parent] = gradients[parent] + share if parent in gradients else share
            waiting[parent] -= 1
            if waiting[parent] == 0:
                ready.append(parent)


def accumulate(leaf: Variable, gradient: np.ndarray) -> None:
    """Add a gradient to `leaf.grad`, in a new variable of the leaf's dtype."""
    if leaf.grad is not None:
        gradient = leaf.grad.data.data + gradient
    leaf.grad = record(np.array(gradient, dtype=leaf.dtype))


# %%
#| export
def value_of(operand: Any) -> Any:
    """Return the array of an operand, or a Python float."""
    if isinstance(operand, Variable):
        tensor = operand.data
        if not isinstance(tensor, Tensor):
            raise TypeError(f"data of a Variable must be a Tensor, got {tensor!r}; use Tensor(...)")
        return tensor.data
    value = as_operand(operand)
    return as_array(operand) if value is NotImplemented else value


def array_of(operand: Any) -> np.ndarray:
    """Return the array of an operand; numbers become 0-d arrays."""
    value = value_of(operand)
    return value if isinstance(value, np.ndarray) else as_array(value)


def unbroadcast(gradient: Any, shape: tuple[int, ...]) -> Any:
    """Sum a gradient over the axes along which an operand of this shape was repeated."""
    if gradient.shape == shape:
        return gradient
    extra = gradient.ndim - len(shape)
    repeated = [extra + axis for axis, length in enumerate(shape) if length == 1]
    return gradient.sum(axis=(*range(extra), *repeated)).reshape(shape)


def add(a: Any, b: Any) -> Variable:
    """Return a + b, elementwise."""
    x, y = value_of(a), value_of(b)
    return record(
        x + y,
        (a, lambda g: unbroadcast(g, x.shape)),
        (b, lambda g: unbroadcast(g, y.shape)),
    )


def subtract(a: Any, b: Any) -> Variable:
    """Return a - b, elementwise."""
    x, y = value_of(a), value_of(b)
    return record(
        x - y,
        (a, lambda g: unbroadcast(g, x.shape)),
        (b, lambda g: unbroadcast(-g, y.shape)),
    )


def multiply(a: Any, b: Any) -> Variable:
    """Return a * b, elementwise."""
    x, y = value_of(a), value_of(b)
    return record(
        x * y,
        (a, lambda g: unbroadcast(g * y, x.shape)),
        (b, lambda g: unbroadcast(g * x, y.shape)),
    )


def divide(a: Any, b: Any) -> Variable:
    """Return a / b, elementwise."""
    x, y = value_of(a), value_of(b)
    return record(
        x / y,
        (a, lambda g: unbroadcast(g / y, x.shape)),
        (b, lambda g: unbroadcast(-g * x / (y * y), y.shape)),
    )


def power(a: Any, exponent: float) -> Variable:
    """Return a ** exponent, elementwise, for a constant exponent."""
    x, n = array_of(a), value_of(exponent)
    if not isinstance(n, float):
        raise TypeError(f"exponent must be a number, got {exponent!r}")
    # For n = 0 the slope is 0, also where 0 ** -1 would be infinite.
    return record(x**n, (a, lambda g: g * (n * x ** (n - 1.0 if n else 0.0))))


def exp(a: Any) -> Variable:
    """Return the exponential, elementwise."""
    y = np.exp(array_of(a))
    return record(y, (a, lambda g: g * y))


def log(a: Any) -> Variable:
    """Return the natural logarithm, elementwise."""
    x = array_of(a)
    return record(np.log(x), (a, lambda g: g / x))


def relu(a: Any) -> Variable:
    """Return max(a, 0), elementwise."""
    x = array_of(a)
    return record(np.maximum(x, 0.0), (a, lambda g: g * (x > 0.0)))


def tanh(a: Any) -> Variable:
    """Return the hyperbolic tangent, elementwise."""
    y = np.tanh(array_of(a))
    return record(y, (a, lambda g: g * (1.0 - y * y)))


def sigmoid(a: Any) -> Variable:
    """Return 1 / (1 + exp(-a)), elementwise, without overflow."""
    x = array_of(a)
    e = np.exp(-np.abs(x))
    y = np.where(x >= 0.0, 1.0, e) / (1.0 + e)
    return record(y, (a, lambda g: g * (y * (1.0 - y))))


def matmul(a: Any, b: Any) -> Variable:
    """Return the matrix product a @ b."""
    x, y = array_of(a), array_of(b)
    left = x if x.ndim > 1 else x[np.newaxis, :]
    right = y if y.ndim > 1 else y[:, np.newaxis]

    def full(g: Any) -> Any:
        if y.ndim == 1:
            g = np.expand_dims(g, -1)
        return np.expand_dims(g, -2) if x.ndim == 1 else g

    return record(
        x @ y,
        (a, lambda g: unbroadcast(full(g) @ right.swapaxes(-1, -2), left.shape).reshape(x.shape)),
        (b, lambda g: unbroadcast(left.swapaxes(-1, -2) @ full(g), right.shape).reshape(y.shape)),
    )


def reshape(a: Any, shape: Any) -> Variable:
    """Return the same elements in another shape."""
    x = array_of(a)
    return record(x.reshape(shape).copy(), (a, lambda g: g.reshape(x.shape)))


def transpose(a: Any, axes: Any = None) -> Variable:
    """Return the array with its axes permuted, reversed by default."""
    x = array_of(a)
    order = tuple(range(x.ndim))[::-1] if axes is None else tuple(axis % x.ndim for axis in axes)
    return record(x.transpose(order).copy(), (a, lambda g: g.transpose(np.argsort(order))))


def sum(a: Any, axis: Any = None, keepdims: bool = False) -> Variable:
    """Return the sum over the given axes, all by default."""
    x = array_of(a)
    kept = np.sum(x, axis=axis, keepdims=True)
    value = kept if keepdims else np.sum(x, axis=axis)
    return record(value, (a, lambda g: np.broadcast_to(g.reshape(kept.shape), x.shape)))


def mean(a: Any, axis: Any = None, keepdims: bool = False) -> Variable:
    """Return the mean over the given axes, all by default."""
    total = sum(a, axis, keepdims)
    return divide(total, array_of(a).size / total.size)


def softmax_cross_entropy(logits: Any, labels: Any) -> Variable:
    """Return the mean cross-entropy between the softmax of each row and its class label."""
    x, labels = array_of(logits), np.asarray(labels)
    rows = np.arange(len(x))
    shifted = x - x.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))

    def pullback(g: Any) -> Any:
        p = np.exp(log_p)
        p[rows, labels] -= 1.0
        return g * p / len(x)

    return record(-log_p[rows, labels].mean(), (logits, pullback))
