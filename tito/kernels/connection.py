"""The grader's end of the socket to a kernel."""

from __future__ import annotations

import json
import select
import socket
from time import monotonic
from typing import Any

from tito.kernels.capture import LENGTH, MAX_FRAME
from tito.kernels.frames import Frame, FrameReader

_READ = 2**18


class Connection:
    """Sends cells and receives frames, and never waits longer than it is told.

    It holds one frame that is not read yet, and little more: a kernel that sends faster waits.

    Parameters
    ----------
    ours : socket
        Its own from now on.
    reader : FrameReader
        Of the notebook.
    """

    def __init__(self, ours: socket.socket, reader: FrameReader) -> None:
        ours.setblocking(False)
        self._socket, self._reader = ours, reader
        self._came, self._skips = bytearray(), 0
        self._leaves = bytearray()
        self._is_over = False

    def send(self, request: dict[str, Any]) -> None:
        """Send a request, while frames are received: a kernel may not listen."""
        data = json.dumps(request).encode()
        self._leaves += LENGTH.pack(len(data)) + data

    def receive(self, seconds: float) -> Frame | None:
        """Return the next well-formed frame, or None if none comes in time.

        Raises
        ------
        EOFError
            If the other end is gone, and all that it has sent was received.
        """
        deadline = monotonic() + seconds
        while True:
            data = self._next()
            if data is not None:
                frame = self._reader.read(data)
                if frame is not None:
                    return frame
            left = max(0.0, deadline - monotonic())
            if data is None:
                if self._is_over:
                    raise EOFError("the kernel is gone")
                if not self._exchange(left):
                    return None
            elif not left:
                return None

    def _next(self) -> bytes | None:
        """Take the next frame out of what came."""
        if self._skips:
            skipped = min(self._skips, len(self._came))
            del self._came[:skipped]
            self._skips -= skipped
        if len(self._came) < LENGTH.size:
            return None
        (size,) = LENGTH.unpack_from(self._came)
        if size > MAX_FRAME:
            self._skips = LENGTH.size + size
            return b""
        if len(self._came) < LENGTH.size + size:
            return None
        data = bytes(memoryview(self._came)[LENGTH.size : LENGTH.size + size])
        del self._came[: LENGTH.size + size]
        return data

    def _exchange(self, seconds: float) -> bool:
        """Send and receive what can be; False if nothing could in time."""
        writing = [self._socket] if self._leaves else []
        readable, writable, _ = select.select([self._socket], writing, [], seconds)
        try:
            if writable:
                del self._leaves[: self._socket.send(self._leaves[:_READ])]
            if readable:
                more = self._socket.recv(_READ)
                self._came += more
                self._is_over = not more
        except ConnectionError:
            self._is_over = True
        return bool(readable or writable)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
