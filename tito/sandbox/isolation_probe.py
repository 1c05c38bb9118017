"""One run of the hostile probe, with bubblewrap or with limits only."""

from __future__ import annotations

import errno
import json
import os
import secrets
import select
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import tinytorch
import tito
from tito.course.folders import own_folder
from tito.errors import NotStartedError, TitoError
from tito.sandbox import probe, seccomp
from tito.sandbox.bubblewrap import (
    FILES,
    HOME,
    PACKAGE,
    BwrapCommand,
    Launch,
    limit_command,
    program,
)
from tito.sandbox.other_user import as_user
from tito.sandbox.scratch import environment, environment_inside
from tito.sandbox.settings import MB, Settings
from tito.sandbox.watchdog import Watchdog, first_processes

#: How long the probe may take, and how long its output may stay open after it ended.
SECONDS, LEFT_SECONDS = 30.0, 2.0
_FOLDER_SIZE = 2 * MB
#: Where root may not look into others' processes, what they share counts for each of them.
_SHARED_MEMORY, _FEW = 192 * MB, 10
_OURS = (tinytorch, tito)
#: What judges, whatever the module.
_TOOLS = ("tinytorch.checks.judge", "tito.scoring.verdicts")
#: Called with zeros, which does nothing where it is allowed.
_CALLS = (
    "add_key",
    "bpf",
    "io_uring_setup",
    "keyctl",
    "memfd_create",
    "mount",
    "open_by_handle_at",
    "perf_event_open",
    "personality",
    "process_vm_readv",
    "setns",
    "shmget",
    "unshare",
    "userfaultfd",
)


def small(settings: Settings) -> Settings:
    """Return limits that are reached quickly, by the same mechanisms."""
    return replace(
        settings,
        memory=96 * MB,
        address_space=512 * MB,
        processes=24,
        home_size=_FOLDER_SIZE,
        tmp_size=_FOLDER_SIZE,
        shm_size=_FOLDER_SIZE,
        interval=0.01,
    )


@dataclass
class ProbeOutput:
    """What a run of the probe printed, whether its output was closed, and why it was killed."""

    out: str
    ended: bool
    reason: str | None
    error: str


class IsolationProbe:
    """Lays out what the probe should not get at, runs it, and judges."""

    def __init__(
        self,
        sandboxed: bool,
        settings: Settings,
        package: Path | None,
        secret_folders: Sequence[Path],
        answers: Sequence[str] = (),
        user: int | None = None,
    ) -> None:
        self.sandboxed = sandboxed
        self.user = user
        self.settings = small(settings)
        if user is not None:
            self.settings = replace(self.settings, memory=_SHARED_MEMORY, processes=_FEW)
        self.package = package
        self.secret_folders = dict.fromkeys([Path.home(), *secret_folders])
        self.references = [*answers, *_TOOLS]
        self.secret = secrets.token_hex(16)

    def leaks(self) -> tuple[str, ...]:
        """Return what the probe could do.

        Raises
        ------
        TitoError
            If it could not even start.
        """
        with ExitStack() as cleaned:
            folder = cleaned.enter_context(own_folder())
            folder.chmod(0o755)
            task = json.dumps(self._task(folder, cleaned)).encode()
            all_tried = self._run(folder, task)
            left = self._run(folder, task, "leave")
        if not all_tried.out:
            last = all_tried.error.strip().rpartition("\n")[2]
            raise TitoError(f"Python does not start in a sandbox: {last or 'no message'}")
        return tuple(judge(all_tried, left))

    def _task(self, folder: Path, cleaned: ExitStack) -> dict[str, Any]:
        server = cleaned.enter_context(socket.create_server(("127.0.0.1", 0)))
        sockets = {"path": str(folder / "server"), "abstract name": f"@tito-{self.secret}"}
        for address in sockets.values():
            listener = cleaned.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(address.replace("@", "\0"))
            listener.listen()
        # Without our output: where this process is killed, whoever reads it need not wait.
        decoy = subprocess.Popen(
            [program("sleep"), "30"],
            env={"SECRET": self.secret},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        cleaned.callback(decoy.wait)
        cleaned.callback(decoy.kill)
        column = seccomp.MACHINES[seccomp.this_machine() or "x86_64"].column
        folders = ["/dev/shm", "/tmp", *([str(HOME)] if self.sandboxed else [])]
        unwritable = ["/", "/usr", "/etc", "/dev", "/home", "/root", "/run", "/sys", "/var"]
        unwritable += ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger"]
        return {
            "canaries": list(self._canaries(cleaned)),
            "references": self.references,
            "package_folders": [str(Path(one.__file__ or "").parents[1]) for one in _OURS],
            "secret": self.secret,
            "port": server.getsockname()[1],
            "unix_sockets": sockets,
            "unwritable": [*unwritable, str(PACKAGE), sys.prefix, sys.base_prefix],
            "folders": dict.fromkeys(folders, _FOLDER_SIZE),
            "calls": {name: [seccomp.CALLS[name][column], *[0] * 5] for name in _CALLS},
            "refusals": [errno.EPERM, errno.ENOSYS],
            "address_space": self.settings.address_space,
            "processes": self.settings.processes,
            "memory": self.settings.memory,
        }

    def _canaries(self, cleaned: ExitStack) -> Iterator[str]:
        """Lay out files that anybody could read who comes that far."""
        for place in self.secret_folders:
            with suppress(OSError):  # where nothing can be written, nothing is tried
                folder = cleaned.enter_context(own_folder(".tito-probe-", place))
                folder.chmod(0o755)
                (folder / "canary").write_text("canary\n")
                yield str(folder / "canary")

    def _run(self, folder: Path, task: bytes, *arguments: str) -> ProbeOutput:
        source = Path(probe.__file__).read_bytes()
        inside = FILES if self.sandboxed else folder
        files = {inside / "probe.py": source, inside / "task.json": task}
        argv = [sys.executable, *map(str, files), *arguments]
        if not self.sandboxed:
            for path, content in files.items():
                path.write_bytes(content)
            command, env = limit_command(self.settings), dict(os.environ)
            if self.user is not None:
                command += as_user(self.user, self.settings)
                env = environment(folder, folder)
            process = _start(Launch([*command, *argv], env=env))
            return _listen(process, Watchdog(process, self.settings, user=self.user))
        env = environment_inside(self.package)
        with closing(BwrapCommand(self.settings).command(argv, env, self.package, files)) as launch:
            process = _start(launch)
            try:
                first = first_processes(process, launch.take_infos())
            except NotStartedError as error:
                process.kill()
                said = process.communicate()[1].decode(errors="replace").strip()
                raise NotStartedError(f"{error}: {said or 'no message'}") from None
        return _listen(process, Watchdog(process, self.settings, first))


def _start(launch: Launch) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return launch.start(stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)


def _listen(process: subprocess.Popen[bytes], watchdog: Watchdog) -> ProbeOutput:
    """Collect what the probe prints until nobody holds its output any more."""
    assert process.stdout is not None and process.stderr is not None
    out, ended, deadline = b"", False, monotonic() + SECONDS
    while not ended and monotonic() < deadline:
        ready, _, _ = select.select([process.stdout], [], [], 0.05)
        if ready:
            more = os.read(process.stdout.fileno(), 65536)
            out, ended = out + more, not more
        elif process.poll() is not None:
            deadline = min(deadline, monotonic() + LEFT_SECONDS)
            if watchdog.user is not None:
                watchdog.close()  # as a kernel's, whose user ends with it
    watchdog.close()
    process.wait()
    os.set_blocking(process.stderr.fileno(), False)
    error = process.stderr.read() or b""
    process.stdout.close()
    process.stderr.close()
    return ProbeOutput(out.decode(), ended, watchdog.reason, error.decode(errors="replace"))


def judge(tried: ProbeOutput, left: ProbeOutput) -> Iterator[str]:
    """Say what was not stopped; what was not decided was not stopped."""
    results: dict[str, list[str]] = {}
    for line in tried.out.splitlines():
        with suppress(ValueError):
            name, done = json.loads(line)
            results[name] = done
    for attempt in probe.ATTEMPTS:
        yield from results.get(attempt.__name__, [f"{attempt.__name__} was not decided"])
    if "takes_memory" in results or "memory" not in (tried.reason or ""):
        yield "takes memory without a limit"
    if not left.ended:
        yield "leaves processes behind"
