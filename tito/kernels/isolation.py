"""What isolation a machine gives to started kernels, and whether forked ones have it too."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import tito
from tito.course.files import replace_text
from tito.errors import TitoError
from tito.kernels.fork_probe import ForkProbe
from tito.sandbox import Isolation, choose
from tito.sandbox.bubblewrap import find_bwrap
from tito.sandbox.settings import Settings

#: What a process says of its privileges, and the switches of the system that a sandbox rests on.
_STATUS = ("Cap", "NoNewPrivs", "Seccomp", "Groups", "Uid", "Gid")
_SWITCHES = (
    "/proc/sys/user/max_user_namespaces",
    "/proc/sys/kernel/unprivileged_userns_clone",
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    "/proc/sys/kernel/seccomp/actions_avail",
)


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


def circumstances(
    package: Path | None, secret_folders: Sequence[Path], answers: tuple[str, ...]
) -> str:
    """Digest all that a finding of :func:`find` depends on, the day among it.

    While it is the same, the same would be found: this machine since it was started, its switches,
    who this process is, bubblewrap, these tools, and what is hidden and shown.
    """
    known = [this_machine(), date.today().isoformat(), sys.version, str(find_bwrap())]
    known += [repr(Settings()), repr(secret_folders), repr(answers), str(package)]
    status = Path("/proc/self/status").read_text().splitlines()
    known += [line for line in status if line.startswith(_STATUS)]
    known += [path.read_text() for path in map(Path, _SWITCHES) if path.exists()]
    tools = Path(tito.__file__).parent
    folders = [tools / "sandbox", tools / "kernels", *filter(None, [package])]
    files = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    for path in (*files, *filter(None, [find_bwrap()])):
        stat = path.stat()
        known.append(f"{path} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\0".join(known).encode()).hexdigest()


def kept_in(file: Path, circumstances: str) -> IsolationReport | None:
    """Return the finding that was kept, if it was made in the same circumstances."""
    try:
        kept = json.loads(file.read_text())
        return _kept(**kept["isolation"]) if kept["circumstances"] == circumstances else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep_in(file: Path, circumstances: str, report: IsolationReport) -> None:
    """Keep the best finding; any other is looked for again the next time."""
    if report.forks and report.isolation.level == "full":
        kept = {"circumstances": circumstances, "isolation": asdict(report.isolation)}
        replace_text(file, json.dumps(kept) + "\n")


def _kept(leaks: Sequence[str], **isolation: Any) -> IsolationReport:
    return IsolationReport(Isolation(leaks=tuple(leaks), **isolation), forks=True)


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
