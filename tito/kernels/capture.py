"""What a cell shows, sent to the grader while the cell runs.

It stands alone: a sandbox holds this file and the shell's, and nothing else of the tools. A frame
is its length and as much JSON; :mod:`tito.kernels.frames` says what may be in one.
"""

from __future__ import annotations

import base64
import io
import json
import math
import numbers
import os
import select
import signal
import socket
import struct
import threading
from collections import deque
from contextlib import suppress
from contextvars import ContextVar
from datetime import date
from typing import Any

LENGTH = struct.Struct("=I")
MAX_FRAME = 12 * 2**20
#: Of the name and the text of an error that is told in short.
SHORT = 1000
#: Seconds that text may wait for more of it, and the characters that are sent without waiting. So
#: small a frame is read also of a notebook that has shown far too much.
_DELAY, _PIECE = 0.1, 2**15
_READ = 2**16

#: The cell by which a task was begun; what it shows when that cell is over is shown nowhere.
CELL: ContextVar[int] = ContextVar("cell")


def encode(frame: dict[str, Any]) -> bytes:
    """Return a frame as bytes; what JSON has no words for is reduced to what it has."""
    try:
        text = json.dumps(frame, default=_plain, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):  # a key, or a number without a value
        text = json.dumps(_reduced(frame), default=_plain, ensure_ascii=False)
    data = text.encode("utf-8", "replace")  # half a character is none
    return LENGTH.pack(len(data)) + data


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return _reduced(float(value))
    return repr(value)


def _reduced(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _reduced(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_reduced(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    return value


class Capture:
    """Collects what a cell shows, in any thread, and what its processes write.

    A thread sends text that has waited, so that a cell that hangs or dies has shown it. Only one
    thread sends at a time, and an interrupt has to wait until a frame is finished.
    A process that a student forks sends nothing; what it prints reaches its parent by a pipe.
    """

    def __init__(self) -> None:
        self.cell = 0
        self._connection: socket.socket | None = None
        # One end of a deque may be taken from while another thread adds to the other.
        self._text: dict[str, deque[str]] = {"stdout": deque(), "stderr": deque()}
        self._size = 0
        self._pipes: dict[int, str] = {}
        self._written = select.poll()
        self._lock = threading.RLock()
        self._depth, self._is_interrupted = 0, False
        self._main = threading.get_ident()
        self._handler: Any = signal.SIG_IGN
        os.register_at_fork(after_in_child=self._become_child)

    def connect(self, connection: socket.socket) -> None:
        """Send to this connection, also what is written to the standard streams."""
        self._connection, self._main = connection, threading.get_ident()
        for number, name in ((1, "stdout"), (2, "stderr")):
            ours, theirs = os.pipe()
            os.dup2(theirs, number)
            os.close(theirs)
            os.set_blocking(ours, False)
            self._pipes[ours] = name
            self._written.register(ours, select.POLLIN)
        threading.Thread(target=self._send_late_text, daemon=True, name="outputs").start()

    def _become_child(self) -> None:
        self._connection, self._pipes = None, {}
        # A thread that is not copied may hold it; this one cannot, since it was busy forking.
        self._lock, self._depth = threading.RLock(), 0

    # Interrupts ---------------------------------------------------------------------------

    def __enter__(self) -> Capture:
        if threading.get_ident() == self._main:
            handler = signal.signal(signal.SIGINT, self._postpone)  # from here on, none comes
            if not self._depth:
                self._handler = signal.SIG_DFL if handler is None else handler
            self._depth += 1
        self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        if threading.get_ident() == self._main:
            self._depth -= 1
            if not self._depth:
                signal.signal(signal.SIGINT, self._handler)
                if self._is_interrupted:
                    self._is_interrupted = False
                    signal.raise_signal(signal.SIGINT)

    def _postpone(self, *_: Any) -> None:
        self._is_interrupted = True

    # Text ---------------------------------------------------------------------------------

    def write(self, name: str, text: str) -> None:
        """Take text that is printed, which takes little longer than to print it."""
        if self._connection is None:  # in a process that was forked
            os.write(1 if name == "stdout" else 2, text.encode("utf-8", "replace"))
        elif CELL.get(self.cell) == self.cell:
            if self._written.poll(0):
                with self:
                    self._read_pipes()
            self._text[name].append(text)
            self._size += len(text)
            if self._size >= _PIECE:
                with self:
                    self._send_text()

    def flush(self) -> None:
        """Send the text that there is."""
        with self:
            self._read_pipes()
            self._send_text()

    def _read_pipes(self) -> None:
        for pipe, name in self._pipes.items():
            with suppress(BlockingIOError):
                # As much as it holds, and no more: who writes without end is not waited for.
                if data := os.read(pipe, _READ):
                    self._text[name].append(data.decode(errors="replace"))
                    self._size += len(data)

    def _send_text(self) -> None:
        for name, pieces in self._text.items():
            text = "".join(pieces.popleft() for _ in range(len(pieces)))
            for start in range(0, len(text), _PIECE):
                self._send("stream", name=name, text=text[start : start + _PIECE])
        self._size = 0

    def _send_late_text(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        pipes = list(self._pipes)
        with suppress(OSError):  # the grader is gone, or the cell has closed what is not its own
            while True:
                select.select(pipes, [], [], _DELAY)
                if any(self._text.values()) or select.select(pipes, [], [], 0)[0]:
                    with self:
                        self._read_pipes()
                        self._send_text()

    # Frames -------------------------------------------------------------------------------

    def begin(self, cell: int) -> None:
        """Begin a cell: what was shown since the last one has ended is shown nowhere."""
        with self:
            self._read_pipes()
            for pieces in self._text.values():
                pieces.clear()
            self._size, self.cell, self._is_interrupted = 0, cell, False
            CELL.set(cell)
            self._send("begin")

    def show(self, kind: str, **content: Any) -> None:
        """Send an output, and before it the text that was printed until now.

        It is sent when this returns, whatever becomes of this process.
        """
        if CELL.get(self.cell) == self.cell:
            with self:
                self._read_pipes()
                self._send_text()
                self._send(kind, **content)

    def end(self, **content: Any) -> None:
        """End the cell."""
        self.show("done", **content)

    def _send(self, kind: str, **content: Any) -> None:
        if self._connection is None:
            return
        data = encode({"kind": kind, "cell": self.cell, **content})
        if len(data) > MAX_FRAME:
            said = f"[an output of {len(data) / 2**20:.0f} MB is too large and was dropped]\n"
            data = encode({"kind": "stream", "cell": self.cell, "name": "stderr", "text": said})
        self._connection.sendall(data)


class Stream(io.TextIOBase):
    """What ``sys.stdout`` and ``sys.stderr`` are while cells run."""

    encoding, errors = "UTF-8", "replace"

    def __init__(self, capture: Capture, name: str, number: int) -> None:
        self.name = f"<{name}>"
        self._capture, self._stream, self._number = capture, name, number

    def fileno(self) -> int:
        """Return the file that processes inherit."""
        return self._number

    def isatty(self) -> bool:
        """Say that nobody looks at it."""
        return False

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Take text."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if text:
            self._capture.write(self._stream, text)
        return len(text)

    def flush(self) -> None:
        """Send the text that there is."""
        self._capture.flush()
