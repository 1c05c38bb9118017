"""Shapes drawn by hypothesis, and arrays to fill them, for the tests of the core."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinytorch.core.autograd import Variable
from tinytorch.core.tensor import Tensor

# The same examples in every run: a failure in CI can be repeated, and is never a flake.
examples = settings(deadline=None, max_examples=60, derandomize=True)

shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=3)
matrix_shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=4)
broadcast_pairs = hnp.mutually_broadcastable_shapes(
    num_shapes=2, min_dims=0, max_dims=3, min_side=1, max_side=3
).map(lambda drawn: drawn.input_shapes)
matmul_pairs = hnp.mutually_broadcastable_shapes(
    signature=np.matmul.signature, max_dims=1, min_side=1, max_side=3
).map(lambda drawn: drawn.input_shapes)
seeds = st.integers(0, 2**32 - 1)


def name(value: object) -> str | None:
    """Return the name of a function, to label a test with."""
    return getattr(value, "__name__", None)


def array(variable: Variable) -> np.ndarray:
    """Return the array of a variable, whose data must be a Tensor."""
    assert type(variable) is Variable
    assert type(variable.data) is Tensor
    assert type(variable.data.data) is np.ndarray
    return variable.data.data


def positive(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return a float64 array with elements from 0.3 to 2."""
    return np.random.default_rng(seed).uniform(0.3, 2.0, size=shape)


def signed(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return a float64 array with elements of both signs, none closer to 0 than 0.3."""
    signs = np.random.default_rng([seed, 1]).choice([-1.0, 1.0], size=shape)
    return np.asarray(signs * positive(shape, seed))


@st.composite
def shape_and_axis(draw: st.DrawFn) -> tuple[tuple[int, ...], None | int | tuple[int, ...]]:
    """Draw a shape and an `axis` argument that fits it: None, an integer or a tuple."""
    shape = draw(shapes)
    choices = [st.none(), hnp.valid_tuple_axes(len(shape))]
    if shape:
        choices.append(st.integers(-len(shape), len(shape) - 1))
    return shape, draw(st.one_of(choices))


@st.composite
def shape_and_permutation(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Draw a shape and a permutation of its axes, some of them counted from the end."""
    shape = draw(shapes)
    order = draw(st.permutations(range(len(shape))))
    negative = draw(st.lists(st.booleans(), min_size=len(shape), max_size=len(shape)))
    pairs = zip(order, negative, strict=True)
    return shape, tuple(axis - len(shape) if minus else axis for axis, minus in pairs)
