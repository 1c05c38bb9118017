"""The graph and the walk through it, who owns which array, and a network that learns."""

import copy
import gc
import subprocess
import sys
import weakref

import numpy as np
import pytest

from tests.core.strategies import array, signed
from tinytorch.core import autograd
from tinytorch.core.autograd import Variable, add, subtract
from tinytorch.core.tensor import Tensor
from tinytorch.datasets import load_digits

# The graph


def test_uses_add_up():
    x = Variable(3.0)
    (x * x + x).backward()
    assert x.grad.item() == 7.0
    x = Variable(1.0)
    (x + x + x).backward()
    assert x.grad.item() == 3.0


def test_each_variable_is_visited_once():
    x = Variable(1.0)
    y = x
    for _ in range(60):  # 2**60 paths
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**60


def test_uses_of_different_depth_are_waited_for():
    calls = []
    x = Variable(2.0)
    u = autograd.record(x.data.data * 1.0, (x, lambda g: calls.append(g) or g))
    deep = u
    for _ in range(5):
        deep = deep * 3.0
    (u * deep + u).backward()
    assert len(calls) == 1
    assert x.grad.item() == 2 * 3**5 * 2.0 + 1


def test_a_graph_of_ten_thousand_nodes():
    x = Variable(np.ones(2))
    y = x
    for _ in range(10_000):
        y = y * 1.0001 + x
    y.sum().backward()
    powers = 1.0001 ** np.arange(10_001)
    np.testing.assert_allclose(array(x.grad), np.sum(powers), rtol=1e-12)


def test_dropping_a_very_deep_graph_does_not_overflow_the_stack():
    # Python 3.13 lets objects free each other 10,000 deep before it defers the rest, which takes
    # between 0.5 and 2 MB of stack; the 200,000 levels of this graph would take many times 4 MB.
    program = """if True:
        import gc; gc.disable()
        import threading
        from tinytorch.core.autograd import Variable
        def run():
            y = x = Variable(1.0)
            for _ in range(200_000):
                y = y * 1.0
            y.backward()
            assert x.grad.item() == 1.0
        threading.stack_size(4 * 1024 * 1024)
        thread = threading.Thread(target=run)
        thread.start(); thread.join()
        print("survived")
        """
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "survived\n", "")


def test_a_graph_is_freed_with_its_end_without_the_garbage_collector():
    gc.disable()
    try:
        x = Variable(1.0)
        middle = x * 2.0
        end = middle * 3.0
        references = [weakref.ref(middle), weakref.ref(end)]
        end.backward()
        del middle, end
        assert [reference() for reference in references] == [None, None]
    finally:
        gc.enable()


def test_constants_are_neither_followed_nor_kept():
    w, x = Variable(np.ones((3, 2))), Variable(np.ones((4, 3)), requires_grad=False)
    y = x @ w
    assert y.requires_grad
    y.sum().backward()
    assert x.grad is None
    assert array(w.grad).tolist() == [[4.0, 4.0]] * 3
    constant = x * 2.0 + 1.0
    assert not constant.requires_grad
    assert constant._edges == ()


def test_only_leaves_get_a_gradient():
    x = Variable(1.0)
    y = x * 2.0
    z = y * 3.0
    z.backward()
    assert (y.grad, z.grad, x.grad.item()) == (None, None, 6.0)


def test_a_leaf_may_be_the_end():
    x = Variable(5.0)
    x.backward()
    assert x.grad.item() == 1.0


def test_backward_adds_to_what_is_there():
    x = Variable([1.0, 2.0])
    (x * x).sum().backward()
    first = x.grad
    (x * 3.0).sum().backward()
    assert array(x.grad).tolist() == [5.0, 7.0]
    assert array(first).tolist() == [2.0, 4.0], "a gradient is replaced, never changed"
    x.zero_grad()
    assert x.grad is None


def test_backward_twice_through_one_graph_adds_twice():
    x = Variable(3.0)
    y = x * x
    y.backward()
    y.backward()
    assert x.grad.item() == 12.0


def test_replaced_and_updated_parameters_are_used_by_the_next_computation():
    x = Variable(2.0)
    x.data = Tensor(5.0)
    x.data.data -= 1.0
    (x * x).backward()
    assert x.grad.item() == 8.0


# Who owns which array


def test_no_two_variables_share_a_gradient():
    a, b, c = Variable([1.0, 2.0]), Variable([3.0, 4.0]), Variable([5.0, 6.0])
    gradient = np.ones(2, np.float32)
    add(a, subtract(b, c)).backward(gradient)
    arrays = [array(v.grad) for v in (a, b, c)] + [gradient]
    for i, one in enumerate(arrays):
        assert one.flags.writeable
        for other in arrays[:i]:
            assert not np.shares_memory(one, other)
    assert len({id(v.grad) for v in (a, b, c)} | {id(v.grad.data) for v in (a, b, c)}) == 6


@pytest.mark.parametrize("kind", [lambda x: x, Tensor, Variable])
def test_the_gradient_of_a_leaf_is_not_the_argument(kind):
    x = Variable(np.zeros(2))
    gradient = kind(np.ones(2))
    x.backward(gradient)
    x.grad.data.data += 5.0
    assert np.asarray(getattr(gradient, "data", gradient)).tolist() == [1.0, 1.0]
    assert x.grad is not gradient


@pytest.mark.parametrize(
    "operation",
    [
        lambda a: a.reshape(4),
        lambda a: a.reshape(2, 2),
        lambda a: a.T,
        lambda a: a.transpose((0, 1)),
        lambda a: a.sum(axis=()),
        lambda a: a + 0.0,
        lambda a: a**1,
        autograd.relu,
        Variable,
    ],
)
def test_results_have_memory_of_their_own(operation):
    x = Variable([[1.0, 2.0], [3.0, 4.0]])
    result = array(operation(x))
    assert result.flags.writeable
    assert not np.shares_memory(result, array(x))


def test_backward_changes_no_value():
    a, b = Variable(signed((2, 3), 1)), Variable(signed((3,), 2))
    y = autograd.softmax_cross_entropy(autograd.sigmoid(a / b), [1, 2])
    before = [array(v).copy() for v in (a, b, y)]
    y.backward()
    for variable, value in zip((a, b, y), before, strict=True):
        np.testing.assert_array_equal(array(variable), value)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_gradients_have_the_dtype_of_the_data(dtype):
    x, other = Variable(np.ones((2, 2), dtype)), Variable(np.ones(2, np.float64))
    y = autograd.softmax_cross_entropy(x @ x * 0.5, [0, 1])
    assert y.dtype == dtype
    (y + other).sum().backward()
    assert x.grad.dtype == dtype
    assert other.grad.dtype == np.float64
    x.backward(np.ones((2, 2)))
    assert x.grad.dtype == dtype


# Variables


@pytest.mark.parametrize("data", [0.1, np.float32(0.1), Tensor(0.1), Variable(0.1)])
def test_a_variable_of_one_number_has_shape_zero(data):
    variable = Variable(data)
    assert (variable.shape, variable.size, variable.ndim) == ((), 1, 0)
    assert array(variable) == np.float32(0.1)
    assert variable.item() == float(variable) == float(np.float32(0.1))


@pytest.mark.parametrize("kind", [lambda x: x, Tensor, Variable])
def test_data_are_copied_into_a_tensor(kind):
    source = kind(np.ones(2))
    variable = Variable(source)
    array(variable)[0] = 5.0
    assert variable.dtype == np.float64
    assert np.asarray(Variable(source).data).tolist() == [1.0, 1.0]


def test_a_variable_of_a_variable_has_no_history():
    x = Variable(2.0)
    y = Variable(x * 3.0)
    (y * y).backward()
    assert x.grad is None
    assert y.grad.item() == 12.0


def test_data_is_a_plain_attribute_so_that_a_wrong_assignment_shows():
    w = Variable([1.0])
    w.data = np.array([2.0])
    assert not isinstance(w.data, Tensor)
    with pytest.raises(TypeError, match=r"must be a Tensor, got array\(\[2\.\]\)"):
        w * 2.0


def test_a_gradient_that_is_not_a_variable_is_shown():
    w = Variable([1.0])
    w.grad = np.array([2.0])
    with pytest.raises(TypeError, match=r"grad must be None or a Variable, got array\(\[2\.\]\)"):
        w.sum().backward()


def test_a_parameter_can_be_copied_deeply_and_carry_attributes():
    w = Variable([1.0, 2.0])
    w.name = "weight"
    w.sum().backward()
    double = copy.deepcopy(w)
    double.data.data += 1.0
    double.grad.data.data += 1.0
    assert (array(w).tolist(), array(w.grad).tolist()) == ([1.0, 2.0], [1.0, 1.0])
    assert (double.name, double.requires_grad) == ("weight", True)


def test_repr_shows_the_tensor():
    assert repr(Variable([1.0, 2.0])) == "Variable(Tensor([1., 2.]), requires_grad=True)"


def test_numpy_functions_refuse_variables():
    with pytest.raises(TypeError, match="does not support ufuncs"):
        np.exp(Variable(1.0))


# Errors


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.backward(), ValueError, r"gradient must be given .* shape \(2, 3\), got None"),
        (lambda x: x.backward([1.0]), ValueError, r"shape \(2, 3\), got shape \(1,\)"),
        (lambda x: x.backward("one"), TypeError, "got 'one'"),
        (lambda x: Variable(1.0, False).backward(), ValueError, r"got Variable\(Tensor\(1\.\), "),
        (lambda x: x @ x, ValueError, r"matmul needs shapes .* got \(2, 3\) and \(2, 3\)"),
        (lambda x: x @ 2.0, ValueError, r"got \(2, 3\) and \(\)"),
        (lambda x: x + np.ones(2), ValueError, r"\(2,3\) \(2,\)"),
        (lambda x: x + "a", TypeError, "got 'a'"),
        (lambda x: None * x, TypeError, "got None"),
        (lambda x: x**x, TypeError, r"exponent must be a number, got Variable\("),
        (lambda x: x ** "2", TypeError, "got '2'"),
        (lambda x: x.sum(axis=2), ValueError, "axis 2 is out of bounds"),
        (lambda x: x.transpose((0, 5)), ValueError, "axis 5 is out of bounds"),
        (lambda x: x.reshape(4), ValueError, r"size 6 into shape \(4,\)"),
        (lambda x: x.item(), ValueError, r"one element, got shape \(2, 3\)"),
        (lambda x: Variable(None), TypeError, "got None"),
    ],
)
def test_mistakes_are_reported_with_their_value(call, error, message):
    with pytest.raises(error, match=message):
        call(Variable(np.ones((2, 3))))


# All of it together


def network(x, w1, b1, w2, b2):
    return autograd.relu(x @ w1 + b1) @ w2 + b2


def start(dtype):
    rng = np.random.default_rng(3)
    shapes = [(64, 32), (32,), (32, 10), (10,)]
    return [rng.normal(0.0, 0.2, size=shape).astype(dtype) for shape in shapes]


def test_training_follows_derivatives_written_by_hand():
    images, labels = load_digits()
    x, y = images[:32].astype(np.float64), labels[:32]
    ours, by_hand = [Variable(p) for p in start(np.float64)], start(np.float64)
    for _ in range(20):
        for p in ours:
            p.zero_grad()
        autograd.softmax_cross_entropy(network(x, *ours), y).backward()
        for p in ours:
            p.data = Tensor(p.data.data - 0.5 * p.grad.data.data)

        w1, b1, w2, b2 = by_hand
        before = x @ w1 + b1
        hidden = np.where(before > 0, before, 0.0)
        exps = np.exp(hidden @ w2 + b2)
        g = (exps / exps.sum(axis=1, keepdims=True) - np.eye(10)[y]) / 32
        g_hidden = np.where(before > 0, g @ w2.T, 0.0)
        steps = [x.T @ g_hidden, g_hidden.sum(axis=0), hidden.T @ g, g.sum(axis=0)]
        by_hand = [p - 0.5 * step for p, step in zip(by_hand, steps, strict=True)]
    for p, expected in zip(ours, by_hand, strict=True):
        np.testing.assert_allclose(array(p), expected, rtol=1e-9, atol=1e-12)


def test_a_classifier_learns_to_read_digits():
    images, labels = load_digits()
    rng = np.random.default_rng(0)
    order = rng.permutation(len(images))
    test, train = order[:360], order[360:]
    parameters = [Variable(p) for p in start(np.float32)]
    for _ in range(15):
        for batch in np.array_split(rng.permutation(train), 45):
            loss = autograd.softmax_cross_entropy(
                network(images[batch], *parameters), labels[batch]
            )
            for p in parameters:
                p.zero_grad()
            loss.backward()
            for p in parameters:
                p.data.data -= 0.1 * p.grad.data.data
    predictions = array(network(images[test], *parameters)).argmax(axis=1)
    assert np.mean(predictions == labels[test]) > 0.95
    assert all(p.dtype == p.grad.dtype == np.float32 for p in parameters)
