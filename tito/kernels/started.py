"""The kernel that runs a student's notebook, in the isolation that was chosen for it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from queue import Empty
from time import monotonic
from typing import Any

import zmq.asyncio
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import Enum, Instance, List, Type, Unicode, default

from tito.errors import TitoError
from tito.kernels import messages
from tito.kernels.isolation import fork_is_isolated
from tito.kernels.provisioner import SandboxProvisioner
from tito.sandbox import LEVELS

#: Bounds what a flood can make this process hold: larger messages are refused by the socket, and
#: while this many wait, further ones queue up (and are dropped) on the kernel's side.
MAX_MESSAGE_BYTES = 4 * 2**20
MAX_WAITING_MESSAGES = 20

#: A kernel that answers does so in a few milliseconds; an answer may come before anybody listens.
_ANSWER_SECONDS = 0.05

_FONT_SECONDS = 120

#: Of the provisioner that forks; by its name only, since it stands on this module.
_FORK = "tinytorch-fork"


class GradingKernelManager(AsyncKernelManager):
    """Runs ``python -m ipykernel_launcher`` with this Python, whatever kernels are installed.

    It is forked from a warm process, or started where a fork would be held less. Folders,
    environment, limits and the end of all processes are the provisioner's matter, for which the
    kernelspec asks. A kernel that would run elsewhere is not started.
    """

    package = Unicode(
        help="Folder that goes first on the import path: the package before the module under test."
    ).tag(config=True)

    font_cache = Unicode(
        help="Folder for matplotlib's list of fonts, which takes a second to make; none if empty."
    ).tag(config=True)

    launch = Enum(
        ("auto", "fork", "start"),
        "auto",
        help="How kernels come to be: forks of a warm process, or started one by one, which takes "
        "longer. 'auto' forks where a probe finds a fork to be held as well, and starts elsewhere; "
        "'fork' refuses to run elsewhere.",
    ).tag(config=True)

    isolation = Enum(LEVELS, "full", help="As tito.sandbox.choose found it.")

    leaks = List(Unicode(), help="What gets through it, as tito.sandbox.choose found it.")

    reader = Instance(messages.Reader, (), help="Of all kernels of a notebook.")

    @default("context")
    def _context_default(self) -> zmq.asyncio.Context:
        self._created_context = True
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        context.setsockopt(zmq.RCVHWM, MAX_WAITING_MESSAGES)
        return context

    def client(  # type: ignore[override]
        self, **kwargs: Any
    ) -> AsyncKernelClient:
        """Make a client whose sockets keep the limits above."""
        is_prompt = self._provisioner_name == _FORK
        self.client_factory = PromptClient if is_prompt else CheckedClient
        client: Any = super().client(context=self.context, **kwargs)
        client.iopub_channel.reader = client.shell_channel.reader = self.reader
        return client

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernel's command, independent of the notebook's and the machine's kernelspecs."""
        asked = {"level": self.isolation, "package": self.package, "fonts": self.font_cache}
        provisioner = {"provisioner_name": self._provisioner_name, "config": asked}
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name="Python 3",
            language="python",
            interrupt_mode="message",
            metadata={"kernel_provisioner": provisioner},
        )

    @property
    def _provisioner_name(self) -> str:
        if self.launch == "start":
            return SandboxProvisioner.name
        held = self.isolation in ("full", "partial") and fork_is_isolated(tuple(self.leaks))
        if self.launch == "fork" and not held:
            raise TitoError(
                "GradingKernelManager.launch is 'fork', and a forked kernel is held less than a "
                f"started one on this machine, with isolation {self.isolation!r}; set it to 'auto'."
            )
        return _FORK if held else SandboxProvisioner.name

    @property
    def limit_hit(self) -> str | None:
        """Why the watchdog of the sandbox killed the kernel, if it did."""
        return getattr(self.provisioner, "reason", None)

    @property
    def processor_seconds(self) -> float:
        """Processor time of the kernel and of all that it started."""
        live = self.provisioner
        if not isinstance(live, SandboxProvisioner):
            return 0.0
        return live.processor_seconds

    # AsyncKernelManager puts coroutines under the base class's names, and these go with them.

    async def start_kernel(self, **kwargs: Any) -> None:  # type: ignore[override]
        """Start the kernel in folders of its own, wherever the notebook stands."""
        kwargs.pop("cwd", None)
        if self.font_cache:
            prepare_fonts(Path(self.font_cache))
        try:
            await self._async_start_kernel(**kwargs)
        except ModuleNotFoundError as error:
            raise TitoError(
                f"Jupyter does not know the provisioners {_FORK} and {SandboxProvisioner.name}, so "
                "nothing would isolate students' code; install the course again with 'make setup'."
            ) from error

    async def _async_launch_kernel(self, kernel_cmd: list[str], **kw: Any) -> None:
        live, asked = self.provisioner, (self._provisioner_name, self.isolation)
        if not isinstance(live, SandboxProvisioner) or (live.name, live.level) != asked:
            if live is not None:
                await live.cleanup()
            raise TitoError(
                f"the kernel would be run by {live!r} and not by {asked[0]} in isolation "
                f"{asked[1]!r}; no student's code was run."
            )
        await super()._async_launch_kernel(kernel_cmd, **kw)

    async def shutdown_kernel(  # type: ignore[override]
        self, now: bool = False, restart: bool = False
    ) -> None:
        """Kill the kernel and all that it started; nothing in it deserves a goodbye."""
        if self.provisioner is not None and self.provisioner.has_process:
            await self.provisioner.kill()
        await self._async_cleanup_resources(restart=restart)


class CheckedChannel(AsyncZMQSocketChannel):
    """Jupyter's channel, which hands on well-formed messages only."""

    reader: messages.Reader

    async def get_msg(self, timeout: float | None = None) -> messages.Message:  # type: ignore[override]
        """Take the next message; raise `queue.Empty` if none comes in time."""
        deadline = None if timeout is None else monotonic() + timeout
        while True:
            left = None if deadline is None else max(0, round(1000 * (deadline - monotonic())))
            if not await self.socket.poll(left):
                raise Empty
            message = self.reader.read(await self.socket.recv_multipart())
            if message is not None:
                return message


class CheckedClient(AsyncKernelClient):
    """Jupyter's client for a kernel that is not trusted."""

    shell_channel_class = iopub_channel_class = Type(CheckedChannel)


class PromptClient(CheckedClient):
    """Jupyter's client, ready as soon as it hears the kernel.

    Jupyter's own then waits for 0.2 s of silence, several times what a forked kernel takes to be
    there. Whatever was said before bears another request's number, which nbclient looks at.
    """

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the end of an answer is heard, so that no later output can be missed."""
        deadline = monotonic() + (60 if timeout is None else timeout)
        while monotonic() < deadline:
            if await self._hears_the_answer_to(self.kernel_info(), deadline):
                return
            if not await self.is_alive():
                raise RuntimeError("the kernel died before it answered")
        raise RuntimeError("the kernel did not answer in time")

    async def _hears_the_answer_to(self, asked: str, deadline: float) -> bool:
        with suppress(Empty):
            while monotonic() < deadline:
                message = await self.get_iopub_msg(timeout=_ANSWER_SECONDS)
                is_its = message["parent_header"].get("msg_id") == asked
                if is_its and message["content"].get("execution_state") == "idle":
                    return True
        return False


def prepare_fonts(folder: Path) -> Path:
    """Make matplotlib's list of fonts once, for kernels to copy; nothing if it is there."""
    if not any(folder.glob("fontlist-*.json")):
        folder.mkdir(parents=True, exist_ok=True)
        env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "MPLCONFIGDIR": str(folder)}
        command = [sys.executable, "-c", "import matplotlib.font_manager"]
        try:
            # Without the list figures are drawn all the same, only later.
            subprocess.run(
                command, env=env, check=False, capture_output=True, timeout=_FONT_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            # Students' own cells would wait as long for it, and fail.
            raise TitoError(
                f"matplotlib did not list the fonts of this machine within {_FONT_SECONDS} s. "
                "Grade again when the machine has less to do."
            ) from error
    return folder
