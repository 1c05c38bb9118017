"""The four promises of Tensor: floating point, own memory, tensors from arithmetic, 0-d scalars."""

import copy
import operator
import pickle
import weakref

import numpy as np
import pytest
from hypothesis import given

from tests.core.strategies import broadcast_pairs, examples, matmul_pairs, positive, seeds
from tinytorch.core.tensor import Tensor, as_array

OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
NUMBERS = [2, 0.5, True, np.float64(0.5), np.float32(0.5), np.float16(2), np.int64(2), np.bool_(1)]


def name(value):
    return getattr(value, "__name__", f"{type(value).__name__}({value})")


# Data and dtype


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (3, 3.0),
        (0.1, np.float32(0.1)),
        (True, 1.0),
        (10**30, np.float32(1e30)),
        ([1, 2.5], [1.0, 2.5]),
        ((1, 2), [1.0, 2.0]),
        (range(3), [0.0, 1.0, 2.0]),
        ([[1, 2], [3, 4]], [[1.0, 2.0], [3.0, 4.0]]),
        ([np.float64(1), 2], [1.0, 2.0]),
        ([np.ones(2), np.zeros(2)], [[1.0, 1.0], [0.0, 0.0]]),
        (np.array([1, 2]), [1.0, 2.0]),
        (np.array([True, False]), [1.0, 0.0]),
        (np.uint8(7), 7.0),
        (np.bool_(True), 1.0),
    ],
)
def test_numbers_lists_and_integer_arrays_become_float32(data, expected):
    tensor = Tensor(data)
    assert tensor.dtype == np.float32
    np.testing.assert_array_equal(tensor.data, expected, strict=False)
    assert tensor.shape == np.shape(expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_floating_point_data_of_numpy_keep_their_dtype(dtype):
    assert Tensor(np.ones(2, dtype)).dtype == dtype
    assert Tensor(dtype(0.5)).dtype == dtype
    assert Tensor(Tensor(np.ones(2, dtype))).dtype == dtype


@pytest.mark.parametrize("data", [1, [1, 2], np.ones(2), np.array([1, 2]), Tensor(1.0)])
def test_a_given_dtype_wins(data):
    for dtype in (np.float16, "float64"):
        assert Tensor(data, dtype=dtype).dtype == np.dtype(dtype)


def test_a_list_of_tensors_becomes_one_tensor():
    assert Tensor([Tensor([1, 2]), Tensor([3, 4])]).data.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert Tensor([Tensor(1), Tensor(2)]).data.tolist() == [1.0, 2.0]


def test_an_empty_list_is_an_empty_tensor():
    assert Tensor([]).shape == (0,)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("0.1", "'0.1'"),
        (["a", "b"], "['a', 'b']"),
        (None, "None"),
        ([1.0, None], "[1.0, None]"),
        (1 + 2j, "(1+2j)"),
        ({"w": 1}, "{'w': 1}"),
        ({1, 2}, "{1, 2}"),
        (b"1", "b'1'"),
        (np.array([1, "a"], dtype=object), "array([1, 'a'"),
        (np.array([1j]), "array([0.+1.j])"),
        (np.datetime64("2024-01-01"), "2024-01-01"),
    ],
    ids=repr,
)
def test_data_that_are_not_real_numbers_are_refused_and_shown(data, shown):
    with pytest.raises(TypeError, match="data must be real numbers") as caught:
        Tensor(data)
    assert shown in str(caught.value)


def test_ragged_lists_are_refused_and_shown():
    with pytest.raises(ValueError, match=r"evenly nested list, got \[\[1\], \[1, 2\]\]"):
        Tensor([[1], [1, 2]])


@pytest.mark.parametrize("dtype", [int, "int32", bool, complex, str, object])
def test_a_dtype_that_is_not_floating_point_is_refused(dtype):
    with pytest.raises(TypeError, match="dtype must be floating point, got"):
        Tensor([1.0], dtype=dtype)


# Memory


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_array_is_copied(dtype):
    array = np.ones(3, dtype)
    tensor = Tensor(array)
    array[0] = 5.0
    assert tensor.data.tolist() == [1.0, 1.0, 1.0]
    tensor.data[1] = 7.0
    assert array.tolist() == [5.0, 1.0, 1.0]


def test_two_tensors_of_one_tensor_are_independent():
    original = Tensor([1.0, 2.0])
    first, second = Tensor(original), Tensor(original)
    first.data -= 1.0
    assert original.data.tolist() == second.data.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "array",
    [np.broadcast_to(1.0, (2, 3)), np.ones((3, 2)).T, np.ones((4, 6))[::2, ::2]],
    ids=["read-only", "transposed", "strided"],
)
def test_the_copy_is_writable_and_contiguous(array):
    data = Tensor(array).data
    assert data.flags.writeable
    assert data.flags.c_contiguous
    assert data.shape == array.shape


def test_subclasses_of_ndarray_become_plain_arrays():
    assert type(Tensor(np.ma.array([1.0, 2.0], mask=[0, 1])).data) is np.ndarray


def test_an_update_in_place_keeps_the_array():
    tensor = Tensor(0.5)
    before = tensor.data
    tensor.data -= 0.25
    assert tensor.data is before
    assert tensor.data == 0.25


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (np.array([3.0, 4.0]), np.float64),
        (np.array([3.0, 4.0], np.float32), np.float32),
        (np.array([3, 4]), np.float32),
        ([3, 4], np.float32),
        (Tensor([3, 4]), np.float32),
    ],
)
def test_assigning_data_copies_by_the_rules_of_the_constructor(value, dtype):
    tensor = Tensor([1.0, 2.0])
    tensor.data = value
    assert type(tensor.data) is np.ndarray
    assert tensor.dtype == dtype
    assert tensor.data.tolist() == [3.0, 4.0]
    assert not np.shares_memory(tensor.data, np.asarray(value))


def test_assigning_a_numpy_scalar_gives_an_array():
    tensor = Tensor(0.5)
    tensor.data = tensor.data - 0.25 * tensor.data
    assert type(tensor.data) is np.ndarray
    assert tensor.shape == ()
    assert tensor.dtype == np.float32
    assert tensor.data == 0.375


def test_a_refused_assignment_leaves_the_data():
    tensor = Tensor([1.0])
    with pytest.raises(TypeError, match="got 'abc'"):
        tensor.data = "abc"
    assert tensor.data.tolist() == [1.0]


def test_adopt_takes_the_array_without_a_copy():
    array = np.ones(2)
    assert Tensor.adopt(array).data is array


@pytest.mark.parametrize("value", [np.float32(2), 2.0, np.array([2]), np.ma.array([2.0])])
def test_adopt_turns_anything_else_into_a_floating_point_array(value):
    data = Tensor.adopt(value).data
    assert type(data) is np.ndarray
    assert data.dtype.kind == "f"
    assert data.shape == np.shape(value)


def by_pickle(tensor):
    return pickle.loads(pickle.dumps(tensor))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, by_pickle])
def test_copies_have_value_and_dtype(duplicate):
    tensor = Tensor(np.array([1.0, 2.0]))
    double = duplicate(tensor)
    assert type(double) is Tensor
    assert double.dtype == np.float64
    assert double.data.tolist() == [1.0, 2.0]


def test_a_deep_copy_is_independent():
    tensor = Tensor([1.0])
    double = copy.deepcopy(tensor)
    double.data += 1.0
    assert tensor.data.tolist() == [1.0]


def test_a_tensor_can_be_referred_to_weakly():
    tensor = Tensor(1.0)
    reference = weakref.ref(tensor)
    del tensor
    assert reference() is None


# Arithmetic


@pytest.mark.parametrize("op", OPERATORS, ids=name)
@examples
@given(broadcast_pairs, seeds)
def test_arithmetic_gives_what_numpy_gives_on_either_side(op, pair, seed):
    x, y = positive(pair[0], seed), positive(pair[1], seed + 1)
    expected = op(x, y)
    for left, right in ((Tensor(x), Tensor(y)), (Tensor(x), y), (x, Tensor(y))):
        result = op(left, right)
        assert type(result) is Tensor
        assert type(result.data) is np.ndarray
        np.testing.assert_array_equal(result.data, expected, strict=False)
        assert result.shape == np.shape(expected)
        assert not np.shares_memory(result.data, np.asarray(left))
        assert not np.shares_memory(result.data, np.asarray(right))


@examples
@given(matmul_pairs, seeds)
def test_the_matrix_product_gives_what_numpy_gives_on_either_side(pair, seed):
    x, y = positive(pair[0], seed), positive(pair[1], seed + 1)
    for left, right in ((Tensor(x), Tensor(y)), (Tensor(x), y), (x, Tensor(y))):
        result = left @ right
        assert type(result) is Tensor
        assert type(result.data) is np.ndarray
        np.testing.assert_allclose(result.data, x @ y, rtol=1e-12)


@pytest.mark.parametrize("number", NUMBERS, ids=name)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("op", OPERATORS, ids=name)
def test_numbers_take_the_dtype_of_the_tensor(op, dtype, number):
    for data in (np.array(4.0, dtype), np.array([4.0, 9.0], dtype)):
        for result in (op(Tensor(data), number), op(number, Tensor(data))):
            assert type(result) is Tensor
            assert result.dtype == dtype
        np.testing.assert_allclose(
            op(number, Tensor(data)).data, op(float(number), data.astype(float)), rtol=2e-3
        )


def test_a_float64_array_makes_the_result_float64():
    single = Tensor([1.0, 2.0])
    assert (single + np.ones(2)).dtype == np.float64
    assert (np.array(1.0) * single).dtype == np.float64
    assert (single - Tensor(np.ones(2))).dtype == np.float64


def test_an_integer_array_counts_as_float32():
    assert (Tensor([1.0, 2.0]) * np.array([3, 4])).dtype == np.float32
    assert (np.array([3, 4]) * Tensor(np.ones(2))).dtype == np.float64


def test_the_negative():
    assert (-Tensor([1.0, -2.0])).data.tolist() == [-1.0, 2.0]
    assert type((-Tensor(1.0)).data) is np.ndarray


@pytest.mark.parametrize("other", ["a", None, [1.0, 2.0], {}], ids=repr)
@pytest.mark.parametrize("op", OPERATORS, ids=name)
def test_other_operands_are_a_type_error(op, other):
    with pytest.raises(TypeError, match="unsupported operand|can only concatenate|can't multiply"):
        op(Tensor([1.0, 2.0]), other)
    with pytest.raises(TypeError):
        op(other, Tensor([1.0, 2.0]))


def test_an_operand_of_another_class_may_answer_itself():
    class Other:
        def __radd__(self, tensor):
            return ("answered", tensor)

    tensor = Tensor(1.0)
    assert tensor + Other() == ("answered", tensor)


def test_shapes_that_do_not_fit_are_shown():
    with pytest.raises(ValueError, match=r"\(2,\) \(3,\)"):
        Tensor([1, 2]) + Tensor([1, 2, 3])


# What it shows of itself


def test_a_number_has_shape_zero():
    tensor = Tensor(0.1)
    assert (tensor.shape, tensor.size, tensor.ndim, tensor.dtype) == ((), 1, 0, np.float32)
    assert type(tensor.data) is np.ndarray


def test_shape_size_and_ndim():
    tensor = Tensor(np.zeros((2, 0, 3)))
    assert (tensor.shape, tensor.size, tensor.ndim) == ((2, 0, 3), 0, 3)


@pytest.mark.parametrize("data", [0.5, [0.5], [[0.5]]])
def test_item_and_float_give_the_only_element(data):
    assert type(Tensor(data).item()) is float
    assert Tensor(data).item() == float(Tensor(data)) == 0.5


def test_item_of_several_elements_is_an_error():
    with pytest.raises(ValueError, match=r"one element, got shape \(2,\)"):
        Tensor([1, 2]).item()


def test_numpy_sees_the_array():
    tensor = Tensor([4.0, 9.0])
    assert np.asarray(tensor) is tensor.data
    assert np.array(tensor, copy=False) is tensor.data
    assert not np.shares_memory(np.array(tensor), tensor.data)
    assert tensor.__array__(np.float64).dtype == np.float64
    with pytest.raises(ValueError, match="avoid copy"):
        np.array(tensor, dtype=np.float64, copy=False)


def test_numpy_functions_give_arrays():
    result = np.sqrt(Tensor([4.0, 9.0]))
    assert type(result) is np.ndarray
    assert result.tolist() == [2.0, 3.0]


def test_rows_are_tensors_with_their_own_memory():
    tensor = Tensor([[1, 2], [3, 4]])
    assert len(tensor) == 2
    assert [row.data.tolist() for row in tensor] == [[1.0, 2.0], [3.0, 4.0]]
    for part in (tensor[0], tensor[:, 1], tensor[1, 1], next(iter(tensor))):
        assert type(part) is Tensor
        part.data += 10.0
    assert tensor.data.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert tensor[1, 1].shape == ()


def test_a_number_has_no_rows():
    for use in (len, iter):
        with pytest.raises(TypeError):
            use(Tensor(1.0))


def test_truth_is_that_of_the_array():
    assert Tensor(1.0)
    assert not Tensor(0.0)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(Tensor([1, 2]))


@pytest.mark.parametrize(
    "data", [0.1, [1.5, 2.0], [[1, 2], [3, 4]], np.array([0.1]), np.float64(0.1)]
)
def test_repr_can_be_evaluated(data):
    tensor = Tensor(data)
    again = eval(repr(tensor), {"Tensor": Tensor, "float64": np.float64})
    assert again.dtype == tensor.dtype
    np.testing.assert_array_equal(again.data, tensor.data)


def test_as_array_makes_a_new_array_each_time():
    array = np.ones(2)
    assert not np.shares_memory(as_array(array), array)
