"""IPython's kernel as it is, with sockets of ZeroMQ, in a fork of a warm process.

It stands alone: a zygote loads it by its path. What is imported here is imported before the
fork; whatever has a thread, such as a context of ZeroMQ, is made after it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

from ipykernel.kernelapp import IPKernelApp

# Set by the zygote for kernels of any kind; this one has no use for it.
wire: Any = None


def prepare() -> None:
    """Do nothing before the fork: a kernel of this kind begins with its sockets."""


def main(arguments: Sequence[str]) -> None:
    """Be the kernel that ``python -m ipykernel_launcher`` would start with these arguments."""
    sys.argv[1:] = arguments
    asyncio.set_event_loop(asyncio.new_event_loop())
    app = IPKernelApp.instance()
    app.initialize(list(arguments))
    app.start()
    # A started process does this at its exit: the last replies are sent.
    app.close()
