"""The kernel that runs a student's notebook: an environment made anew, a scratch folder, a leash.

A later sandbox goes here: the manager knows the command, the environment, the only folder that
is written to, and the group of processes to kill.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import zmq.asyncio
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import Unicode, default

#: What a kernel sees of the environment of whoever grades.
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "TZ")
#: Bounds what a flood can make this process hold: larger messages are refused by the socket, and
#: while this many wait, further ones queue up (and are dropped) on the kernel's side.
_MAX_MESSAGE_BYTES = 4 * 2**20
_MAX_WAITING_MESSAGES = 500

#: Of the 107 characters that a socket's path may have; the sockets are called kernel-ipc-1 to -5.
_LONGEST_SOCKET_PATH = 100

#: Python runs it at start. An editable install, by path or by import hook, is the whole checkout:
#: the answer, and the tests of the tests, would be importable through it.
_SITECUSTOMIZE = """
import os, sys
kept = (sys.prefix, sys.base_prefix, *os.environ["PYTHONPATH"].split(os.pathsep))
sys.path[:] = [path for path in sys.path if path.startswith(kept) or not path]
sys.meta_path[:] = [
    finder for finder in sys.meta_path
    if not getattr(finder, "__module__", "").startswith("__editable__")
]
"""


class GradingKernelManager(AsyncKernelManager):
    """Starts ``python -m ipykernel_launcher`` with this Python, whatever kernels are installed.

    A manager owns one kernel, one process group and one scratch folder, which is the kernel's
    working directory and home and is deleted with it.
    """

    package = Unicode(
        help="Folder that goes first on the import path: the package before the module under test."
    ).tag(config=True)

    font_cache = Unicode(
        help="Folder for matplotlib's list of fonts, which takes a second to make; none if empty."
    ).tag(config=True)

    scratch: Path | None = None
    _group: int | None = None

    # Sockets in the scratch folder: no ports that others on the machine could take or try.
    @default("transport")
    def _transport_default(self) -> str:
        return "ipc"

    @default("context")
    def _context_default(self) -> zmq.asyncio.Context:
        self._created_context = True
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.MAXMSGSIZE, _MAX_MESSAGE_BYTES)
        context.setsockopt(zmq.RCVHWM, _MAX_WAITING_MESSAGES)
        return context

    def client(  # type: ignore[override]
        self, **kwargs: Any
    ) -> AsyncKernelClient:
        """Make a client whose sockets keep the limits above."""
        return super().client(context=self.context, **kwargs)

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernel's command, independent of the notebook's and the machine's kernelspecs."""
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name="Python 3",
            language="python",
        )

    # AsyncKernelManager puts coroutines under the base class's names, and these go with them.

    async def start_kernel(self, **kwargs: Any) -> None:  # type: ignore[override]
        """Start the kernel in a new scratch folder."""
        self.scratch = Path(tempfile.mkdtemp(prefix="tito-"))
        self.connection_file = str(self.scratch / "kernel.json")
        if len(self.connection_file) > _LONGEST_SOCKET_PATH:
            self.transport = "tcp"
        prepare_scratch(self.scratch)
        if self.font_cache:
            for fonts in prepare_fonts(Path(self.font_cache)).glob("fontlist-*.json"):
                shutil.copy(fonts, self.scratch / "home" / "matplotlib")
        kwargs.update(cwd=str(self.scratch / "work"), env=environment(self.scratch, self.package))
        await self._async_start_kernel(**kwargs)
        self._group = getattr(self.provisioner, "pgid", None)

    async def cleanup_resources(self, restart: bool = False) -> None:  # type: ignore[override]
        """Kill what the kernel left behind, and delete its folder."""
        if self._group is not None:
            # The kernel itself may be gone for long; processes it started need not be.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, signal.SIGKILL)
            self._group = None
        await self._async_cleanup_resources(restart=restart)
        if self.scratch is not None:
            remove_tree(self.scratch)
            self.scratch = None

    async def shutdown_kernel(  # type: ignore[override]
        self, now: bool = False, restart: bool = False
    ) -> None:
        """Kill the kernel and all of its group; nothing in it deserves a goodbye."""
        process = getattr(self.provisioner, "process", None)
        if self.provisioner is not None and process is not None:
            await self.provisioner.kill()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
        await self.cleanup_resources(restart=restart)


def prepare_scratch(scratch: Path) -> None:
    """Make the folders of a kernel, and what its Python runs first."""
    for name in ("home/matplotlib", "site", "tmp", "work"):
        (scratch / name).mkdir(parents=True)
    (scratch / "site" / "sitecustomize.py").write_text(_SITECUSTOMIZE)


def environment(scratch: Path, package: str = "") -> dict[str, str]:
    """Make the environment of a kernel: nothing of the instructor's but the paths to programs.

    Parameters
    ----------
    scratch : Path
        What :func:`prepare_scratch` prepared.
    package : str
        First folder on the import path, before anything that is installed.
    """
    home = str(scratch / "home")
    made = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    made.update(
        HOME=home,
        IPYTHONDIR=f"{home}/ipython",
        JUPYTER_CONFIG_DIR=f"{home}/jupyter",
        JUPYTER_DATA_DIR=f"{home}/jupyter",
        JUPYTER_RUNTIME_DIR=f"{home}/jupyter",
        LANG="C.UTF-8",
        MPLCONFIGDIR=f"{home}/matplotlib",
        NBGRADER_EXECUTION="autograde",  # as nbgrader sets it
        # One thread: timings are steadier, and a notebook's arrays are too small for more.
        MKL_NUM_THREADS="1",
        OMP_NUM_THREADS="1",
        OPENBLAS_NUM_THREADS="1",
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONHASHSEED="0",
        PYTHONNOUSERSITE="1",
        PYTHONPATH=os.pathsep.join([str(scratch / "site"), *([package] if package else [])]),
        TMPDIR=str(scratch / "tmp"),
    )
    return made


def prepare_fonts(folder: Path) -> Path:
    """Make matplotlib's list of fonts once, for kernels to copy; nothing if it is there."""
    if not any(folder.glob("fontlist-*.json")):
        folder.mkdir(parents=True, exist_ok=True)
        env = {"PATH": os.defpath, "HOME": str(folder), "MPLCONFIGDIR": str(folder)}
        command = [sys.executable, "-c", "import matplotlib.font_manager"]
        # Without the list figures are drawn all the same, only later.
        subprocess.run(command, env=env, check=False, capture_output=True, timeout=120)
    return folder


def remove_tree(folder: Path) -> None:
    """Delete a folder, also where its owner was forbidden to."""

    def unlock(function: Callable[[str], Any], path: str, _: Any) -> None:
        with suppress(OSError):
            os.chmod(os.path.dirname(path), stat.S_IRWXU)
            if not os.path.islink(path):
                os.chmod(path, stat.S_IRWXU)
            if function in (os.unlink, os.rmdir):  # not os.open or os.scandir, which only look
                function(path)

    shutil.rmtree(folder, onerror=unlock)
    if folder.exists():  # now that its folders are unlocked
        shutil.rmtree(folder, ignore_errors=True)
