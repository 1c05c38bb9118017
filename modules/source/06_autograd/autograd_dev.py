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
# # Autograd: derivatives by bookkeeping
#
# > Variables that remember how they were computed, and the gradients that follow from it.
#
# To train a network we need the derivative of one number, the loss, by each of thousands or
# billions of parameters. This chapter builds the machine that delivers them: it watches a
# computation run forwards, keeps a short note about each step, and then walks the notes backwards.
#
# There is less to it than one expects. A graph of variables (section 3) and a walk through it
# (section 4) make about 50 lines. All that remains is a table of rules, one or two lines for each
# operation.
#
# The chapter is a prerequisite: there is nothing to hand in. Run the cells from top to bottom, and
# change the numbers.

# %% [markdown]
# **Afterwards you can say**
#
# - why derivatives of a loss are computed backwards, and what that costs;
# - how to check any derivative numerically, and how precise such a check can be;
# - what an operation must contribute: a value, and one *pullback* for each input;
# - what becomes of broadcasting in the backward pass;
# - why `backward` adds to `grad`, and when you must reset it.

# %%
#| default_exp core.autograd

# %%
#| export
# ruff: noqa: D105 -- operators and other special methods mean what Python says they mean.
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.core.tensor import Tensor, as_array, as_operand

# %% [markdown]
# ## 1. A judge first
#
# Before we compute derivatives, we want to be able to tell whether they are right. The definition
# of the derivative gives a way that needs no calculus at all: move the input a little to both
# sides, and see how much the output changes.
#
# $$f'(x) \approx \frac{f(x + h) - f(x - h)}{2h}$$
#
# This is the *central difference*. For an array we do the same to one element at a time.

# %%
#| export
def numerical_gradient(
    function: Callable[[np.ndarray], float], x: Any, step: float = 1e-5
) -> np.ndarray:
    """Estimate the gradient of a function by central differences.

    Parameters
    ----------
    function : callable
        From a float64 array of the shape of `x` to a number.
    x : array_like
        Where to take the gradient.
    step : float, default 1e-5
        How far each element is moved to either side.

    Returns
    -------
    numpy.ndarray
        float64, of the shape of `x`. Its relative error is about 1e-10 where the function, its
        argument and its third derivative are of order 1.
    """
    x = np.array(x, dtype=np.float64)
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        center = x[index]
        x[index] = center + step
        above = function(x)
        x[index] = center - step
        below = function(x)
        x[index] = center
        gradient[index] = (above - below) / (2.0 * step)
    return gradient


# %% [markdown]
# For $f(x) = \sum_i x_i^3$ the gradient is $3 x_i^2$:

# %%
if __name__ == "__main__":
    estimate = numerical_gradient(lambda x: np.sum(x**3), [1.0, 2.0, -1.0])
    assert np.allclose(estimate, [3.0, 12.0, 3.0], rtol=1e-9)

# %% [markdown]
# How small should $h$ be? Two errors pull in opposite directions. *Truncation*: the formula ignores
# the third derivative and all later ones, which costs $\frac{h^2}{6} |f'''|$. *Rounding*: both
# function values carry an error of about $\varepsilon |f|$, where $\varepsilon$ is the precision of
# the number format, and the division by $h$ magnifies it to $\varepsilon |f| / h$. The sum is
# smallest near
#
# $$h = \left( 3 \varepsilon \frac{|f|}{|f'''|} \right)^{1/3}, \qquad
# \text{about } 10^{-5} \text{ in float64 and } 10^{-2} \text{ in float32.}$$

# %%
if __name__ == "__main__":
    import matplotlib.pyplot as plt

    steps = np.logspace(-12, -0.5, 200)
    figure, axes = plt.subplots(figsize=(7, 4))
    for dtype, color in ((np.float64, "tab:blue"), (np.float32, "tab:orange")):
        center, h = dtype(1.0), steps[steps > np.finfo(dtype).eps].astype(dtype)
        estimate = (np.exp(center + h) - np.exp(center - h)) / (2 * h)
        axes.loglog(h, np.abs(estimate - np.e), ".", color=color, label=np.dtype(dtype).name)
        axes.loglog(h, np.finfo(dtype).eps * np.e / h, "--", color=color, lw=1)
    axes.loglog(steps, steps**2 / 6 * np.e, "k:", label=r"truncation, $h^2 f'''/6$")
    axes.set(xlabel="step h", ylabel="error", ylim=(1e-13, 10))
    axes.set_title("Central difference of exp at 1; dashed: rounding")
    axes.legend()

# %% [markdown]
# On the right of each valley the formula is too coarse, on the left the arithmetic is. At its best
# the check is right to ten digits in float64, but only to four or five in float32. Derivatives
# are therefore checked in float64, even in a framework that trains in float32. This is one reason
# why our tensors keep the dtype of an array.
#
# Then why not train this way? Because each parameter needs two evaluations of the loss. The
# classifier at the end of this chapter has 2,410 parameters: 4,820 evaluations for one step. The
# backward walk gives all 2,410 derivatives for about the price of two.

# %% [markdown]
# ## 2. The chain rule, from the end
#
# Take a loss made of four elementary steps, at $w = 0.5$, $b = 1$, with the data $x = 2$, $y = 5$:
#
# $$p = w x, \qquad q = p + b, \qquad e = q - y, \qquad L = e^2$$

# %% [markdown]
# Write $\bar v$ for $\partial L / \partial v$, the *gradient* of $v$: how much the loss changes per
# change of $v$. At the very end $\bar L = 1$. From there, each step hands the gradient of its
# result to its inputs, multiplied by its own derivative:
#
# | step | value | gradient handed back |
# |---|---|---|
# | $L = e^2$ | $9$ | $\bar e = 2 e \bar L = -6$ |
# | $e = q - y$ | $-3$ | $\bar q = \bar e = -6$ |
# | $q = p + b$ | $2$ | $\bar p = \bar q = -6, \quad \bar b = \bar q = -6$ |
# | $p = w x$ | $1$ | $\bar w = x \bar p = -12$ |
#
# Read the values from the bottom up, and the gradients from the top down. No step knows about the
# others; each needs its own inputs and one incoming number. The judge agrees:

# %%
if __name__ == "__main__":
    estimate = numerical_gradient(lambda p: (p[0] * 2.0 + p[1] - 5.0) ** 2, [0.5, 1.0])
    assert np.allclose(estimate, [-12.0, -6.0])

# %% [markdown]
# For arrays the statement is the same, in this convention: **the gradient $\bar v$ has the shape of
# $v$**, and each element is the derivative of the final loss by that element of $v$. If
# $y = f(x)$, then
#
# $$\bar x_i = \sum_j \bar y_j \, \frac{\partial y_j}{\partial x_i}$$
#
# The function that takes $\bar y$ to $\bar x$ is called the *pullback* of $f$ at $x$ (also
# "vector-Jacobian product": it multiplies $\bar y$ by the matrix of all derivatives). We never
# build that matrix. For the product of two arrays with a million elements it would have $10^{12}$
# entries, nearly all zero, while the pullback is one elementwise multiplication.
#
# Why backwards? Going forwards one would carry the derivatives of every intermediate value by every
# parameter. Going backwards one carries the derivatives of a single number, the loss. With many
# inputs and one output, backwards is cheaper by the number of inputs.

# %% [markdown]
# ## 3. The graph
#
# A `Variable` holds a tensor, its gradient, and notes about its origin: for each input of the
# operation that made it, the pair *(input, pullback)*. We call such a pair an edge. Variables that
# the user made have no edges; they are the *leaves*, and they are where gradients are kept.
#
# People should be able to write `w * x + b`. Python asks an object for the meaning of its
# operators, and ours passes every question on to a function that we write later.

# %%
#| export
class Operators:
    """Operators and methods of `Variable`: each calls the function of the same meaning."""

    __slots__ = ()
    __array_ufunc__ = None  # `array + variable` asks the variable; np.exp(variable) is an error

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

    def sum(self, axis: Any = None, keepdims: bool = False) -> "Variable":
        """Return the sum over the given axes; over all of them by default."""
        return sum(self, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> "Variable":
        """Return the mean over the given axes; over all of them by default."""
        return mean(self, axis, keepdims)

    def reshape(self, *shape: Any) -> "Variable":
        """Return the same elements in another shape: ``reshape(2, 3)`` or ``reshape((2, 3))``."""
        return reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, axes: Any = None) -> "Variable":
        """Return the array with its axes permuted; reversed by default."""
        return transpose(self, axes)

    @property
    def T(self) -> "Variable":
        """The array with its axes reversed."""
        return transpose(self)


# %% [markdown]
# A NumPy function must *not* look inside a variable as it may into a tensor: `np.exp(variable)`
# would compute the right value and forget where it came from, and the gradient would be wrong
# without a word. The second line of the class makes it an error.
#
# Now the variable itself.

# %%
#| export
class Variable(Operators):
    """A tensor that remembers how it was computed.

    Parameters
    ----------
    data : number, nested list, numpy.ndarray, Tensor or Variable
        Copied into a new `Tensor`. The new variable is a leaf: it has no history.
    requires_grad : bool, default True
        Whether `backward` shall compute a gradient for it.

    Attributes
    ----------
    data : Tensor
        The value. It may be replaced by another `Tensor`, or its array changed in place, but not
        between a computation and its `backward`.
    grad : Variable or None
        What `backward` has added up since it was last None. Only leaves have one.
    requires_grad : bool
        Whether gradients flow to it. For a computed variable: whether they do to an input.
    """

    # With a `__dict__`, so that users may attach what they like to a parameter: a name, a state.
    __slots__ = ("__dict__", "__weakref__", "_edges", "data", "grad", "requires_grad")

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
        """The type of the elements, always floating point."""
        return self.data.dtype

    def item(self) -> float:
        """Return the only element as a Python float."""
        return self.data.item()

    def zero_grad(self) -> None:
        """Forget the gradient: set it to None."""
        self.grad = None

    def backward(self, gradient: Any = None) -> None:
        """Add to the `grad` of every leaf the derivative of this variable by that leaf.

        Parameters
        ----------
        gradient : number, numpy.ndarray, Tensor or Variable, optional
            The gradient of this variable itself, of its shape. Default 1 for a single element.

        Raises
        ------
        ValueError
            If this variable does not require a gradient; if it has several elements and
            `gradient` is missing; if `gradient` has another shape.

        Notes
        -----
        A second call adds the same gradients once more.
        """
        backpropagate(self, initial_gradient(self, gradient))

    def __float__(self) -> float:
        return self.item()

    def __repr__(self) -> str:
        return f"Variable({self.data!r}, requires_grad={self.requires_grad})"


# %% [markdown]
# Leaves are made by `Variable(...)`. Results of operations are made by `record`, which is given the
# value and the edges. It keeps only the edges that a gradient will use: towards a number or a batch
# of images there is nothing to compute and nothing to remember.

# %%
#| export
Edge = tuple[Any, Callable[[Any], Any]]


def record(value: Any, *edges: Edge) -> Variable:
    """Make the variable that holds the result of an operation.

    Parameters
    ----------
    value : numpy.ndarray
        The result, in memory that nobody else uses.
    *edges : tuple of (input, pullback)
        For each input, the function from the gradient of the result to the gradient of that
        input. It must not change its argument, and may return it or a view of it. Edges to inputs
        that require no gradient are dropped.

    Returns
    -------
    Variable
        It requires a gradient if any edge is left.
    """
    variable = Variable.__new__(Variable)
    variable.data = Tensor.adopt(value)
    variable.grad = None
    variable._edges = tuple(
        [edge for edge in edges if isinstance(edge[0], Variable) and edge[0].requires_grad]
    )
    variable.requires_grad = len(variable._edges) > 0
    return variable


# %% [markdown]
# That is enough for a first operation. Its value is $x^2$, and its pullback $\bar y \mapsto 2 x
# \bar y$:

# %%
def square(a: Variable) -> Variable:
    """Return a * a."""
    x = a.data.data
    return record(x * x, (a, lambda g: 2.0 * x * g))


if __name__ == "__main__":
    e = Variable(-3.0)
    loss = square(e)
    ((origin, pullback),) = loss._edges
    assert loss.item() == 9.0
    assert origin is e
    assert pullback(1.0) == -6.0  # the first row of the table in section 2

# %% [markdown]
# The pullback is a closure: it keeps `x` alive for as long as somebody can still ask for the
# gradient. Multiply that by all operations, and you see why training needs so much more memory than
# prediction: every intermediate array waits for its turn in the backward pass.

# %% [markdown]
# ## 4. The walk back
#
# A variable may be used more than once. If $L$ depends on $x$ through $u$ and through $v$, the
# contributions add up:
#
# $$\bar x = \bar u \, \frac{\partial u}{\partial x} + \bar v \, \frac{\partial v}{\partial x}$$
#
# So a variable must not pass its gradient on before *all* its uses have reported. Passing each
# contribution on at once would also give the right sum in the end, but follow every path through
# the graph separately: after 60 doublings `a = a + a` there are $2^{60}$ paths from the end to the
# start, and only 120 edges.
#
# Hence two passes. The first counts how many edges lead to each variable. The second lets a
# variable go on when that many contributions have arrived. Neither is recursive: Python gives up
# after 1,000 nested calls, and a sum over a long sequence is a much deeper graph than that.

# %%
#| export
def count_uses(root: Variable) -> dict[Variable, int]:
    """Count, for each variable that `root` was computed from, the edges that lead to it."""
    uses: dict[Variable, int] = {}
    stack = [root]
    while stack:
        for origin, _ in stack.pop()._edges:
            if origin not in uses:
                uses[origin] = 0
                stack.append(origin)
            uses[origin] += 1
    return uses


def backpropagate(root: Variable, gradient: Any) -> None:
    """Carry the gradient of `root` back to the leaves."""
    missing = count_uses(root)
    gradients = {root: gradient}
    ready = [root]
    while ready:
        variable = ready.pop()
        gradient = gradients.pop(variable)
        if not variable._edges:
            accumulate(variable, gradient)
        for origin, pullback in variable._edges:
            part = pullback(gradient)
            gradients[origin] = gradients[origin] + part if origin in gradients else part
            missing[origin] -= 1
            if missing[origin] == 0:
                ready.append(origin)


# %% [markdown]
# A gradient that has been passed on is dropped at once (`gradients.pop`), so the walk itself holds
# few arrays at a time. The graph stays as it is for as long as its end does: in a training loop,
# until the name `loss` is bound to the next one.
#
# At a leaf the gradient is *added* to what is there. It is stored in a new array each time, of the
# leaf's dtype: pullbacks may return their argument, so the gradients of `a` and `b` in `a + b` may
# be one and the same array up to this point, and from here on must not be.

# %%
#| export
def accumulate(leaf: Variable, gradient: Any) -> None:
    """Add a gradient to `leaf.grad`, which becomes a new variable with memory of its own."""
    if leaf.grad is not None:
        if not isinstance(leaf.grad, Variable):
            raise TypeError(f"grad must be None or a Variable, got {leaf.grad!r}")
        gradient = leaf.grad.data.data + gradient
    leaf.grad = record(np.array(gradient, dtype=leaf.dtype, order="C"))


def initial_gradient(root: Variable, gradient: Any = None) -> np.ndarray:
    """Return the gradient that the walk starts from, as a new array; see `Variable.backward`."""
    if not root.requires_grad:
        raise ValueError(f"backward needs a variable that requires a gradient, got {root!r}")
    if gradient is None:
        if root.size != 1:
            raise ValueError(
                f"gradient must be given for a variable of shape {root.shape}, got None; "
                "or make it one number first, with sum() or mean()"
            )
        return np.ones_like(root.data.data)
    value = gradient.data if isinstance(gradient, Variable) else gradient
    array = as_array(value, dtype=root.dtype)
    if array.shape != root.shape:
        raise ValueError(f"gradient must have shape {root.shape}, got shape {array.shape}")
    return array


# %% [markdown]
# With our single operation we can check the walk already. Squaring twice gives $x^4$, with the
# derivative $4 x^3$; and since gradients are added up, a second call of `backward` doubles what is
# there, until somebody resets it.

# %%
if __name__ == "__main__":
    x = Variable(3.0)
    y = square(square(x))
    y.backward()
    assert x.grad.item() == 4 * 3.0**3

    y.backward()
    assert x.grad.item() == 2 * 4 * 3.0**3

    x.zero_grad()
    assert x.grad is None

# %% [markdown]
# Adding up is what one wants when a loss is computed in several parts. It is also the reason for
# the line `zero_grad()` in every training loop: without it, each step uses the sum of all gradients
# since the beginning.

# %% [markdown]
# ## 5. Operations on two arrays
#
# An operand may be a variable, a tensor, an array, a list or a number. Numbers stay Python floats,
# so that they take the dtype of what they meet. The check for a tensor catches a frequent slip in
# hand-written optimizers: storing a bare array in `parameter.data`.

# %%
#| export
def value_of(operand: Any) -> Any:
    """Return what NumPy should compute with: an array, or a float for a number."""
    if isinstance(operand, Variable):
        tensor = operand.data
        if not isinstance(tensor, Tensor):
            raise TypeError(f"data of a Variable must be a Tensor, got {tensor!r}")
        return tensor.data
    value = as_operand(operand)
    return as_array(operand) if value is NotImplemented else value


def array_of(operand: Any) -> np.ndarray:
    """Return the array of an operand; a number becomes an array of shape ``()``."""
    value = value_of(operand)
    return value if isinstance(value, np.ndarray) else as_array(value)


# %% [markdown]
# ### Undoing a broadcast
#
# In `batch + bias` one bias is added to each of 32 rows. The bias is *used* 32 times, and by the
# rule for repeated use its gradient is the sum of 32 contributions. So the pullback of a broadcast
# is a sum over the repeated axes:
#
# $$y_{ij} = x_{ij} + b_j \quad\Rightarrow\quad \bar x_{ij} = \bar y_{ij}, \qquad
# \bar b_j = \sum_i \bar y_{ij}$$
#
# Repeated axes are those that were missing in front, and those of length 1.

# %%
#| export
def unbroadcast(gradient: Any, shape: tuple[int, ...]) -> Any:
    """Sum a gradient over the axes along which an operand of this shape was repeated."""
    if gradient.shape == shape:
        return gradient
    in_front = gradient.ndim - len(shape)
    stretched = [in_front + axis for axis, length in enumerate(shape) if length == 1]
    return gradient.sum(axis=(*range(in_front), *stretched)).reshape(shape)


# %%
if __name__ == "__main__":
    g = np.arange(6.0).reshape(2, 3)
    assert unbroadcast(g, (3,)).tolist() == [3.0, 5.0, 7.0]
    assert unbroadcast(g, (2, 1)).tolist() == [[3.0], [12.0]]
    assert unbroadcast(g, ()).tolist() == 15.0

# %% [markdown]
# ### Add, subtract, multiply, divide
#
# Now each operation is its value and its pullbacks. With $g = \bar y$:
#
# | $y$ | $\bar a$ | $\bar b$ |
# |---|---|---|
# | $a + b$ | $g$ | $g$ |
# | $a - b$ | $g$ | $-g$ |
# | $a b$ | $g b$ | $g a$ |
# | $a / b$ | $g / b$ | $-g a / b^2$ |

# %%
#| export
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


# %% [markdown]
# The example of section 2, and two graphs that need the counting:

# %%
if __name__ == "__main__":
    w, b = Variable(0.5), Variable(1.0)
    error = w * 2.0 + b - 5.0
    (error * error).backward()
    assert (w.grad.item(), b.grad.item()) == (-12.0, -6.0)

    start = Variable(1.0)
    a = start
    for _ in range(60):
        a = a + a
    a.backward()
    assert start.grad.item() == 2.0**60

    start = Variable(1.0)
    total = start
    for _ in range(10_000):
        total = total + 0.5
    total.backward()
    assert start.grad.item() == 1.0

# %% [markdown]
# And the judge of section 1, in a form that takes any operation. An operation may have many
# outputs, so we follow one fixed combination of them, with weights $\cos 0, \cos 1, \dots$: they
# serve as $\bar y$ for `backward`, and turn the outputs into one number for the estimate.

# %%
def gradient_error(operation: Callable[..., Variable], *arrays: Any) -> float:
    """Return the largest difference between `backward` and central differences."""
    variables = [Variable(np.array(array, dtype=np.float64)) for array in arrays]
    output = operation(*variables)
    weights = np.cos(np.arange(output.size)).reshape(output.shape)
    output.backward(weights)

    def combined(x: np.ndarray, position: int) -> float:
        inputs = [Variable(x) if i == position else v for i, v in enumerate(variables)]
        return float(np.sum(weights * operation(*inputs).data.data))

    errors = [0.0]
    for i, variable in enumerate(variables):
        estimate = numerical_gradient(lambda x, i=i: combined(x, i), variable.data.data)
        errors.append(np.abs(variable.grad.data.data - estimate).max())
    return max(errors)


if __name__ == "__main__":
    matrix, row, column = [[1.0, -2.0, 0.5], [3.0, 1.5, -1.0]], [2.0, -1.0, 0.7], [[1.3], [-0.4]]
    for operation in (add, subtract, multiply, divide):
        assert gradient_error(operation, matrix, row) < 1e-8
        assert gradient_error(operation, column, row) < 1e-8  # both sides are stretched
        assert gradient_error(operation, 3.0, matrix) < 1e-8

# %% [markdown]
# ## 6. Operations on one array
#
# | $y$ | $\bar a$ | |
# |---|---|---|
# | $a^n$ | $g \, n a^{n-1}$ | $n$ a constant |
# | $e^a$ | $g \, y$ | |
# | $\ln a$ | $g / a$ | |
#
# Where the derivative can be written with the result $y$, the pullback keeps $y$, which exists
# anyway. For $n = 0$ the formula would ask for $0 \cdot 0^{-1}$ at zero, which is not a number in
# floating point; the derivative of a constant is 0.

# %%
#| export
def power(a: Any, exponent: float) -> Variable:
    """Return a ** exponent, elementwise; the exponent is a constant number."""
    x, n = array_of(a), value_of(exponent)
    if not isinstance(n, float):
        raise TypeError(f"exponent must be a number, got {exponent!r}")
    return record(x**n, (a, lambda g: g * (n * x ** (n - 1.0 if n else 0.0))))


def exp(a: Any) -> Variable:
    """Return e to the power of a, elementwise."""
    y = np.exp(array_of(a))
    return record(y, (a, lambda g: g * y))


def log(a: Any) -> Variable:
    """Return the natural logarithm, elementwise."""
    x = array_of(a)
    return record(np.log(x), (a, lambda g: g / x))


# %%
if __name__ == "__main__":
    positive = [[0.5, 1.0], [2.0, 3.0]]
    assert gradient_error(exp, positive) < 1e-8
    assert gradient_error(log, positive) < 1e-8
    for exponent in (3, 2, 1, 0, -1, 0.5):
        assert gradient_error(lambda a, n=exponent: a**n, positive) < 1e-8

# %% [markdown]
# ### Activations
#
# | $y$ | $\bar a$ |
# |---|---|
# | $\mathrm{relu}(a) = \max(a, 0)$ | $g$ where $a > 0$, else $0$ |
# | $\tanh a$ | $g (1 - y^2)$ |
# | $\sigma(a) = 1 / (1 + e^{-a})$ | $g \, y (1 - y)$ |
#
# At $a = 0$ `relu` has no derivative; we take 0, as other frameworks do.
#
# The formula for $\sigma$ overflows: in float32, $e^{-a}$ is infinite below $a = -88.7$. For
# negative $a$ one multiplies numerator and denominator by $e^a$. With $t = e^{-|a|}$, which is
# never greater than 1:
#
# $$\sigma(a) = \frac{1}{1 + t} \;\; (a \ge 0), \qquad \sigma(a) = \frac{t}{1 + t} \;\; (a < 0)$$

# %%
#| export
def relu(a: Any) -> Variable:
    """Return a where it is positive and 0 elsewhere."""
    x = array_of(a)
    return record(np.maximum(x, 0.0), (a, lambda g: g * (x > 0.0)))


def tanh(a: Any) -> Variable:
    """Return the hyperbolic tangent, elementwise."""
    y = np.tanh(array_of(a))
    return record(y, (a, lambda g: g * (1.0 - y * y)))


def sigmoid(a: Any) -> Variable:
    """Return 1 / (1 + exp(-a)), elementwise, without overflow."""
    x = array_of(a)
    t = np.exp(-np.abs(x))
    y = np.where(x >= 0.0, 1.0, t) / (1.0 + t)
    return record(y, (a, lambda g: g * (y * (1.0 - y))))


# %%
if __name__ == "__main__":
    for activation in (relu, tanh, sigmoid):
        assert gradient_error(activation, matrix) < 1e-8
    assert sigmoid([-1000.0, 0.0, 1000.0]).data.data.tolist() == [0.0, 0.5, 1.0]

# %% [markdown]
# ## 7. Changing the shape
#
# A sum uses each element once, with factor 1, so every element receives the gradient of its sum:
# **the pullback of a sum is a broadcast**, just as the pullback of a broadcast was a sum. Reshaping
# and transposing move elements around, and their pullbacks move the gradients back.
#
# | $y$ | $\bar a$ |
# |---|---|
# | sum over some axes | $g$, repeated along those axes |
# | mean over $n$ elements | the same, divided by $n$ |
# | reshape | $g$ in the old shape |
# | transpose | $g$ with the axes permuted back |
#
# `sum` takes the name of a builtin, as NumPy's does; import it as `autograd.sum` if you need both.

# %%
#| export
def sum(a: Any, axis: Any = None, keepdims: bool = False) -> Variable:
    """Return the sum over the given axes; over all of them by default."""
    x = array_of(a)

    def pullback(g: Any) -> Any:
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)  # put the summed axes back, with length 1
        return np.broadcast_to(g, x.shape)

    return record(np.sum(x, axis=axis, keepdims=keepdims), (a, pullback))


def mean(a: Any, axis: Any = None, keepdims: bool = False) -> Variable:
    """Return the mean over the given axes; over all of them by default."""
    total = sum(a, axis, keepdims)
    return divide(total, array_of(a).size / max(total.size, 1))


def reshape(a: Any, shape: Any) -> Variable:
    """Return the same elements in another shape."""
    x = array_of(a)
    return record(x.reshape(shape).copy(), (a, lambda g: g.reshape(x.shape)))


def transpose(a: Any, axes: Any = None) -> Variable:
    """Return the array with its axes permuted; reversed by default."""
    x = array_of(a)
    back = None if axes is None else np.argsort([axis % x.ndim for axis in axes])
    return record(x.transpose(axes).copy(), (a, lambda g: g.transpose(back)))


# %% [markdown]
# `reshape` and `transpose` copy, although NumPy would give a view: promise 2 of the tensor chapter
# holds for results, too. `mean` needs no pullback of its own, being made of two operations that
# have one.

# %%
if __name__ == "__main__":
    for axis in (None, 0, 1, -1, (0, 1)):
        assert gradient_error(lambda a, axis=axis: a.sum(axis), matrix) < 1e-8
        assert gradient_error(lambda a, axis=axis: a.mean(axis, keepdims=True), matrix) < 1e-8
    assert gradient_error(lambda a: a.reshape(3, 2), matrix) < 1e-8
    assert gradient_error(lambda a: a.T, matrix) < 1e-8

    x = Variable([[1.0, 2.0], [3.0, 4.0]])
    x.mean(axis=0).backward([1.0, 10.0])
    assert x.grad.data.data.tolist() == [[0.5, 5.0], [0.5, 5.0]]

# %% [markdown]
# ## 8. The matrix product
#
# With $C = A B$, that is $C_{ij} = \sum_k A_{ik} B_{kj}$, the element $A_{ik}$ takes part in all of
# row $i$ of $C$, each time with the factor $B_{kj}$:
#
# $$\bar A_{ik} = \sum_j \bar C_{ij} B_{kj} \;\Rightarrow\; \bar A = \bar C B^T, \qquad
# \bar B_{kj} = \sum_i A_{ik} \bar C_{ij} \;\Rightarrow\; \bar B = A^T \bar C$$
#
# One need not remember where the transposes go: the shapes leave no choice. Two more matrix
# products for one forward: this is where the usual estimate comes from, that a backward pass costs
# twice the forward pass.
#
# NumPy's `@` accepts vectors, too: it treats one on the left as a row, one on the right as a
# column, and drops that axis from the result. The pullbacks put it back first. With more than two
# axes `@` multiplies stacks of matrices, and broadcasts the leading axes.

# %%
#| export
def matmul(a: Any, b: Any) -> Variable:
    """Return the matrix product a @ b, of vectors, matrices or stacks of matrices."""
    x, y = array_of(a), array_of(b)
    try:
        product = x @ y
    except ValueError as error:
        message = f"matmul needs shapes (..., n, k) and (..., k, m), got {x.shape} and {y.shape}"
        raise ValueError(message) from error
    rows = x if x.ndim > 1 else x[np.newaxis, :]
    columns = y if y.ndim > 1 else y[:, np.newaxis]

    def full(g: Any) -> Any:  # with the axes that NumPy drops for vectors
        g = g if y.ndim > 1 else np.expand_dims(g, -1)
        return g if x.ndim > 1 else np.expand_dims(g, -2)

    def pull_left(g: Any) -> Any:
        return unbroadcast(full(g) @ columns.swapaxes(-1, -2), rows.shape).reshape(x.shape)

    def pull_right(g: Any) -> Any:
        return unbroadcast(rows.swapaxes(-1, -2) @ full(g), columns.shape).reshape(y.shape)

    return record(product, (a, pull_left), (b, pull_right))


# %%
if __name__ == "__main__":
    three_by_two, vector = [[1.0, 0.5], [-1.0, 2.0], [0.3, -0.7]], [0.2, -1.1, 0.4]
    assert gradient_error(matmul, matrix, three_by_two) < 1e-8
    assert gradient_error(matmul, matrix, vector) < 1e-8
    assert gradient_error(matmul, vector, three_by_two) < 1e-8
    assert gradient_error(matmul, vector, vector) < 1e-8
    assert gradient_error(matmul, [matrix, matrix], three_by_two) < 1e-8  # a stack of two

# %% [markdown]
# ## 9. A loss for classification
#
# The network gives each class a number, its *logit* $z_k$. Softmax turns the logits into
# probabilities, and the cross-entropy is the negative logarithm of the probability of the right
# class $c$:
#
# $$p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \qquad
# L = -\ln p_c = \ln \sum_j e^{z_j} - z_c, \qquad
# \frac{\partial L}{\partial z_k} = p_k - [k = c]$$
#
# The gradient is as simple as it looks: what the network said, minus what was true. This is one
# reason to make softmax and logarithm a single operation.
#
# The other is precision. $e^{100}$ is infinite in float32, and the logarithm of a probability that
# was rounded to 0 is $-\infty$. But $L$ does not change if the same number is subtracted from all
# logits. Subtracting the largest makes all exponents at most 0 and the sum at least 1, so that
# neither can happen. For a batch we take the mean over the rows.

# %%
#| export
def softmax_cross_entropy(logits: Any, labels: Any) -> Variable:
    """Return the mean cross-entropy between the softmax of each row and the class of that row.

    Parameters
    ----------
    logits : Variable, shape (n, classes)
        Any real numbers.
    labels : integer array_like, shape (n,)
        The right class of each row, from 0 to classes - 1.

    Raises
    ------
    TypeError
        If the labels are not integers.
    ValueError
        If a shape does not fit, or a label is not one of the classes.
    """
    x, classes = array_of(logits), np.asarray(labels)
    check_labels(x.shape, classes)
    rows = np.arange(len(x))
    shifted = x - x.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=1, keepdims=True)
    losses = np.log(sums[:, 0]) - shifted[rows, classes]

    def pullback(g: Any) -> Any:
        gradient = exponentials / sums
        gradient[rows, classes] -= 1.0
        return gradient * (g / len(x))

    return record(losses.mean(), (logits, pullback))


def check_labels(shape: tuple[int, ...], labels: np.ndarray) -> None:
    """Raise an error unless labels fit logits of this shape."""
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"logits must have shape (n, classes), neither of them 0, got {shape}")
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers, got {labels.dtype}")
    if labels.shape != shape[:1]:
        raise ValueError(f"labels must have shape {shape[:1]}, got {labels.shape}")
    if labels.min() < 0 or labels.max() >= shape[1]:
        wrong = labels[(labels < 0) | (labels >= shape[1])][0]
        raise ValueError(f"labels must be in 0..{shape[1] - 1}, got {wrong}")


# %%
if __name__ == "__main__":
    assert gradient_error(lambda z: softmax_cross_entropy(z, [2, 0]), matrix) < 1e-8

    undecided = softmax_cross_entropy(np.zeros((4, 10)), [0, 3, 5, 9])
    assert np.isclose(undecided.item(), np.log(10))  # 2.3026: where untrained networks begin

    extreme = Variable([[1000.0, 0.0, -1000.0]])
    loss = softmax_cross_entropy(extreme, [1])
    loss.backward()
    assert loss.item() == 1000.0
    assert extreme.grad.data.data.tolist() == [[1.0, -1.0, 0.0]]

# %% [markdown]
# ## 10. It trains
#
# The proof is a network that learns. The data are 1,797 images of handwritten digits, 8 by 8
# pixels each. We keep 360 of them aside, to see whether the network has understood anything that it
# was not shown.

# %%
if __name__ == "__main__":
    from tinytorch.datasets import load_digits

    images, labels = load_digits()
    rng = np.random.default_rng(seed=0)
    order = rng.permutation(len(images))
    test, train = order[:360], order[360:]
    assert images.shape == (1797, 64) and images.dtype == np.float32

# %% [markdown]
# Two layers, with 32 hidden units between 64 pixels and 10 classes:
#
# $$h = \mathrm{relu}(x W_1 + b_1), \qquad z = h W_2 + b_2$$
#
# The weights start as random numbers of variance $2 / n$, where $n$ is the number of inputs of a
# unit: this keeps the size of the activations roughly the same from layer to layer (He et al.,
# 2015, for relu).

# %%
def initial_parameters(rng: np.random.Generator) -> list[Variable]:
    """Return W1, b1, W2, b2 of the network, float32."""
    w1 = rng.normal(0.0, np.sqrt(2.0 / 64), size=(64, 32))
    w2 = rng.normal(0.0, np.sqrt(2.0 / 32), size=(32, 10))
    return [Variable(p.astype(np.float32)) for p in (w1, np.zeros(32), w2, np.zeros(10))]


def network(x: np.ndarray, w1: Any, b1: Any, w2: Any, b2: Any) -> Variable:
    """Return the logits of a batch of images."""
    return relu(x @ w1 + b1) @ w2 + b2


if __name__ == "__main__":
    parameters = initial_parameters(rng)
    assert np.sum([p.size for p in parameters]) == 2410

# %% [markdown]
# Before a long run it is good practice to check the gradient of the whole network, on a few
# examples. In float64, all 2,410 derivatives:

# %%
if __name__ == "__main__":
    few, arrays = train[:4], [p.data.data for p in parameters]

    def loss_of(*parameters: Any) -> Variable:
        """Return the loss on the few examples."""
        return softmax_cross_entropy(network(images[few], *parameters), labels[few])

    assert gradient_error(loss_of, *arrays) < 1e-8

# %% [markdown]
# The training loop is the place where optimizers will enter. Here gradient descent is written out
# in its one line, $w \leftarrow w - \eta \, \bar w$ with $\eta = 0.1$. One pass over the training
# data is an *epoch*.

# %%
def accuracy(parameters: list[Variable], x: np.ndarray, y: np.ndarray) -> float:
    """Return the share of images whose largest logit is that of the right class."""
    predictions = network(x, *parameters).data.data.argmax(axis=1)
    return float(np.mean(predictions == y))


if __name__ == "__main__":
    for epoch in range(20):
        for batch in np.array_split(rng.permutation(train), 45):
            loss = softmax_cross_entropy(network(images[batch], *parameters), labels[batch])
            for parameter in parameters:
                parameter.zero_grad()
            loss.backward()
            for parameter in parameters:
                parameter.data.data -= 0.1 * parameter.grad.data.data
        if epoch % 5 == 4:
            score = accuracy(parameters, images[test], labels[test])
            print(f"epoch {epoch + 1:2d}: last loss {loss.item():.3f}, test accuracy {score:.3f}")
    assert score > 0.9

# %% [markdown]
# What does it get wrong? Look, and decide for yourself which of these you would have read.

# %%
if __name__ == "__main__":
    predictions = network(images[test], *parameters).data.data.argmax(axis=1)
    wrong = test[predictions != labels[test]][:8]
    answers = predictions[predictions != labels[test]]
    figure, axes = plt.subplots(1, 8, figsize=(9, 1.8))
    for panel in axes:
        panel.set_axis_off()
    for panel, image, answer in zip(axes, wrong, answers, strict=False):
        panel.imshow(images[image].reshape(8, 8), cmap="gray_r")
        panel.set_title(f"{labels[image]}, read as {answer}", fontsize=8)

# %% [markdown]
# ## 11. What the graph costs
#
# NumPy computes a product of four numbers in a fraction of a microsecond. With a graph, the same
# product makes a variable, a tensor and two pullbacks, and on the way back it is looked up, called
# and counted off. This costs the same for four numbers as for four million. So a chain of a
# thousand small products measures it: per operation, without a graph, with one, and with the way
# back.

# %%
def microseconds(function: Callable[[], Any], parts: int = 1000, repeats: int = 10) -> float:
    """Return the time of one of the parts of a call; the fastest of some repeats."""
    least = float("inf")
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        least = min(least, time.perf_counter() - begin)
    return least / parts * 1e6


def chain(y: Any, factor: Any) -> Any:
    """Return the product of y and a thousand factors."""
    for _ in range(1000):
        y = y * factor
    return y


# %%
if __name__ == "__main__":
    import time

    small = np.ones(4, np.float32)
    leaf, constant = Variable(small), Variable(small, requires_grad=False)
    array_cost = microseconds(lambda: chain(small, small))
    forward_cost = microseconds(lambda: chain(leaf, constant))
    total_cost = microseconds(lambda: chain(leaf, constant).backward(small))
    print(f"NumPy {array_cost:.2f} µs, forward {forward_cost:.2f} µs, and back {total_cost:.2f} µs")

# %% [markdown]
# The difference between the first number and the last is the overhead of the graph: about 3 µs per
# operation where `make bench` was run (22 November 2026, `benchmarks/results/steps.md`). A training
# step of the network above records seven operations and takes about 100 µs there, against 40 µs for
# NumPy code that was written by hand for this one network; the rest goes into the optimizer and the
# checks of labels and shapes. PyTorch, which does the same per operation in more layers of code,
# takes 270 µs. With layers a hundred times as wide nobody would notice the difference.

# %% [markdown]
# ## Summary
#
# - The gradient of a variable has its shape. Each operation contributes a pullback per input, from
#   the gradient of its result to the gradient of the input.
# - `backward` visits each variable once, after all its uses have reported, and adds the results to
#   `grad` of the leaves. Reset `grad` between steps.
# - A broadcast and a sum are each other's pullback.
# - Central differences tell whether a pullback is right. Ask them, in float64, whenever you write
#   one.

# %% [markdown]
# **Rules for users of this module.** Change the data of a parameter between steps, not between a
# computation and its `backward`: pullbacks read the arrays they have kept. Each gradient is a
# variable with memory of its own, and is never changed after it was made, only replaced. For a
# parameter `w`, the array is `w.data.data` and its gradient `w.grad.data.data`. To use a result as
# a constant, cut it off with `Variable(result, requires_grad=False)`.

# %% [markdown]
# **Where PyTorch differs.** It frees the arrays kept for the backward pass as soon as they were
# used, so that a second `backward` through the same graph is an error unless one asks for
# `retain_graph=True`. It counts changes of each tensor and refuses to go backwards through a value
# that was overwritten. It can differentiate the backward pass again. And it adds new gradients into
# the existing `grad` in place.
