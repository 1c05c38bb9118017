"""Starts that fail, and what this process holds."""

import errno
import gc
import itertools
import os
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import zmq
from jupyter_client.channels import HBChannel

from tito.sandbox import bubblewrap

#: A program that waits, by which these tests know what they have started. Other processes run
#: these tests meanwhile, one of them as an ordinary user.
SLEEP = ["sleep", str(10_000_000 + os.getpid())]
#: Of kernels that nbgrader started: it never closes them, a warning comes of those that are dropped
#: open, and closing waits for ever for sockets that nobody can reach.
_contexts: list[zmq.Context[zmq.Socket[bytes]]] = []


def break_start(monkeypatch, where: str, call: int = 1) -> None:
    """Let the start of a sandbox fail: bubblewrap itself, or a call of the system, by number."""
    if where == "bubblewrap":
        joined = bubblewrap._joined
        wrong = ["--ro-bind", "/no/such", "/no"]
        monkeypatch.setattr(bubblewrap, "_joined", lambda args: joined([*args, *wrong]))
        return
    module, name = {"Popen": subprocess, "pidfd_open": os, "readlink": os}[where], where
    original, calls = getattr(module, name), itertools.count(1)

    def refuse(*arguments, **more):
        # Links of the file system are read before anything is open.
        concerned = name != "readlink" or "/ns/" in str(arguments[0])
        if concerned and next(calls) >= call:
            raise OSError(errno.EMFILE, "Too many open files")
        return original(*arguments, **more)

    monkeypatch.setattr(module, name, refuse)


def held_by_this_process() -> set[str]:
    """Name the open files of this process, and the processes that it has started.

    What an earlier test has left may go meanwhile; what comes is the test's own. The heartbeats
    of kernels that nbgrader started for its AUTOTESTs, and never stops, would open files anew.
    """
    for thread in threading.enumerate():
        if isinstance(thread, HBChannel):
            thread.stop()
            _contexts.append(thread.context)
    gc.collect()
    children = Path("/proc/self/task").glob("*/children")
    started = {pid for path in children for pid in path.read_text().split()}
    held = set()
    for path in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the listing's own
            held.add(f"{path.name}: {os.readlink(path)}")
    return held | started


def sleeping() -> list[str]:
    """Return the command lines on this machine that hold this process's `SLEEP`."""
    marker, found = " ".join(SLEEP), []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if marker in line and int(path.parent.name) != os.getpid():
            found.append(line)
    return found


def wait_for(condition, seconds=30.0):
    """Wait for what takes no time, on a machine that may have much else to do."""
    until = monotonic() + seconds
    while monotonic() < until:
        if condition():
            return True
        sleep(0.02)
    return False
