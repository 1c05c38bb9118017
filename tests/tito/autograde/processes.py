"""The processes of a run, by what they are for."""

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from tito.sandbox.watchdog import tree

TITO = [sys.executable, "-c", "from tito.cli import main; main()"]
KINDS = ("driver", "forkserver", "worker", "zygote", "kernel", "sandbox")


def start_tito(
    root: Path, *arguments: str, scratch: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.Popen:
    """Start the command line in a course, as from a terminal: as a group of processes."""
    return subprocess.Popen(
        [*TITO, *arguments],
        cwd=root,
        env={**os.environ, **(env or {}), **({"TMPDIR": str(scratch)} if scratch else {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )


def line_of(stream: IO[str], seconds: float = 120) -> str:
    """Read the next line of a process; fail where none comes in time.

    It is read past the stream's own buffer, for which nobody can wait.
    """
    line, deadline = b"", time.monotonic() + seconds
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([stream], [], [], max(0, deadline - time.monotonic()))
        assert ready, f"no line came in {seconds:g} s, but {line!r}"
        more = os.read(stream.fileno(), 1)
        assert more, f"the process said no line, but {line!r}"
        line += more
    return line.decode()


def kinds_of(driver: int) -> dict[str, list[int]]:
    """Return the processes of a run, the run's first one included."""
    found: dict[str, list[int]] = {}
    kinds: dict[int, str] = {0: ""}
    for pid in tree(driver):  # parents come first
        kinds[pid] = _kind(pid, driver, kinds.get(_parent(pid), ""))
        found.setdefault(kinds[pid], []).append(pid)
    return found


def _kind(pid: int, driver: int, parent: str) -> str:
    name = _name(pid)
    if pid == driver:
        return "driver"
    if "bwrap" in name or parent == "sandbox":
        return "sandbox"
    if "zygote.py" in name:
        return "kernel" if parent in ("zygote", "kernel") else "zygote"
    if "forkserver" in name:
        return "worker" if parent == "forkserver" else "forkserver"
    return "other"


def _name(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def _parent(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def kill(pid: int) -> None:
    """Kill a process, if it still is there."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def using(folder: Path) -> list[str]:
    """Return the commands of running processes that know of a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            told = (path / "cmdline").read_bytes() + (path / "environ").read_bytes()
            if int(path.name) != os.getpid() and str(folder).encode() in told:
                found.append(_name(int(path.name)))
    return found
