"""Kernels in a sandbox, by jupyter_client's official way to decide where a kernel runs.

A kernelspec asks for it in its metadata::

    {"kernel_provisioner": {"provisioner_name": "tinytorch-sandbox",
                            "config": {"level": "full", "package": "/course/build/package/..."}}}
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from time import monotonic
from typing import IO, Any, ClassVar

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Dict, Enum, List, Unicode

from tito.course.folders import make_folder, remove_tree
from tito.errors import NotStartedError, TitoError
from tito.sandbox.bubblewrap import (
    FILES,
    FONTS,
    SOCKETS,
    BwrapCommand,
    limit_command,
    places,
)
from tito.sandbox.watchdog import Watchdog, first_processes, processor_seconds, tree
from tito.sandbox.scratch import environment_inside, prepare
from tito.sandbox.settings import LEVELS, Settings

_CONNECTION = FILES / "kernel.json"
#: Of the 107 characters of a socket's path; the sockets are called k-1 to k-5.
_LONGEST_FOLDER = 90
_ERRORS_SHOWN = 2000
_START_SECONDS = 30.0


class SandboxProvisioner(LocalProvisioner):
    """Starts a kernel in bubblewrap, or, where that was accepted, with limits only.

    A kernel has an environment and folders made for it alone, whatever its manager gives, and
    nothing of it is left after :meth:`cleanup`: no process and no file.
    """

    #: Of the entry point by which kernelspecs ask for it.
    name: ClassVar[str] = "tinytorch-sandbox"

    level = Enum(LEVELS, "full", help="Isolation, as tito.sandbox.choose found it.").tag(
        config=True
    )
    package = Unicode(help="Folder that goes first on the import path.").tag(config=True)
    fonts = Unicode(help="Folder with matplotlib's list of fonts, made by prepare_fonts.").tag(
        config=True
    )
    passed_on = List(
        Unicode(),
        ["NBGRADER_EXECUTION", "TZ"],
        help="What a kernel gets of the environment that its manager gives.",
    ).tag(config=True)
    limits = Dict(help="Fields of tito.sandbox.Settings.").tag(config=True)

    watchdog: Watchdog | None = None
    _reason: str | None = None
    _folder: Path | None = None
    _errors: IO[bytes] | None = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._held: list[int] = []

    @property
    def settings(self) -> Settings:
        """The limits of this kernel."""
        return Settings(**self.limits)

    @property
    def reason(self) -> str | None:
        """Why the watchdog killed the kernel, or the one before, if it did."""
        return self._reason if self.watchdog is None else self.watchdog.reason

    @property
    def processor_seconds(self) -> float:
        """Processor time of the kernel and of all that it started; 0 where Linux is not."""
        if self.watchdog is not None:
            return self.watchdog.processor_seconds
        return sum(map(processor_seconds, tree(self.pid))) if self.pid else 0.0

    @property
    def is_sandboxed(self) -> bool:
        """Whether the kernel runs in bubblewrap."""
        return self.level in ("full", "partial")

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose where the kernel's sockets lie, and write its connection file."""
        if self._folder is None:
            self._folder = _private_folder()
            manager: Any = self.parent
            manager.connection_file = str(self._folder / "kernel.json")
            # In bubblewrap the folder does not exist before the sandbox does.
            manager.transport, manager.ip = "ipc", str(self._folder / "sockets" / "k")
        try:
            return await super().pre_launch(**kwargs)
        except BaseException:
            self._discard()
            raise

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel."""
        self._reason = None
        given = kwargs.get("env") or {}
        passed = {name: given[name] for name in self.passed_on if name in given}
        # Not a pipe, which would block when it is full; the limit on files holds for it.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by cleanup
        try:
            if self.is_sandboxed:
                self._launch_in_sandbox(cmd, passed)
                await self._hold_sockets()
            else:
                await self._launch_outside(cmd, passed)
        except BaseException:
            await self.cleanup()
            raise
        return self.connection_info

    async def _launch_outside(self, cmd: list[str], passed: dict[str, str]) -> None:
        assert self._folder is not None
        (self._folder / "sockets").mkdir(exist_ok=True)
        env = {**passed, **prepare(self._folder, self.package, _font_lists(self.fonts))}
        if self.level == "limits":
            cmd = [*limit_command(self.settings), *cmd]
        streams = {"stdout": self._errors, "stderr": self._errors}
        await super().launch_kernel(cmd, env=env, cwd=str(self._folder / "work"), **streams)
        assert self.process is not None
        if self.level == "limits":
            self.watchdog = Watchdog(self.process, self.settings)

    def _launch_in_sandbox(self, cmd: list[str], passed: Mapping[str, str]) -> None:
        assert self._folder is not None
        manager: Any = self.parent
        outside = Path(manager.connection_file)
        cmd = [part.replace(str(outside), str(_CONNECTION)) for part in cmd]
        fonts = {FONTS / name: text for name, text in _font_lists(self.fonts).items()}
        files = {_CONNECTION: _seen_from_inside(outside), **fonts}
        package = Path(self.package) if self.package else None
        self._run_in_sandbox(cmd, {**passed, **environment_inside(package)}, package, files)

    def _run_in_sandbox(
        self,
        cmd: list[str],
        env: Mapping[str, str],
        package: Path | None,
        files: Mapping[Path, bytes],
    ) -> None:
        """Make a sandbox and let a kernel run in it, with its process and its watchdog in hand."""
        streams = {"stdin": subprocess.DEVNULL, "stdout": self._errors, "stderr": self._errors}
        with closing(BwrapCommand(self.settings).command(cmd, env, package, files)) as launch:
            self.process = launch.start(**streams)
            self.pid = self.pgid = self.process.pid
            try:
                first = first_processes(self.process, launch.take_infos())
            except NotStartedError as error:
                self.process.kill()
                self.process.wait()
                raise NotStartedError(f"{error}: {self.said() or 'no message'}") from None
        self.watchdog = Watchdog(self.process, self.settings, first, tuple(places(self.settings)))

    async def _hold_sockets(self) -> None:
        """Wait for the kernel's sockets, and lead to them whatever becomes of their names.

        They lie in the sandbox, in a folder of limited size, and students' code could put links
        in their place, by which a client that connects once more would leave the sandbox.
        """
        assert self._folder is not None and self.watchdog is not None
        folder = self._folder / "sockets"
        folder.mkdir(exist_ok=True)
        inside = Path(f"/proc/{self.watchdog.inner}/root{SOCKETS}")
        deadline = monotonic() + _START_SECONDS
        for port in (value for name, value in self.connection_info.items() if "_port" in name):
            while not (inside / f"k-{port}").is_socket():
                if await self.poll() is not None or monotonic() > deadline:
                    said = self.said() or "no message"
                    raise NotStartedError(f"the kernel did not start: {said}")
                await asyncio.sleep(0.01)
            held = os.open(inside / f"k-{port}", os.O_PATH | os.O_NOFOLLOW)
            self._held.append(held)
            if not stat.S_ISSOCK(os.fstat(held).st_mode):
                raise TitoError("the kernel has put something else in the place of its sockets")
            link = folder / f"k-{port}"
            link.unlink(missing_ok=True)
            link.symlink_to(f"/proc/{os.getpid()}/fd/{held}")

    def said(self) -> str:
        """Return the beginning of what bubblewrap and the kernel wrote to their streams."""
        if self._errors is None:
            return ""
        self._errors.seek(0)
        return self._errors.read(_ERRORS_SHOWN).decode(errors="replace").strip()

    async def send_signal(self, signum: int) -> None:
        """Interrupt the kernel, or end it: other signals mean nothing to it."""
        if self.watchdog is None:
            await super().send_signal(signum)
        elif signum == signal.SIGINT:
            self.watchdog.interrupt()
        elif signum in (signal.SIGTERM, signal.SIGKILL):
            self.watchdog.kill()

    async def kill(self, restart: bool = False) -> None:
        """Kill everything in the sandbox."""
        if self.watchdog is None:
            await super().kill(restart=restart)
        else:
            self.watchdog.kill()

    async def terminate(self, restart: bool = False) -> None:
        """Kill everything in the sandbox; nothing in it deserves a goodbye."""
        await self.kill(restart=restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Kill what is left, and delete what was made for it."""
        if self.watchdog is not None:
            self.watchdog.close()
            self._reason = self.watchdog.reason
            self.watchdog = None
        elif self.pgid is not None:
            # The kernel itself may be gone for long; processes it started need not be.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pgid, signal.SIGKILL)
        if self.process is not None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
        self._discard(restart)
        await super().cleanup(restart=restart)

    def _discard(self, restart: bool = False) -> None:
        self.pgid = None
        while self._held:
            os.close(self._held.pop())
        if self._errors is not None:
            self._errors.close()
            self._errors = None
        if self._folder is not None and not restart:
            remove_tree(self._folder)
            self._folder = None


def _seen_from_inside(connection_file: Path) -> bytes:
    information = json.loads(connection_file.read_text())
    information["ip"] = str(SOCKETS / "k")
    return json.dumps(information).encode()


def _private_folder() -> Path:
    folder = make_folder().resolve()
    if len(str(folder)) > _LONGEST_FOLDER:
        with suppress(OSError):
            folder.rmdir()
        folder = make_folder(place=Path("/tmp")).resolve()
    return folder


def _font_lists(folder: str) -> dict[str, bytes]:
    lists = Path(folder).glob("fontlist-*.json") if folder else []
    return {path.name: path.read_bytes() for path in lists}
