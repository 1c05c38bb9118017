"""Whole messages over a packet socket, from any thread or process of a student's code.

It stands alone: a zygote loads it by its path, and nothing else of the tools. A message is a
channel and some parts. Packets keep their bounds and their order, so messages of several
senders can be told apart and put together again, whatever the senders do.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

#: Channels of a kernel, and where it tells why it could not start.
SHELL, IOPUB, STDIN, FAILED = range(4)

#: Messages are not signed: nobody else can reach the socket.
KEY = b""

#: A packet begins with who sent it, the number of the message, a channel, and whether more follow.
_HEAD = struct.Struct("=8sIBB")
_LENGTH = struct.Struct("=I")
_PACKET = 48 * 1024
#: Unfinished messages that are kept; nobody who means well has as many processes that talk.
_SENDERS = 64
#: Parts of a message; a kernel's have seven, and some for what is attached.
_PARTS = 64

Message = tuple[int, list[bytes]]


class Sender:
    """Sends messages; every process that is forked from this one is a sender of its own."""

    def __init__(self) -> None:
        self._connection: socket.socket | None = None
        self._become_new()
        os.register_at_fork(after_in_child=self._become_new)

    def connect(self, connection: socket.socket) -> Sender:
        """Send to this connection from now on."""
        self._connection = connection
        return self

    def _become_new(self) -> None:
        # The lock may be held by a thread that the fork did not copy.
        self._lock = threading.Lock()
        self._name, self._count = os.urandom(8), 0

    def send(self, channel: int, parts: Sequence[bytes]) -> None:
        """Send a message; waits while nobody reads, and is lost while nobody is there."""
        if self._connection is None:
            return
        data = b"".join(_LENGTH.pack(len(part)) + bytes(part) for part in parts)
        pieces = [data[at : at + _PACKET] for at in range(0, len(data), _PACKET)] or [b""]
        with self._lock:
            # Counted, since an interrupt may leave a message unfinished.
            self._count = (self._count + 1) % 2**32
            for left, piece in zip(range(len(pieces) - 1, -1, -1), pieces, strict=True):
                head = _HEAD.pack(self._name, self._count, channel, left > 0)
                self._connection.sendall(head + piece)


@dataclass
class _Unfinished:
    count: int
    size: int = 0
    pieces: list[bytes] = field(default_factory=list)


class Assembler:
    """Puts packets together again; what is no message, or too large for one, is dropped.

    Parameters
    ----------
    limit : int
        Bytes of the largest message. Of unfinished ones some dozens are kept, and of their bytes
        twice as many.

    Attributes
    ----------
    dropped : int
        How many messages were too large.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: dict[bytes, _Unfinished] = {}
        self.dropped = 0

    def add(self, packet: bytes) -> Message | None:
        """Take a packet; return the message that it completes, if it does."""
        if len(packet) < _HEAD.size:
            return None
        name, count, channel, more = _HEAD.unpack_from(packet)
        found = self._open.pop(name, None)
        if found is None or found.count != count:
            found = _Unfinished(count)
        found.size += len(packet)
        if found.size <= self._limit:
            found.pieces.append(packet[_HEAD.size :])
        else:
            found.pieces.clear()
        if more:
            self._open[name] = found
            while len(self._open) > _SENDERS or self._held > 2 * self._limit:
                del self._open[next(iter(self._open))]
            return None
        if found.size > self._limit:
            self.dropped += 1
            return None
        return _message(channel, b"".join(found.pieces))

    @property
    def _held(self) -> int:
        """Bytes of unfinished messages; one that is too large holds none."""
        sizes = (found.size for found in self._open.values())
        return sum(size for size in sizes if size <= self._limit)


def _message(channel: int, data: bytes) -> Message | None:
    parts, at = [], 0
    while at < len(data):
        if at + _LENGTH.size > len(data):
            return None
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        if at + length > len(data):
            return None
        parts.append(data[at : at + length])
        at += length
        if len(parts) > _PARTS:
            return None
    return channel, parts
