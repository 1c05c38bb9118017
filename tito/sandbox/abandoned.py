"""Sandboxes whose start was cut off: who had begun them was killed in the midst of it.

A sandbox ends with the process that started it. But the child that bubblewrap makes waits for its
parent before it can know of that, and waits for ever if it is killed then (0.11.0).
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from tito.course.folders import numbering, runs

_NAME = "TITO_STARTED_BY"


def mark() -> dict[str, str]:
    """Return the environment of a sandbox's first process, which says who started it."""
    return {_NAME: f"{numbering()}-{os.getpid()}"}


def end_abandoned() -> None:
    """Kill those of this machine, and of this user or any where it is root's."""
    ours = f"{_NAME}={numbering()}-".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is somebody else's
            if b"bwrap" not in (process / "cmdline").read_bytes():
                continue
            for text in (process / "environ").read_bytes().split(b"\0"):
                if text.startswith(ours) and not runs(text.removeprefix(ours).decode()):
                    os.kill(int(process.name), signal.SIGKILL)
