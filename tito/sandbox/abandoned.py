"""Sandboxes whose start was cut off: who had begun them was killed in the midst of it.

A sandbox ends with the process that started it. But the child that bubblewrap makes waits for its
parent before it can know of that, and waits for ever if it is killed then (0.11.0).
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from tito.course.folders import has_ended, this_process

_NAME = "TITO_STARTED_BY"


def mark() -> dict[str, str]:
    """Return the environment of a sandbox's first process, which says who started it."""
    return {_NAME: this_process()}


def end_abandoned() -> None:
    """Kill those of this machine, and of this user or any where it is root's."""
    begins = f"{_NAME}=".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is somebody else's
            if b"bwrap" not in (process / "cmdline").read_bytes():
                continue
            for text in (process / "environ").read_bytes().split(b"\0"):
                # A student's process may say anything of itself.
                by = text.removeprefix(begins).decode(errors="replace")
                if text.startswith(begins) and has_ended(by):
                    os.kill(int(process.name), signal.SIGKILL)
