"""What a sandbox allows, and what isolation a run had."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

MB = 2**20
GB = 2**30

#: From the strongest to the weakest.
LEVELS = ("full", "partial", "user", "limits", "none")


@dataclass(frozen=True)
class Settings:
    """The limits of one sandbox.

    Sizes are in bytes. What a sandbox can take altogether is `memory`, the three folders, which
    lie in memory too, and what its sockets hold.
    """

    #: Of all processes together: resident memory, files from disk not counted. A watchdog kills.
    memory: int = 2 * GB
    #: Of one process. Libraries reserve more than they touch, so it is larger than `memory`.
    address_space: int = 4 * GB
    #: Of one file; no folder in the sandbox is larger.
    file_size: int = 64 * MB
    #: Processes and threads together; a kernel has about 15 threads.
    processes: int = 64
    #: CPU time of one process.
    cpu_seconds: int = 300
    #: Open files of one process; a kernel has about 60.
    open_files: int = 256
    #: The home folder, which holds the working directory.
    home_size: int = 64 * MB
    #: ``/tmp``.
    tmp_size: int = 64 * MB
    #: ``/dev/shm``.
    shm_size: int = 64 * MB
    #: Sockets of all processes together. What waits in them, 0.2 MB in a unix socket and 4 MB in
    #: a TCP one, is memory of no process. A kernel has about 20. The watchdog kills.
    sockets: int = 40
    #: Files in one of these folders. An empty file takes 1 kB of the system's memory and none
    #: of the folder's size. The watchdog kills.
    entries: int = 20_000
    #: Ranges of files that its processes have locked: memory of no process. The watchdog kills.
    locks: int = 1_000
    #: Seconds between two looks of the watchdog.
    interval: float = 0.02
    #: Who runs students' code where root grades: process limits do not bind root.
    user: int = 65534
    group: int = 65534


@dataclass(frozen=True)
class Isolation:
    """What kept a student's code apart from the machine; kept with the marks.

    Attributes
    ----------
    level : str
        "full": everything that the probe tried was stopped. "partial": bubblewrap, but some
        of it was not. "user": no sandbox, but another user than root, who reads no secret and
        writes where nobody looks. "limits": only limits. "none": nothing.
    leaks : tuple of str
        What the probe could do; for "none", which is not probed, a statement.
    bwrap : str
        Path of bubblewrap, or "".
    version : str
        Its version, for the record only: the level does not depend on it.
    user : int
        The id on this machine of the user who ran the student's code; for "user", where each kernel
        has one of its own, of the probe's.
    """

    level: str
    leaks: tuple[str, ...] = ()
    bwrap: str = ""
    version: str = ""
    user: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**asdict(self), "leaks": list(self.leaks)}
