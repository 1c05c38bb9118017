"""Text that somebody else wrote, made fit for a program, for a file and for a terminal."""

from __future__ import annotations

import json
import re
import textwrap
from typing import Any

#: Also one without an end, so that the search goes through a text once, whatever it is.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
#: What values take in memory beside their text, at most, by the mark that comes with each.
_COSTS = {b"{": 240, b"[": 60, b",": 70}
#: A control sequence of a terminal, by its grammar in ECMA-48.
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


class TooMuchError(ValueError):
    """JSON that would take more memory than its reader has for it."""


def read_json(data: bytes, max_memory: int) -> Any:
    """Read JSON of which every string can be written to a file.

    Parameters
    ----------
    data : bytes
        UTF-8, with a mark of its order or without.
    max_memory : int
        Bytes that what is read may take beside its text: three characters can be an empty list.

    Raises
    ------
    ValueError
        If it is none, or takes more: `JSONDecodeError`, `UnicodeDecodeError`, `TooMuchError`.
    RecursionError
        If it is nested too deep.
    """
    cost = _cost(data)
    if cost > max_memory:
        cost -= sum(_cost(text[0]) for text in _STRING.finditer(data))
    if cost > max_memory:
        raise TooMuchError(f"its values would take more than {max_memory // 10**6} MB of memory")
    return encodable(json.loads(data.decode("utf-8-sig")))


def _cost(data: bytes) -> int:
    return sum(cost * data.count(mark) for mark, cost in _COSTS.items())


def encodable(value: Any) -> Any:
    """Return plain data in which every string can be written to a file.

    JSON may name halves of characters (lone surrogates), which no encoding has. Each becomes a
    question mark.

    Parameters
    ----------
    value : str, dict, list or other plain data
        Lists and dictionaries are changed in place, since they may be large.

    Raises
    ------
    RecursionError
        If it is nested too deep.
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        value[:] = map(encodable, value)
    elif isinstance(value, dict):
        if not all(map(str.isascii, value)):
            renamed = {encodable(key): item for key, item in value.items()}
            value.clear()
            value.update(renamed)
        for key, item in value.items():
            value[key] = encodable(item)
    return value


def without_colors(text: str) -> str:
    """Return text without the sequences that make a terminal show colors or move its cursor."""
    return _CONTROL.sub("", text)


def printable(text: str, keep: str = "") -> str:
    r"""Return text that any file can hold and that no terminal obeys.

    Control characters, line ends, marks of direction, spaces of other widths and what is no text
    at all are written as in Python: ``\x1b``, ``\u202e``.

    Parameters
    ----------
    text : str
        From anywhere.
    keep : str
        Characters to leave as they are, such as line ends.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in keep else ascii(char)[1:-1] for char in text
    )


def excerpt(line: str, longest: int = 80) -> str:
    """Shorten a line of somebody else's, and leave nothing in it that a terminal obeys."""
    text = line.strip()[: 4 * longest]
    return textwrap.shorten(printable(text), longest, placeholder=" ...")
