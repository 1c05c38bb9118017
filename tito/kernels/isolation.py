"""What isolation a machine gives to started kernels, and whether forked ones have it too."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from tito.errors import TitoError
from tito.kernels.fork_probe import ForkProbe
from tito.sandbox import Isolation, choose
from tito.sandbox.settings import Settings


@dataclass(frozen=True)
class IsolationReport:
    """What was found on a machine.

    Attributes
    ----------
    isolation : Isolation
        Of students' code, whichever way its kernel comes to be.
    forks : bool
        Whether a kernel that is forked into a sandbox is as well isolated as one that starts in it.
        Otherwise kernels are started, which is slower.
    """

    isolation: Isolation
    forks: bool


def this_machine() -> str:
    """Name this machine, its current run, and the user: what a finding holds for."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    run = boot.read_text().strip() if boot.exists() else ""
    return f"{socket.gethostname()} {run} {os.geteuid()} {os.readlink('/proc/self/ns/user')}"


@lru_cache(maxsize=8)
def find(
    accepted: str | None,
    package: Path | None = None,
    secret_folders: Sequence[Path] = (),
    answers: tuple[str, ...] = (),
) -> IsolationReport:
    """Probe this machine, once in a process; see :func:`tito.sandbox.choose`.

    Raises
    ------
    TitoError
        If the isolation is weaker than `accepted`.
    """
    isolation = choose(accepted, package=package, secret_folders=secret_folders, answers=answers)
    sandboxed = isolation.level in ("full", "partial")
    return IsolationReport(isolation, sandboxed and fork_is_isolated(isolation.leaks, answers))


@cache
def fork_is_isolated(leaks: tuple[str, ...] = (), answers: tuple[str, ...] = ()) -> bool:
    """Whether a forked kernel gets at nothing but these leaks, which started ones have too."""
    try:
        return set(ForkProbe(Settings(), answers).leaks()) <= set(leaks)
    except TitoError:  # one that could not be tried is not trusted
        return False
