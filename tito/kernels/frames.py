"""The schema of what a kernel says: whatever a student's code sends, what is read has this shape.

This is the one place where frames are checked. One that is malformed costs what it was to show,
and is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import isfinite
from typing import Any

import nbformat
from nbformat import NotebookNode

from tito.kernels.capture import MAX_FRAME
from tito.text import read_json

Frame = dict[str, Any]

#: What an output keeps of its frame.
OUTPUT_FIELDS = {
    "stream": ("name", "text"),
    "display_data": ("data", "metadata"),
    "execute_result": ("data", "metadata", "execution_count"),
    "error": ("ename", "evalue", "traceback"),
}

#: Lists and mappings in one another; what a part saw has some thirty.
_MAX_DEPTH = 64
#: Beside its text; a list of 100,000 numbers, the longest that a part may see, takes half of it.
_MAX_MEMORY = 16_000_000
_MAX_COUNT = 2**53
#: Kinds of data that nbformat lets have any shape.
_JSON = re.compile(r"application/(.*\+)?json", re.DOTALL)

#: Bytes of frames that are read of a notebook; then only small ones are, such as observations.
_MAX_BYTES, _SMALL = 256_000_000, 128_000


class FrameReader:
    """Reads the frames of a notebook, of all its kernels, while there are not too many.

    To read a frame can take a hundred times as long as to send it.
    """

    def __init__(self) -> None:
        self._left = _MAX_BYTES

    def read(self, data: bytes) -> Frame | None:
        """Return a well-formed frame, see :func:`read`; None also where it is one too many."""
        self._left -= len(data)
        return read(data) if self._left >= 0 or len(data) <= _SMALL else None


def read(data: bytes) -> Frame | None:
    """Return a frame of a kind that a kernel sends, well-formed; None for any other."""
    if len(data) > MAX_FRAME:
        return None
    try:
        frame = read_json(data, _MAX_MEMORY)
        if not isinstance(frame, dict) or _is_odd(frame, _MAX_DEPTH):
            return None
    except (ValueError, RecursionError):
        return None
    kind = frame.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS or not _KINDS[kind](frame):
        return None
    return frame


def output_in(data: Any) -> NotebookNode | None:
    """Return an output that a student's file holds, by the rules of those that a kernel sends."""
    kind = data.get("output_type") if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in OUTPUT_FIELDS:
        return None
    content = {name: data.get(name) for name in OUTPUT_FIELDS[kind]}
    if _are_lines(content.get("text")):  # as files hold a text
        content["text"] = "".join(content["text"])
    if _is_odd(content, _MAX_DEPTH) or not _KINDS[kind]({"cell": 0, **content}):
        return None
    return nbformat.from_dict({"output_type": kind, **content})


def _is_odd(value: Any, levels: int) -> bool:
    """Whether data are nested deeper than so many levels, or hold a number without a value."""
    if isinstance(value, float):
        return not isfinite(value)  # JSON has no such numbers, though Python reads and writes them
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return False
    return levels == 0 or any(_is_odd(item, levels - 1) for item in value)


# Kinds ----------------------------------------------------------------------------------------


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value < _MAX_COUNT


def _is_count_of(frame: Frame) -> bool:
    count = frame.get("execution_count")
    return count is None or _is_number(count)


def _are_lines(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_stream(frame: Frame) -> bool:
    return frame.get("name") in ("stdout", "stderr") and _is_text(frame.get("text"))


def _is_error(frame: Frame) -> bool:
    named = _is_text(frame.get("ename")) and _is_text(frame.get("evalue"))
    return named and _are_lines(frame.get("traceback"))


def _is_display(frame: Frame) -> bool:
    data = frame.get("data")
    if not (isinstance(data, dict) and isinstance(frame.get("metadata"), dict)):
        return False
    name = frame.get("display_id")
    if name is not None and not _is_text(name):
        return False
    return all(
        _is_text(item) or _are_lines(item) or _JSON.fullmatch(kind) for kind, item in data.items()
    )


def _is_result(frame: Frame) -> bool:
    return "execution_count" in frame and _is_display(frame) and _is_count_of(frame)


def _is_end(frame: Frame) -> bool:
    error = frame.get("error", ())
    known = error is None or (_are_lines(error) and len(error) == 2)
    return known and _is_count_of(frame) and type(frame.get("ends")) is bool


def _of_cell(check: Callable[[Frame], bool]) -> Callable[[Frame], bool]:
    return lambda frame: _is_number(frame.get("cell")) and check(frame)


_KINDS: dict[str, Callable[[Frame], bool]] = {
    "ready": lambda frame: "cell" not in frame,
    "failed": lambda frame: "cell" not in frame and _is_text(frame.get("reason")),
    "begin": _of_cell(lambda frame: True),
    "done": _of_cell(_is_end),
    "clear_output": _of_cell(lambda frame: type(frame.get("wait")) is bool),
    "display_data": _of_cell(_is_display),
    "error": _of_cell(_is_error),
    "execute_result": _of_cell(_is_result),
    "stream": _of_cell(_is_stream),
    "update_display_data": _of_cell(_is_display),
}
