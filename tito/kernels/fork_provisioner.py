"""Forked kernels for any client of Jupyter, by jupyter_client's way to decide where a kernel runs.

A kernelspec asks for it in its metadata, as for the provisioner ``tinytorch-sandbox``::

    {"kernel_provisioner": {"provisioner_name": "tinytorch-fork",
                            "config": {"level": "full", "package": "/course/build/package/..."}}}
"""

from __future__ import annotations

import atexit
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tito.errors import TitoError
from tito.kernels.forking import ZEROMQ
from tito.kernels.manager import end_zygotes, fork_into_room, zygote_for
from tito.kernels.provisioner import SandboxProvisioner
from tito.sandbox.instance import SandboxInstance

_LAUNCHER = ["-m", "ipykernel_launcher"]


class ForkProvisioner(SandboxProvisioner):
    """Forks a kernel from a warm process, into a sandbox of its own.

    The warm process is one for all kernels of this process, made when it is first needed; a lost
    one is replaced. The sandbox, its limits and how clients reach the kernel are those of a
    kernel that is started in it.
    """

    name: ClassVar[str] = "tinytorch-fork"

    _room: SandboxInstance | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose where the kernel's sockets lie, and write its connection file."""
        if not self.is_sandboxed:
            raise TitoError(
                f"a forked kernel needs a sandbox, and level is {self.level!r}; "
                f"ask for the provisioner {SandboxProvisioner.name}."
            )
        return await super().pre_launch(**kwargs)

    def _run_in_sandbox(
        self,
        cmd: list[str],
        env: Mapping[str, str],
        package: Path | None,
        files: Mapping[Path, bytes],
    ) -> None:
        assert self._errors is not None
        arguments, errors = _arguments_of(cmd), self._errors.fileno()
        room = fork_into_room(
            lambda: zygote_for(self.package, self.fonts, ZEROMQ, self.settings),
            lambda zygote: SandboxInstance(self.settings, package, files),
            lambda zygote, room: zygote.fork_jupyter(room, arguments, env, errors),
        )
        self._room, self.watchdog, self.process = room, room.watchdog, room.process
        self.pid = room.guest_pid

    async def poll(self) -> int | None:
        """Say whether the kernel has ended; its sandbox then ends with it."""
        if self._room is not None and not self._room.is_occupied:
            self._room.watchdog.kill()
        return await super().poll()

    async def send_signal(self, signum: int) -> None:
        """Interrupt the kernel, or end it: other signals mean nothing to it."""
        if self._room is not None and signum == signal.SIGINT:
            self._room.interrupt()
        else:
            await super().send_signal(signum)

    async def cleanup(self, restart: bool = False) -> None:
        """Kill what is left, and delete what was made for it."""
        if self._room is not None:
            self._room.close()
            self._reason, self.watchdog, self._room = self._room.watchdog.reason, None, None
        await super().cleanup(restart=restart)


def _arguments_of(command: Sequence[str]) -> list[str]:
    """Return the arguments of a kernelspec's command to the kernel that it starts."""
    for at in range(len(command) - 1):
        if list(command[at : at + 2]) == _LAUNCHER:
            return list(command[at + 2 :])
    raise TitoError(
        f"a forked kernel is 'python {' '.join(_LAUNCHER)}' with arguments, and the kernelspec "
        f"starts {' '.join(command)!r}; ask for the provisioner {SandboxProvisioner.name}."
    )


atexit.register(end_zygotes)
