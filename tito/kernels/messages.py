"""Read a kernel's messages: whatever a student's code sends, what comes out has a known shape.

This is the one place where messages are checked. One that is none costs what it was to show, or
the reply that it was to be, and is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any

from tito.text import read_json

Message = dict[str, Any]

_DELIMITER = b"<IDS|MSG>"
#: Lists and mappings in one another; what a part saw has some thirty.
_MAX_DEPTH = 64
#: Beside its text; a list of 100,000 numbers, the longest that a part may see, takes half of it.
_MAX_MEMORY = 16_000_000
_MAX_COUNT = 2**53
#: Kinds of data that nbformat lets have any shape.
_JSON = re.compile(r"application/(.*\+)?json", re.DOTALL)

#: Bytes of messages that are read of a notebook; then only small ones are, such as observations.
_MAX_BYTES, _SMALL = 256_000_000, 128_000


class Reader:
    """Reads the messages of a notebook, of all its kernels, while there are not too many.

    To read a message can take a hundred times as long as to send it.
    """

    def __init__(self) -> None:
        self._left = _MAX_BYTES

    def read(self, frames: Sequence[bytes]) -> Message | None:
        """Return a well-formed message, see :func:`read`; None also where it is one too many."""
        size = sum(map(len, frames))
        self._left -= size
        return read(frames) if self._left >= 0 or size <= _SMALL else None


def read(frames: Sequence[bytes]) -> Message | None:
    """Return a message of a kind that grading knows, well-formed; None for any other.

    Parameters
    ----------
    frames : sequence of bytes
        As ``jupyter_client.session`` writes them. They are not signed: who can reach the socket
        knows the key.
    """
    try:
        at = list(frames).index(_DELIMITER)
        header, parent, metadata, content = map(_decode, frames[at + 2 : at + 6])
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(part, dict) for part in (header, parent, metadata, content)):
        return None
    kind, name = header.get("msg_type"), header.get("msg_id")
    if not isinstance(kind, str) or not isinstance(name, str):
        return None
    if kind not in _KINDS or not _KINDS[kind](content):
        return None
    return {
        "header": header,
        "msg_id": name,
        "msg_type": kind,
        "parent_header": parent,
        "metadata": metadata,
        "content": content,
        "buffers": [],
    }


def _decode(data: bytes) -> Any:
    """Return the JSON data of a frame."""
    decoded = read_json(data, _MAX_MEMORY)
    if _is_odd(decoded, _MAX_DEPTH):
        raise ValueError("nested too deep, or not a number")
    return decoded


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


def _is_count_of(content: Message) -> bool:
    count = content.get("execution_count")
    return count is None or (type(count) is int and 0 <= count < _MAX_COUNT)


def _are_lines(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_stream(content: Message) -> bool:
    return content.get("name") in ("stdout", "stderr") and _is_text(content.get("text"))


def _is_error(content: Message) -> bool:
    named = _is_text(content.get("ename")) and _is_text(content.get("evalue"))
    return named and _are_lines(content.get("traceback"))


def _is_display(content: Message) -> bool:
    data, transient = content.get("data"), content.get("transient") or {}
    if not (isinstance(data, dict) and isinstance(content.get("metadata"), dict)):
        return False
    if not isinstance(transient, dict) or not _is_text(transient.get("display_id") or ""):
        return False
    return all(
        _is_text(item) or _are_lines(item) or _JSON.fullmatch(kind) for kind, item in data.items()
    )


def _is_result(content: Message) -> bool:
    return "execution_count" in content and _is_display(content) and _is_count_of(content)


def _is_reply(content: Message) -> bool:
    status = content.get("status")
    if not _is_count_of(content):
        return False
    return _is_error(content) if status == "error" else status in ("ok", "aborted")


#: What nbclient and this package act on; all else, such as widgets' messages, is of no use here.
_KINDS: dict[str, Callable[[Message], bool]] = {
    "clear_output": lambda content: type(content.get("wait")) is bool,
    "display_data": _is_display,
    "error": _is_error,
    "execute_input": _is_count_of,
    "execute_reply": _is_reply,
    "execute_result": _is_result,
    "kernel_info_reply": lambda content: str(content.get("protocol_version"))[:2] == "5.",
    "status": lambda content: _is_text(content.get("execution_state")),
    "stream": _is_stream,
    "update_display_data": _is_display,
}
