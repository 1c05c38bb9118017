"""Kernels in a sandbox, by jupyter_client's official way to decide where a kernel runs.

A kernelspec asks for it in its metadata::

    {"kernel_provisioner": {"provisioner_name": "tinytorch-sandbox",
                            "config": {"level": "full", "package": "/course/build/package/..."}}}
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Dict, Enum, List, Unicode

from tinytorch.tito.errors import TitoError
from tinytorch.tito.sandbox.bubblewrap import (
    FILES,
    FONTS,
    HOME,
    PACKAGE,
    SOCKETS,
    Sandbox,
    limit_command,
    places,
)
from tinytorch.tito.sandbox.leash import Leash, first_processes
from tinytorch.tito.sandbox.settings import LEVELS, Settings

_CONNECTION = FILES / "kernel.json"
#: Of the 107 characters of a socket's path; the sockets are called k-1 to k-5.
_LONGEST_FOLDER = 90
_ERRORS_SHOWN = 2000


class SandboxProvisioner(LocalProvisioner):
    """Starts a kernel in bubblewrap, or, where that was accepted, with limits only.

    One sandbox for each start of a kernel; nothing of it is left after :meth:`cleanup`.
    """

    level = Enum(
        LEVELS,
        "full",
        help="Isolation, as tinytorch.tito.sandbox.choose found it. With 'limits' and 'none' the "
        "environment and the working directory are those that the kernel manager gives.",
    ).tag(config=True)
    package = Unicode(help="Folder that goes first on the import path.").tag(config=True)
    fonts = Unicode(help="Folder with matplotlib's list of fonts, made by prepare_fonts.").tag(
        config=True
    )
    passed_on = List(
        Unicode(),
        ["NBGRADER_EXECUTION", "TZ"],
        help="What a kernel in a sandbox gets of the environment that its manager gives.",
    ).tag(config=True)
    limits = Dict(help="Fields of tinytorch.tito.sandbox.Settings.").tag(config=True)

    leash: Leash | None = None
    _reason: str | None = None
    _folder: Path | None = None
    _errors: IO[bytes] | None = None

    @property
    def settings(self) -> Settings:
        """The limits of this kernel."""
        return Settings(**self.limits)

    @property
    def reason(self) -> str | None:
        """Why the watchdog killed the kernel, or the one before, if it did."""
        return self._reason if self.leash is None else self.leash.reason

    @property
    def is_sandboxed(self) -> bool:
        """Whether the kernel runs in bubblewrap."""
        return self.level in ("full", "partial")

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose where the kernel's sockets lie, and write its connection file."""
        if self.is_sandboxed and self._folder is None:
            self._folder = _private_folder()
            manager: Any = self.parent
            # The folder does not exist before the sandbox does; see `launch_kernel`.
            manager.transport, manager.ip = "ipc", str(self._folder / "sockets" / "k")
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel."""
        self._reason = None
        if self.level == "none":
            return await super().launch_kernel(cmd, **kwargs)
        if self.level == "limits":
            # Root is not bound, and for others the limit counts whatever else they run.
            command = [*limit_command(self.settings, processes=None), *cmd]
            await super().launch_kernel(command, **kwargs)
            assert self.process is not None
            self.leash = Leash(self.process, self.settings)
            return self.connection_info
        self._launch_in_sandbox(cmd, kwargs.get("env") or {})
        return self.connection_info

    def _launch_in_sandbox(self, cmd: list[str], env: Mapping[str, str]) -> None:
        assert self._folder is not None
        manager: Any = self.parent
        outside = Path(manager.connection_file)
        cmd = [part.replace(str(outside), str(_CONNECTION)) for part in cmd]
        files = {_CONNECTION: _seen_from_inside(outside), **_font_lists(self.fonts)}
        package = Path(self.package) if self.package else None
        passed = {name: env[name] for name in self.passed_on if name in env}
        inside = {**passed, **environment(package is not None)}
        launch = Sandbox(self.settings).command(cmd, inside, package, files)
        # Not a pipe, which would block when it is full; the limit on files holds for it.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by cleanup
        try:
            self.process = subprocess.Popen(
                launch.argv,
                env=launch.env,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=self._errors,
                stderr=self._errors,
                pass_fds=launch.pass_fds,
                start_new_session=True,
            )
        finally:
            launch.close()
        self.pid = self.pgid = self.process.pid
        try:
            first = first_processes(self.process, launch.infos)
        except TitoError as error:
            self.process.kill()
            self.process.wait()
            said = self.said()
            self._discard()
            raise TitoError(f"{error}: {said or 'no message'}") from None
        self.leash = Leash(self.process, self.settings, first, tuple(places(self.settings)))
        # The sockets lie in the sandbox, in a folder of limited size; this leads into it.
        link = self._folder / "sockets"
        link.unlink(missing_ok=True)
        link.symlink_to(f"/proc/{self.leash.inner}/root{SOCKETS}")

    def said(self) -> str:
        """Return the beginning of what bubblewrap and the kernel wrote to their streams."""
        if self._errors is None:
            return ""
        self._errors.seek(0)
        return self._errors.read(_ERRORS_SHOWN).decode(errors="replace").strip()

    async def send_signal(self, signum: int) -> None:
        """Interrupt the kernel, or end it: other signals mean nothing to it."""
        if self.leash is None:
            await super().send_signal(signum)
        elif signum == signal.SIGINT:
            self.leash.interrupt()
        elif signum in (signal.SIGTERM, signal.SIGKILL):
            self.leash.kill()

    async def kill(self, restart: bool = False) -> None:
        """Kill everything in the sandbox."""
        if self.leash is None:
            await super().kill(restart=restart)
        else:
            self.leash.kill()

    async def terminate(self, restart: bool = False) -> None:
        """Kill everything in the sandbox; nothing in it deserves a goodbye."""
        await self.kill(restart=restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Kill what is left, and delete what was made for it."""
        if self.leash is not None:
            self.leash.close()
            self._reason = self.leash.reason
            self.leash = None
        self._discard(restart)
        await super().cleanup(restart=restart)

    def _discard(self, restart: bool = False) -> None:
        if self._errors is not None:
            self._errors.close()
            self._errors = None
        if self._folder is not None and not restart:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def environment(has_package: bool) -> dict[str, str]:
    """Make the environment of a kernel: nothing of its owner's, and the same everywhere."""
    made = dict(
        HOME=str(HOME),
        IPYTHONDIR=str(HOME / "ipython"),
        JUPYTER_CONFIG_DIR=str(HOME / "jupyter"),
        JUPYTER_DATA_DIR=str(HOME / "jupyter"),
        JUPYTER_RUNTIME_DIR=str(HOME / "jupyter"),
        LANG="C.UTF-8",
        LOGNAME="student",
        MPLCONFIGDIR=str(FONTS),
        # One thread: timings are steadier, and a notebook's arrays are too small for more.
        MKL_NUM_THREADS="1",
        OMP_NUM_THREADS="1",
        OPENBLAS_NUM_THREADS="1",
        PATH=os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONHASHSEED="0",
        PYTHONNOUSERSITE="1",
        TMPDIR="/tmp",
        USER="student",
    )
    if has_package:
        made["PYTHONPATH"] = str(PACKAGE)
    return made


def _seen_from_inside(connection_file: Path) -> bytes:
    information = json.loads(connection_file.read_text())
    information["ip"] = str(SOCKETS / "k")
    return json.dumps(information).encode()


def _private_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tito-"))
    if len(str(folder)) > _LONGEST_FOLDER:
        with suppress(OSError):
            folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="tito-", dir="/tmp"))
    return folder


def _font_lists(folder: str) -> dict[Path, bytes]:
    lists = Path(folder).glob("fontlist-*.json") if folder else []
    return {FONTS / path.name: path.read_bytes() for path in lists}
