"""Every operation of autograd against central differences, and at its numerical extremes."""

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core import strategies as draw
from tests.core.strategies import array, examples, name, positive, signed
from tinytorch.core import autograd
from tinytorch.core.autograd import Variable, add, divide, matmul, multiply, subtract
from tinytorch.core.tensor import Tensor

BINARY = [
    (add, operator.add),
    (subtract, operator.sub),
    (multiply, operator.mul),
    (divide, operator.truediv),
]
UNARY = [
    (autograd.exp, np.exp, signed),
    (autograd.log, np.log, positive),
    (autograd.relu, lambda x: np.where(x > 0, x, 0), signed),
    (autograd.tanh, np.tanh, signed),
    (autograd.sigmoid, lambda x: 1 / (1 + np.exp(-x)), signed),
    (operator.neg, np.negative, signed),
]
EXPONENTS = [-2, -1, 0, 0.5, 1, 2, 3, np.float64(1.5)]


def check(operation, reference, *arrays):
    """Compare value and gradients of an operation with a function of NumPy arrays."""
    variables = [Variable(x) for x in arrays]
    output = operation(*variables)
    expected = np.asarray(reference(*arrays))
    assert output.shape == expected.shape
    np.testing.assert_allclose(array(output), expected, rtol=1e-12)
    weights = np.random.default_rng(7).normal(size=expected.shape)
    output.backward(weights)
    h = 1e-5
    for i, variable in enumerate(variables):
        assert variable.grad.shape == variable.shape
        for index in np.ndindex(variable.shape):
            ends = []
            for step in (h, -h):
                moved = [x.copy() for x in arrays]
                moved[i][index] += step
                ends.append(np.sum(weights * reference(*moved)))
            slope = (ends[0] - ends[1]) / (2 * h)
            np.testing.assert_allclose(array(variable.grad)[index], slope, rtol=1e-6, atol=1e-7)


# Operations


@pytest.mark.parametrize(("function", "reference"), BINARY, ids=name)
@examples
@given(draw.broadcast_pairs, draw.seeds)
def test_two_operands_are_differentiated_and_broadcasts_undone(function, reference, pair, seed):
    check(function, reference, signed(pair[0], seed), signed(pair[1], seed + 1))


@pytest.mark.parametrize(("function", "reference", "values"), UNARY, ids=name)
@examples
@given(draw.shapes, draw.seeds)
def test_one_operand_is_differentiated(function, reference, values, shape, seed):
    check(function, reference, values(shape, seed))


@pytest.mark.parametrize("exponent", EXPONENTS)
@examples
@given(draw.shapes, draw.seeds)
def test_powers_are_differentiated(exponent, shape, seed):
    check(lambda a: a**exponent, lambda x: x**exponent, positive(shape, seed))


@examples
@given(draw.matmul_pairs, draw.seeds)
def test_matrix_products_are_differentiated(pair, seed):
    check(matmul, np.matmul, signed(pair[0], seed), signed(pair[1], seed + 1))


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@examples
@given(draw.shape_and_axis(), st.booleans(), draw.seeds)
def test_reductions_are_differentiated(reduction, drawn, keepdims, seed):
    shape, axis = drawn
    check(
        lambda a: getattr(a, reduction)(axis, keepdims=keepdims),
        lambda x: getattr(np, reduction)(x, axis=axis, keepdims=keepdims),
        signed(shape, seed),
    )


@examples
@given(draw.shapes, draw.seeds)
def test_reshaping_is_differentiated(shape, seed):
    x = signed(shape, seed)
    for target in (-1, (1, -1), (x.size, 1), shape[::-1]):
        check(lambda a, to=target: a.reshape(to), lambda x, to=target: x.reshape(to), x)


@examples
@given(draw.shape_and_permutation(), draw.seeds)
def test_transposing_is_differentiated(drawn, seed):
    shape, axes = drawn
    check(lambda a: a.transpose(axes), lambda x: x.transpose(axes), signed(shape, seed))
    check(lambda a: a.T, lambda x: x.T, signed(shape, seed))


def cross_entropy(z, labels):
    """Return the mean of -log softmax, by the definition."""
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return np.mean([-np.log(p[i, label]) for i, label in enumerate(labels)])


@examples
@given(draw.matrix_shapes, draw.seeds, st.sampled_from([np.int64, np.uint8, list]))
def test_cross_entropy_is_differentiated(shape, seed, kind):
    labels = np.random.default_rng(seed).integers(shape[1], size=shape[0])
    given_labels = labels.tolist() if kind is list else labels.astype(kind)
    check(
        lambda z: autograd.softmax_cross_entropy(z, given_labels),
        lambda z: cross_entropy(z, labels),
        3 * signed(shape, seed),
    )


@examples
@given(st.integers(1, 3), st.integers(1, 3), draw.seeds)
def test_a_network_is_differentiated(rows, columns, seed):
    def network(module, x, w, b, relu, softened):
        hidden = relu(x @ w + b)
        return (softened(hidden * x) / (2.0 + hidden * hidden) - hidden).mean(axis=0)

    check(
        lambda x, w, b: network(autograd, x, w, b, autograd.relu, autograd.tanh),
        lambda x, w, b: network(np, x, w, b, lambda z: np.maximum(z, 0), np.tanh),
        signed((rows, columns), seed),
        signed((columns, columns), seed + 1),
        signed((columns,), seed + 2),
    )


@pytest.mark.parametrize("op", [*(op for _, op in BINARY), operator.matmul], ids=name)
@pytest.mark.parametrize("kind", [np.asarray, Tensor, np.ndarray.tolist], ids=["array", "t", "l"])
def test_constants_on_either_side_give_the_same_gradient(op, kind):
    x, c = signed((2, 2), 1), positive((2, 2), 2).astype(np.float32).astype(np.float64)
    for order in (lambda a, b: op(a, b), lambda a, b: op(b, a)):
        both, alone = Variable(x), Variable(x)
        order(both, Variable(c)).backward(np.ones((2, 2)))
        result = order(alone, kind(c))
        result.backward(np.ones((2, 2)))
        np.testing.assert_allclose(array(alone.grad), array(both.grad), rtol=1e-6)


@pytest.mark.parametrize("number", [3, 0.1, np.float64(0.1), np.int64(3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("function", "op"), BINARY, ids=name)
def test_numbers_keep_full_precision_and_do_not_widen(function, op, dtype, number):
    x = np.array([1.5, 2.5], dtype)
    for left, right in ((Variable(x), number), (number, Variable(x))):
        by_operator, by_function = op(left, right), function(left, right)
        assert by_operator.dtype == by_function.dtype == dtype
        expected = op(float(number), x) if right is not number else op(x, float(number))
        np.testing.assert_array_equal(array(by_operator), expected)
        np.testing.assert_array_equal(array(by_function), expected)


def test_functions_of_constants_are_float32_constants():
    for result in (add(1.0, 2), autograd.exp(0.0), multiply([1.0], 2), matmul([1.0], [2.0])):
        assert result.dtype == np.float32
        assert not result.requires_grad


# Numerical extremes


def test_sigmoid_neither_overflows_nor_loses_its_tail():
    x = Variable(np.array([-1000.0, -50.0, 0.0, 1000.0]))
    y = autograd.sigmoid(x)
    np.testing.assert_allclose(array(y), [0.0, np.exp(-50.0), 0.5, 1.0], rtol=1e-12)
    y.backward(np.ones(4))
    np.testing.assert_allclose(array(x.grad), [0.0, np.exp(-50.0), 0.25, 0.0], rtol=1e-12)


def test_cross_entropy_of_huge_logits_is_exact():
    z = Variable(np.array([[1e4, 0.0], [0.0, 1e4]], np.float32))
    loss = autograd.softmax_cross_entropy(z, [1, 1])
    loss.backward()
    assert loss.item() == 5000.0
    assert array(z.grad).tolist() == [[0.5, -0.5], [0.0, 0.0]]


def test_relu_has_slope_zero_at_zero():
    x = Variable([-1.0, 0.0, 2.0])
    autograd.relu(x).backward([1.0, 1.0, 1.0])
    assert array(x.grad).tolist() == [0.0, 0.0, 1.0]


def test_power_zero_has_slope_zero_also_at_zero():
    x = Variable([0.0, 1.0])
    (x**0).sum().backward()
    assert array(x.grad).tolist() == [0.0, 0.0]


# Mistakes


@pytest.mark.parametrize(
    ("shape", "labels", "error", "message"),
    [
        ((2, 3), [0, 3], ValueError, r"labels must be in 0\.\.2, got 3"),
        ((2, 3), [0, -1], ValueError, r"labels must be in 0\.\.2, got -1"),
        ((2, 3), [0], ValueError, r"labels must have shape \(2,\), got \(1,\)"),
        ((2, 3), [0.0, 1.0], TypeError, "labels must be integers, got float64"),
        ((2, 3), Tensor([0, 1]), TypeError, "labels must be integers, got float32"),
        ((3,), [0], ValueError, r"logits must have shape .* got \(3,\)"),
        ((0, 3), [], ValueError, r"logits must have shape .* got \(0, 3\)"),
    ],
)
def test_labels_that_do_not_fit_are_reported(shape, labels, error, message):
    with pytest.raises(error, match=message):
        autograd.softmax_cross_entropy(Variable(np.ones(shape)), labels)


# The judge


def test_numerical_gradient_moves_one_element_at_a_time():
    x = positive((2, 3), 5)
    before = x.copy()
    estimate = autograd.numerical_gradient(np.prod, x)
    np.testing.assert_allclose(estimate, np.prod(x) / x, rtol=1e-8)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("x", [[1, 2], np.array([1, 2]), np.array([1, 2], np.float32)])
def test_numerical_gradient_computes_in_float64(x):
    estimate = autograd.numerical_gradient(lambda x: np.sum(x**3), x)
    np.testing.assert_allclose(estimate, [3.0, 12.0], rtol=1e-9)
