"""Plain data on its way out of a student's process."""

import base64
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinytorch.checks.wire import MalformedError, decode, encode

arrays = hnp.arrays(
    dtype=st.sampled_from(["<f4", "<f8", "<i8", "|b1", "<f2"]),
    shape=hnp.array_shapes(min_dims=0, max_dims=3, max_side=3),
)
atoms = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text()
plain = st.recursive(
    atoms | arrays,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def same(a, b) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b))


@given(plain)
def test_plain_data_comes_back_as_it_was(value):
    wire = json.loads(json.dumps(encode(value), allow_nan=False))
    assert same(decode(wire), value)


BAD = [
    float("nan"),
    2**300,
    "x" * 20_000,
    [1, 2],
    {},
    {"list": 1},
    {"list": [], "dict": []},
    {"float": "1e5"},
    {"float": 1.0},
    {"dict": [["a", 1], ["a", 2]]},
    {"dict": [["a"]]},
    {"dict": [[1, 2]]},
    {"dict": {"a": 1}},
    {"list": [{"list": [{"object": 1}]}]},
    {"array": "AAAA", "dtype": "<f8", "shape": [1]},
    {"array": "", "dtype": "O", "shape": [0]},
    {"array": "", "dtype": "<f8", "shape": [-1]},
    {"array": "", "dtype": "<f8", "shape": [2**40, 2**40]},
    {"array": "", "dtype": "nonsense", "shape": [0]},
    {"array": "!!!!", "dtype": "<f8", "shape": [0]},
    {"array": "", "dtype": "<f8", "shape": [True, 0]},
    {"array": "", "dtype": "<U4", "shape": [0]},
    {"list": [0] * 200_000},
    {"array": "", "dtype": ",", "shape": [0]},
    {"array": "", "dtype": "(", "shape": [0]},
    {"array": "", "dtype": "f8,f8", "shape": [0]},
    {"array": "", "dtype": "<f8\n", "shape": [0]},
    {"array": "", "dtype": "<f3", "shape": [0]},
    {"array": "", "dtype": "<i16", "shape": [0]},
    {"array": "", "dtype": "<m8[s]", "shape": [0]},
    {"array": "", "dtype": "<c16", "shape": [0]},
    {"array": "", "dtype": "\x00", "shape": [0]},
    {"array": "", "dtype": "float64", "shape": [0]},
    {"array": "", "dtype": "<f8" * 10_000, "shape": [0]},
    {"array": "\u0661", "dtype": "<f8", "shape": [0]},
    {"array": "AAAAAAAAAAA", "dtype": "<f8", "shape": [1]},
    {"array": "AAAAAAAAAAA=", "dtype": "<f8", "shape": [1.0]},
    {"array": "AAAAAAAAAAA=", "dtype": "<f8", "shape": ["1"]},
    {"array": "AAAAAAAAAAA=", "dtype": "<f8", "shape": [2]},
    {"array": "AAAAAAAAAAA=", "dtype": "<f8", "shape": [1] * 64},
    {"array": "", "dtype": "<f8", "shape": [100_000] * 32 + [0]},
]


@pytest.mark.parametrize("data", BAD, ids=lambda data: repr(data)[:40])
def test_anything_else_is_refused(data):
    with pytest.raises(MalformedError):
        decode(data)


#: Near what is well formed: names, kinds and texts of the encoding, put together anyhow.
NAMES = ["array", "dtype", "shape", "list", "dict", "float"]
DTYPES = ["<f8", "|b1", ">i4", "=u2", ",", "O", "<f", "f8,i4", "V8", "<U3", "(2,)f8", "<M8[ns]"]
dtypes = st.sampled_from(DTYPES) | st.text("<>|=biufOVUSMmc0123456789,()[]{}:' \n", max_size=8)
sizes = st.integers(-2, 4) | st.integers() | st.booleans() | st.floats()
shapes = st.lists(sizes, max_size=4) | st.lists(st.just(0), max_size=70)
texts = st.text(max_size=6) | st.binary(max_size=40).map(lambda raw: base64.b64encode(raw).decode())
odd = st.recursive(
    atoms | st.fixed_dictionaries({"array": texts, "dtype": dtypes, "shape": shapes}),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=3)
        | st.fixed_dictionaries({"list": st.lists(inner, max_size=3)})
        | st.fixed_dictionaries({"dict": st.lists(st.lists(inner | st.text(), max_size=3))})
    ),
    max_leaves=12,
)


@settings(max_examples=600, deadline=None)
@given(odd)
def test_nothing_but_a_refusal_comes_of_what_is_odd(data):
    try:
        decode(data)
    except MalformedError:
        pass


def test_endless_nesting_is_refused():
    data: dict = {"list": []}
    for _ in range(100):
        data = {"list": [data]}
    with pytest.raises(MalformedError):
        decode(data)


def test_a_decoded_array_can_be_written_to():
    array = decode(encode(np.zeros(2)))
    array += 1.0
    assert array.tolist() == [1.0, 1.0]
