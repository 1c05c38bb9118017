"""Plain data as JSON and back: how observations leave a student's process.

Decoding trusts nothing: every type is checked exactly, every size is capped, and what does not
fit is refused as a whole.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import zlib
from typing import Any

import numpy as np

_MAX_DEPTH = 10
_MAX_ITEMS = 100_000
_MAX_TEXT = 10_000
_MAX_INTEGER = 2**200
#: The only types that NumPy is asked for: it has a whole language for others.
_DTYPE = re.compile(r"\|b1|[|<>][iu]1|[<>](?:[iu][248]|f(?:2|4|8|12|16))")


class MalformedError(ValueError):
    """Data that is not an encoding of plain data."""


def encode(value: Any) -> Any:
    """Turn plain data into JSON-ready data; see :func:`tinytorch.checks.observe.plain`."""
    if isinstance(value, np.ndarray):
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode("ascii")
        return {"array": data, "dtype": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, dict):
        return {"dict": [[key, encode(item)] for key, item in value.items()]}
    if isinstance(value, (list, tuple)):
        return {"list": [encode(item) for item in value]}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    return value


def decode(data: Any) -> Any:
    """Turn the result of :func:`encode` back into plain data.

    Raises
    ------
    MalformedError
        If it is anything else.
    """
    return _decode(data, 0, [0])


def _decode(data: Any, depth: int, count: list[int]) -> Any:
    count[0] += 1
    if depth > _MAX_DEPTH or count[0] > _MAX_ITEMS:
        raise MalformedError("the data is nested too deep or too large")
    if data is None or type(data) is bool:
        return data
    if type(data) is int and abs(data) < _MAX_INTEGER:
        return data
    if type(data) is float and math.isfinite(data):
        return data
    if type(data) is str and len(data) <= _MAX_TEXT:
        return data
    if type(data) is not dict or len(data) not in (1, 3):
        raise MalformedError(f"a value of type {type(data).__name__} has no place here")
    return _decode_tagged(data, depth, count)


def _decode_tagged(data: dict[str, Any], depth: int, count: list[int]) -> Any:
    match data:
        case {"float": ("nan" | "inf" | "-inf") as name}:
            return float(name)
        case {"list": list(items)}:
            return [_decode(item, depth + 1, count) for item in items]
        case {"dict": list(pairs)}:
            return _decode_pairs(pairs, depth, count)
        case {"array": str(text), "dtype": str(dtype), "shape": list(shape)}:
            return _decode_array(text, dtype, shape)
    raise MalformedError("a value has an unknown form")


def _decode_pairs(pairs: list[Any], depth: int, count: list[int]) -> dict[str, Any]:
    decoded: dict[str, Any] = {}
    for pair in pairs:
        if type(pair) is not list or len(pair) != 2 or type(pair[0]) is not str:
            raise MalformedError("a dictionary has an entry that is no pair of a name and a value")
        if pair[0] in decoded:
            raise MalformedError(f"a dictionary has two entries {pair[0][:40]!r}")
        decoded[pair[0]] = _decode(pair[1], depth + 1, count)
    return decoded


def _decode_array(text: str, name: str, shape: list[Any]) -> np.ndarray:
    if len(text) > 20 * _MAX_ITEMS or len(shape) > 32:
        raise MalformedError("an array is too large")
    if not _DTYPE.fullmatch(name):
        raise MalformedError(f"an array has the impossible type {name[:40]!r}")
    if any(type(length) is not int or not 0 <= length <= _MAX_ITEMS for length in shape):
        raise MalformedError("an array has an impossible shape")
    try:
        dtype = np.dtype(name)  # not every machine has the longest floats
        raw = base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise MalformedError("an array cannot be read") from error
    # math.prod: NumPy's own product would wrap around.
    if len(raw) != math.prod(shape) * dtype.itemsize:
        raise MalformedError("an array's data does not fit its type and shape")
    return np.frombuffer(raw, dtype=dtype).reshape(shape).copy()


def pack(data: Any) -> str:
    """Turn JSON-ready data into a text of letters, digits and signs, a fraction as long."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode())).decode("ascii")


def unpack(text: str) -> Any:
    """Turn the result of :func:`pack` back into data; only for text of the course's own."""
    return json.loads(zlib.decompress(base64.b64decode(text)))
