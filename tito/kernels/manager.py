"""Forked kernels as nbclient wants them: a kernel manager, and a client without ZeroMQ."""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty
from time import monotonic
from typing import Any

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.session import Session

from tito.errors import NotStartedError, TitoError
from tito.kernels import messages, wire
from tito.kernels.forking import PACKET, Zygote, ZygoteLostError
from tito.kernels.started import MAX_MESSAGE_BYTES, GradingKernelManager, prepare_fonts
from tito.sandbox.instance import SandboxInstance
from tito.sandbox.settings import Settings

_PACKET = 2**16
#: What may wait to be read, until the kernel has to wait.
_MAX_WAITING, _MAX_WAITING_BYTES = 500, 2 * MAX_MESSAGE_BYTES
#: How long to wait for a kernel before looking whether it still lives.
_LOOK_SECONDS = 0.1

_zygotes: dict[tuple[str, str, str, int], tuple[int, Zygote]] = {}


def zygote_for(
    package: str, fonts: str, kernel: str = PACKET, settings: Settings | None = None
) -> Zygote:
    """Return this process's zygote for a package and a kind of kernels; a lost one is replaced."""
    settings = settings or Settings()
    key = (package, fonts, kernel, settings.user)
    owner, found = _zygotes.get(key, (0, None))
    # A forked process must not share it with its parent.
    if found is None or owner != os.getpid() or not found.is_alive:
        if found is not None and owner == os.getpid():
            found.close()
        if fonts:
            prepare_fonts(Path(fonts))
        before, list_ = (Path(name) if name else None for name in (package, fonts))
        found = Zygote(settings, before, list_, kernel)
        _zygotes[key] = (os.getpid(), found)
    return found


def fork_into_room(
    find: Callable[[], Zygote],
    make: Callable[[Zygote], SandboxInstance],
    fork: Callable[[Zygote, SandboxInstance], None],
) -> SandboxInstance:
    """Let a zygote fork into a new sandbox; one that is lost costs a second try with a new one.

    Parameters
    ----------
    find, make, fork : callable
        Return the zygote; make the sandbox; have the zygote fork into it.
    """
    try:
        return _fork_once(find(), make, fork)
    except ZygoteLostError:
        return _fork_once(find(), make, fork)


def _fork_once(
    zygote: Zygote,
    make: Callable[[Zygote], SandboxInstance],
    fork: Callable[[Zygote, SandboxInstance], None],
) -> SandboxInstance:
    room = make(zygote)
    try:
        fork(zygote, room)
    except BaseException as error:
        room.close()
        if isinstance(error, ZygoteLostError):
            zygote.close()
        raise
    return room


def end_zygotes(package: str | None = None) -> None:
    """End the zygotes of this process: all of them, or those for one package."""
    for key in [key for key in _zygotes if package in (None, key[0])]:
        owner, zygote = _zygotes.pop(key)
        if owner == os.getpid():
            zygote.close()


class ForkedKernelManager(GradingKernelManager):
    """Starts a kernel as a fork of a warm process, in a sandbox of its own.

    The sandbox is the one that the provisioner of the same isolation would use; only
    what runs in it is not started but enters.
    """

    _room: SandboxInstance | None = None
    _connection: socket.socket | None = None
    _reason: str | None = None

    @property
    def has_kernel(self) -> bool:
        """Whether a kernel was started and not yet cleaned up."""
        return self._room is not None

    @property
    def limit_hit(self) -> str | None:
        """Why the watchdog of the sandbox killed the kernel, if it did."""
        return self._reason if self._room is None else self._room.watchdog.reason

    @property
    def processor_seconds(self) -> float:
        """Processor time of the kernel and of all that it started."""
        return 0.0 if self._room is None else self._room.watchdog.processor_seconds

    @property
    def is_sandbox_lost(self) -> bool:
        """Whether the sandbox itself was killed, which nothing in it can bring about."""
        return self._room is not None and self._room.was_killed

    async def start_kernel(self, **_: Any) -> None:  # type: ignore[override]
        """Make a sandbox and let a fork of the zygote enter it."""
        if self.isolation not in ("full", "partial"):
            raise TitoError(f"a forked kernel needs a sandbox, and isolation is {self.isolation!r}")
        self._room = fork_into_room(
            lambda: zygote_for(self.package, self.font_cache),
            lambda zygote: SandboxInstance(zygote.settings, zygote.package),
            self._fork,
        )

    def _fork(self, zygote: Zygote, room: SandboxInstance) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                zygote.fork_kernel(room, theirs)
        except BaseException:
            ours.close()
            raise
        self._connection = ours

    def client(self, **_: Any) -> PacketClient:  # type: ignore[override]
        """Make a client; one at a time."""
        assert self._connection is not None
        return PacketClient(self._connection, self)

    async def is_alive(self) -> bool:  # type: ignore[override]
        """Whether the kernel runs."""
        return self._room is not None and self._room.is_occupied

    async def interrupt_kernel(self) -> None:  # type: ignore[override]
        """Interrupt the kernel, and what it waits for."""
        if self._room is not None:
            self._room.interrupt()

    async def shutdown_kernel(  # type: ignore[override]
        self, now: bool = False, restart: bool = False
    ) -> None:
        """Kill the kernel and all that it started."""
        await self.cleanup_resources(restart=restart)

    async def cleanup_resources(self, restart: bool = False) -> None:  # type: ignore[override]
        """Kill what is left."""
        if self._room is not None:
            self._room.close()
            self._reason, self._room = self._room.watchdog.reason, None
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Channel:
    """The messages of one kind that have come, as bytes: read, they may take twenty times as much.

    Attributes
    ----------
    size : int
        How many bytes wait.
    """

    def __init__(self, client: PacketClient) -> None:
        self._client = client
        self._waiting: deque[list[bytes]] = deque()
        self._came = asyncio.Event()
        self.size = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, frames: list[bytes]) -> None:
        """Add a message."""
        self._waiting.append(frames)
        self.size += sum(map(len, frames))
        self._came.set()

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        self.size = 0

    async def get_msg(self, timeout: float | None = None) -> messages.Message:
        """Take the next well-formed message; raise `queue.Empty` if none comes in time."""
        self._client.listen()
        try:
            async with asyncio.timeout(timeout):
                while True:
                    while self._waiting:
                        if (message := self._take()) is not None:
                            return message
                    self._came.clear()
                    self._client.listen()
                    await self._came.wait()
        except TimeoutError:
            raise Empty from None

    def _take(self) -> messages.Message | None:
        frames = self._waiting.popleft()
        self.size -= sum(map(len, frames))
        return self._client.reader.read(frames)

    def send(self, message: dict[str, Any]) -> None:
        """Send a message to the kernel."""
        self._client.send(message)


class PacketClient(AsyncKernelClient):
    """Jupyter's client over a packet socket.

    While as many messages wait as it holds, it reads no more, so that a kernel that floods it
    waits too.
    """

    def __init__(self, connection: socket.socket, manager: ForkedKernelManager) -> None:
        super().__init__(session=Session(key=wire.KEY))
        self._connection = connection
        self._connection.setblocking(False)
        self._manager = manager
        self.reader = manager.reader
        self._sender = wire.Sender().connect(connection)
        self._assembler = wire.Assembler(MAX_MESSAGE_BYTES)
        self._channels = {wire.SHELL: Channel(self), wire.IOPUB: Channel(self)}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = False
        self.failure = ""

    @property
    def shell_channel(self) -> Channel:
        """Requests and replies."""
        return self._channels[wire.SHELL]

    @property
    def iopub_channel(self) -> Channel:
        """Outputs and states."""
        return self._channels[wire.IOPUB]

    async def is_alive(self) -> bool:
        """Whether the kernel runs."""
        return await self._manager.is_alive()

    def start_channels(self, *_: Any, **__: Any) -> None:
        """Do nothing: reading begins when somebody waits for a message."""

    def stop_channels(self) -> None:
        """Read no more."""
        if self._loop is not None:
            if not self._loop.is_closed():
                self._loop.remove_reader(self._connection.fileno())
            self._loop = None

    def listen(self) -> None:
        """Read what comes."""
        if self._loop is None and not self._ended:
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self._connection.fileno(), self._receive)

    def _receive(self) -> None:
        with suppress(BlockingIOError):
            for _ in range(_MAX_WAITING):
                try:
                    packet = self._connection.recv(_PACKET)
                except ConnectionError:
                    packet = b""
                if not packet:
                    self._ended = True
                    self.stop_channels()
                    return
                self._take(packet)
                if self._is_full:
                    self.stop_channels()
                    return

    @property
    def _is_full(self) -> bool:
        waiting = self._channels.values()
        size = sum(channel.size for channel in waiting)
        return size > _MAX_WAITING_BYTES or sum(map(len, waiting)) >= _MAX_WAITING

    def _take(self, packet: bytes) -> None:
        """Take a packet, and the message that it completes, if it does."""
        number, frames = self._assembler.add(packet) or (-1, [])
        if number == wire.FAILED:
            self.failure = b"".join(frames).decode(errors="replace")
        elif number in self._channels:
            self._channels[number].put(frames)

    def send(self, message: dict[str, Any]) -> None:
        """Send a message to the kernel; one that is gone gets none."""
        self._connection.setblocking(True)
        self._connection.settimeout(5)
        try:
            self._sender.send(wire.SHELL, self.session.serialize(message))
        except OSError:
            self._ended = True
        finally:
            self._connection.setblocking(False)

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers, and forget what came before."""
        deadline = monotonic() + (60 if timeout is None else timeout)
        asked = self.kernel_info()
        while monotonic() < deadline:
            self.iopub_channel.clear()
            if self.failure:
                raise NotStartedError(f"the kernel was not started: {self.failure}")
            with suppress(Empty):
                reply = await self.shell_channel.get_msg(timeout=_LOOK_SECONDS)
                if reply["parent_header"].get("msg_id") == asked:
                    self.iopub_channel.clear()
                    return
                continue
            if not self.failure and not await self.is_alive():
                raise RuntimeError("the kernel died before it answered")
        raise RuntimeError("the kernel did not answer in time")
