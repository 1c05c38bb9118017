"""Text that somebody else wrote, made fit for a file and for a terminal."""

from __future__ import annotations

from typing import Any


def encodable(value: Any) -> Any:
    """Return plain data in which every string can be written to a file.

    JSON may name halves of characters (lone surrogates), which no encoding has. Each becomes a
    question mark.

    Parameters
    ----------
    value : str, dict, list or other plain data
        Is not changed.

    Raises
    ------
    RecursionError
        If it is nested too deep.
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {encodable(key): encodable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [encodable(item) for item in value]
    return value


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
