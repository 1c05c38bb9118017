"""Another user, for students' code where root grades and there are no namespaces to put it into.

Each instance takes a user of its own, who has no name and so owns nothing: what an earlier one
left, it cannot touch, and whatever runs as this user belongs to it.
"""

from __future__ import annotations

import os
import pwd
import secrets
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tito.errors import NotStartedError
from tito.sandbox import seccomp
from tito.sandbox.bubblewrap import limit_processes, program
from tito.sandbox.settings import Settings

#: A container may know no users beyond 65,535.
_USERS = range(20_000, 60_000)
_TRIES = 100
#: Takes the filter of system calls (PR_SET_SECCOMP, SECCOMP_MODE_FILTER), and becomes a command.
_FILTER = """
import ctypes, os, sys
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]
steps = bytes.fromhex(sys.argv[1])
ctypes.CDLL(None).prctl(22, 2, ctypes.byref(Program(len(steps) // 8, steps)), 0, 0)
os.execv(sys.argv[2], sys.argv[2:])
"""


def new_user() -> int:
    """Return the number of a user who has no name, and of whom nothing runs."""
    for _ in range(_TRIES):
        user = secrets.choice(_USERS)
        try:
            pwd.getpwuid(user)
        except KeyError:
            if not processes_of(user):
                return user
    raise NotStartedError("no user is free: all that were tried have a name")


def as_user(user: int, settings: Settings) -> list[str]:
    """Return the words that, before a command, run it as a user of its own.

    It makes no system calls but those of a sandbox, where the system lets it give up the others.
    """
    # Of nobody else's processes, since the user is the command's own.
    return [*limit_processes(settings), *become(user), *_filtered()]


def become(user: int) -> list[str]:
    """Return the words that, before a command, run it as a user who never gets other rights."""
    ids = [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    return [program("setpriv"), *ids, "--inh-caps=-all", "--no-new-privs", "--"]


def _filtered() -> list[str]:
    machine = seccomp.this_machine()  # elsewhere the probe finds what is not refused
    if machine is None:
        return []
    return [sys.executable, "-I", "-S", "-c", _FILTER, seccomp.filter_bytes(machine).hex()]


def processes_of(user: int) -> list[int]:
    """List the processes of a user that have not ended."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            # Not the owner of the folder, whom a process may choose.
            status = Path(f"/proc/{name}/status").read_bytes()
            fields = dict(line.split(b":", 1) for line in status.splitlines() if b":" in line)
            if int(fields[b"Uid"].split()[0]) == user and fields[b"State"].split()[0] not in b"ZX":
                found.append(int(name))
    return found


def end_all(user: int) -> None:
    """Kill all processes of a user; returns when none is left.

    One that forks faster than processes are listed meets a signal to all of its user's at once,
    which only a process of the same user can send.
    """
    kill = [*become(user), program("kill"), "-KILL", "--", "-1"]
    for _ in range(_TRIES):
        left = processes_of(user)
        if not left:
            return
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        subprocess.run(kill, check=False, capture_output=True, env={})


def give(folder: Path, user: int) -> None:
    """Make a user the owner of a folder and of all that is in it."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user, user, follow_symlinks=False)
