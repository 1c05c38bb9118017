"""Where the command `tito` begins: Ctrl-C ends it without a traceback while it is imported, too.

It imports next to nothing itself.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def imports_end_quietly() -> Iterator[None]:
    """Let Ctrl-C end this process at once, as long as it has begun nothing.

    An interrupt that is raised amid an import comes out as a traceback, or as another error, of
    whatever library it met.
    """
    before = signal.getsignal(signal.SIGINT)
    in_main_thread = threading.current_thread() is threading.main_thread()
    if before is not signal.default_int_handler or not in_main_thread:
        yield
        return
    signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end(*_: Any) -> None:
    os.write(2, b"\nAborted!\n")
    os._exit(1)


def main() -> None:
    """Run the command line of the course."""
    _run("tito.cli")


def student() -> None:
    """Run the command line of a student."""
    _run("tito.student.main")


def _run(name: str) -> None:
    with imports_end_quietly():
        gc.disable()  # imports leave no garbage to look for, now or at the end
        module = importlib.import_module(name)
        gc.freeze()
        gc.enable()
    module.main()
