"""The IPython kernel, with a packet socket in the place of ZeroMQ's sockets.

It stands alone: a zygote loads it by its path. Everything that a student's code meets is
ipykernel's own: the application, the shell, the streams, the handling of messages.

A zygote prepares one, as far as that needs no thread, no event loop, no streams and no folder of
a sandbox's. A fork does the rest: half of a kernel's start is then done once for a class.
"""

from __future__ import annotations

import ast
import asyncio
import fcntl
import logging
import os
import select
import socket
import sys
import tempfile
import termios
import threading
import warnings
import zlib
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

import zmq
from ipykernel.iostream import PIPE_BUFFER_SIZE, BackgroundSocket, IOPubThread, OutStream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from IPython.core.profiledir import ProfileDir
from IPython.paths import get_ipython_dir
from jupyter_client.session import Session
from tornado.ioloop import IOLoop
from traitlets import Instance
from traitlets.config import Config

# Set by the zygote, which loads this file and the wire by their paths.
wire: Any = None

#: How long a display waits for what processes have written, if the thread that reads it is stuck.
_READ_SECONDS = 5.0


class Channel:
    """What ipykernel takes for a socket or a stream of ZeroMQ."""

    closed = False

    def __init__(self, sender: Any, number: int) -> None:
        self._sender = sender
        self._number = number
        self.receive: Callable[[list[zmq.Frame]], Any] | None = None

    def send_multipart(self, parts: list[Any], *_: Any, **__: Any) -> None:
        """Send a message."""
        self._sender.send(self._number, [bytes(part) for part in parts])

    def on_recv(self, receive: Callable[[list[zmq.Frame]], Any], copy: bool = True) -> None:
        """Note who takes the messages that come."""
        self.receive = receive

    def flush(self, *_: Any, **__: Any) -> None:
        """Do nothing: what was sent is sent."""


class PubThread(IOPubThread):
    """The thread that publishes what streams hold after a while; all else is sent at once.

    ZeroMQ's sockets belong to one thread each. Any thread may send packets, and one that has to
    wait for the reader cannot pile up messages. A process that a student forks has no such thread.
    """

    def __init__(self, channel: Channel) -> None:
        self.socket = channel
        self.background_socket = BackgroundSocket(self)
        self.thread = threading.Thread(target=self._run, daemon=True, name="IOPub")

    def _run(self) -> None:
        asyncio.set_event_loop(self.io_loop.asyncio_loop)
        self.io_loop.start()

    def start(self) -> None:
        """Start the thread."""
        self.io_loop = IOLoop(make_current=False)
        self.thread.start()

    def schedule(self, f: Callable[[], Any]) -> None:
        """Call something in the thread."""
        if self.thread.is_alive():
            self.io_loop.add_callback(f)
        else:
            f()

    def send_multipart(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """Send a message."""
        self.socket.send_multipart(msg)


class Stream(OutStream):
    """A stream that is flushed before each display, of what processes have written to it too.

    ipykernel leaves it to chance whether that comes before or after the display.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        self._reading, self._read_bytes, self._sending = threading.Lock(), 0, False
        super().__init__(*args, **more)

    def _watch_pipe_fd(self) -> None:
        while self._should_watch:
            select.select([self._fid], [], [])
            with self._reading:
                data = os.read(self._fid, PIPE_BUFFER_SIZE)
                if not data:
                    return
                self.write(data.decode(errors="replace"))
                self._read_bytes += len(data)
                os.write(self._original_stdstream_copy, data)

    def flush(self) -> None:
        """Send what there is; where there is nothing, return at once and ask no thread."""
        # A process that a student forks has no thread that reads.
        if self._fid is not None and self._is_master_process():
            written, deadline = self._written_bytes(), monotonic() + _READ_SECONDS
            while self._read_bytes < written and self.watch_fd_thread.is_alive():
                if monotonic() > deadline:
                    break
                sleep(0.0002)
        if self._buffers or self._sending:
            super().flush()

    def _written_bytes(self) -> int:
        """Return how much was written so far; who writes without end is not waited for."""
        with self._reading:
            unread = fcntl.ioctl(self._fid, termios.FIONREAD, bytes(4))
            return self._read_bytes + int.from_bytes(unread, sys.byteorder)

    def _flush(self) -> None:
        self._sending = True  # from before the buffers are taken until what they held is sent
        try:
            super()._flush()
        finally:
            self._sending = False


class NoShellThread:
    """Says which thread runs cells; there is none beside it that receives requests."""

    def __init__(self) -> None:
        self.parent_thread = threading.main_thread()

    def __bool__(self) -> bool:
        return False


class Kernel(IPythonKernel):
    """IPython's kernel without subshells."""

    shell_stream = Instance(Channel)  # type: ignore[assignment]
    _supports_kernel_subshells = False


class KernelApp(IPKernelApp):
    """IPython's kernel application, connected by one packet socket."""

    outstream_class = f"{__name__}.Stream"

    def parse_command_line(self, argv: Any = None) -> None:
        """Have none; to make a parser for one takes a quarter of the start."""

    def init_connection_file(self) -> None:
        """Need none."""

    def write_connection_file(self, **_: Any) -> None:
        """Need none."""

    def log_connection_info(self) -> None:
        """Have none."""

    def init_heartbeat(self) -> None:
        """Need none: whether a process lives is seen without asking it."""

    def init_sockets(self) -> None:
        """Make the channels."""
        self.session = Session(parent=self, key=wire.KEY)
        self.log.setLevel(logging.WARNING)  # its handler drops the rest, after it was made
        self.sender = wire.Sender()
        self.shell_socket = Channel(self.sender, wire.SHELL)
        self.stdin_socket = Channel(self.sender, wire.STDIN)
        self.configure_tornado_logger()
        self.iopub_thread = PubThread(Channel(self.sender, wire.IOPUB))
        self.iopub_socket = self.iopub_thread.background_socket

    def init_shell(self) -> None:
        """Make the shell, which is to read each cell as seldom as can be."""
        super().init_shell()
        if self.shell is not None:
            _read_cells_once(self.shell)
            self.shell.should_run_async = _if_it_may(self.shell.should_run_async)

    def init_io(self) -> None:
        """Make the streams later: each has a thread."""

    def init_signal(self) -> None:
        """Ignore interrupts later: a zygote's owner may want to interrupt it."""

    def init_kernel(self) -> None:
        """Make the kernel."""
        self.kernel = Kernel.instance(
            parent=self,
            session=self.session,
            shell_stream=self.shell_socket,
            shell_channel_thread=NoShellThread(),
            iopub_thread=self.iopub_thread,
            iopub_socket=self.iopub_socket,
            stdin_socket=self.stdin_socket,
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
        )

    def close(self) -> None:
        """Leave the channels open until the process is gone."""
        self.reset_io()

    def connect(self, connection: socket.socket) -> None:
        """Do what could not be done before the fork."""
        self.connection, self.session.pid = connection, os.getpid()
        self.sender.connect(connection)
        self.iopub_thread.start()
        super().init_io()
        self.displayhook.get_execution_count = lambda: self.kernel.execution_count
        super().init_signal()
        self._move_in()

    def _move_in(self) -> None:
        """Have folders and environment here and not where the kernel was prepared."""
        self.ipython_dir = get_ipython_dir()
        made = ProfileDir.create_profile_dir_by_name(self.ipython_dir, "default")
        shell: Any = self.shell
        for owner in (self, self.kernel, shell, shell.history_manager):
            owner.profile_dir = made
        shell.ipython_dir = self.ipython_dir
        shell.init_environment()
        self.init_gui_pylab()

    def receive(self) -> None:
        """Hand what came to the kernel; leave when the other side has left."""
        packet = self.connection.recv(2**20)
        if not packet:
            IOLoop.current().stop()
            return
        message = self._assembler.add(packet)
        if message is not None:
            _, parts = message
            handled = self.shell_socket.receive([zmq.Frame(part) for part in parts])
            asyncio.ensure_future(handled)

    def start(self) -> None:
        """Run until the other side leaves."""
        self._assembler = wire.Assembler(2**28)
        asyncio.get_event_loop().add_reader(self.connection.fileno(), self.receive)
        super().start()


def _read_cells_once(shell: Any) -> None:
    """Keep what a cell became, and its syntax tree, for the next who asks.

    The kernel transforms each cell to see whether it awaits anything, and the shell does it again.
    Where a cell is Python no token is to be transformed: IPython's own syntax is an error there.
    """
    manager, compiler = shell.input_transformer_manager, shell.compile
    transform, change_tokens, parse = (
        shell.transform_cell,
        manager.do_token_transforms,
        compiler.ast_parse,
    )
    usual = list(manager.token_transformers)
    cells: dict[str, str] = {}
    trees: dict[tuple[str, int], ast.AST] = {}

    def transform_cell(raw_cell: str) -> str:
        if raw_cell in cells:
            return cells.pop(raw_cell)
        cells.clear()
        cells[raw_cell] = made = transform(raw_cell)
        return made

    def do_token_transforms(lines: list[str]) -> list[str]:
        trees.clear()
        text = "".join(lines)
        tree = _as_python(text, compiler.flags) if manager.token_transformers == usual else None
        if tree is None:
            return change_tokens(lines)
        trees[text, compiler.flags] = tree
        return lines

    def ast_parse(source: str, filename: str = "<unknown>", symbol: str = "exec") -> ast.AST:
        # Handed out once: who has it may change it.
        return trees.pop((source, compiler.flags), None) or parse(source, filename, symbol)

    shell.transform_cell, manager.do_token_transforms = transform_cell, do_token_transforms
    compiler.ast_parse, compiler.get_code_name = ast_parse, _file_name


def _as_python(cell: str, flags: int) -> ast.AST | None:
    """Parse a cell that is plain Python, and nothing to warn of; None for any other."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return compile(cell, "<cell>", "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    except Exception:  # whatever is wrong, IPython is to find it in its own way
        return None


def _file_name(raw_code: str, *_: Any) -> str:
    """Name the file that a cell appears to come from; ipykernel's way is slow."""
    number = zlib.crc32(raw_code.encode(errors="replace"))
    return f"{tempfile.gettempdir()}/ipykernel_{os.getpid()}/{number}.py"


def _if_it_may(should_run_async: Callable[..., bool]) -> Callable[..., bool]:
    """Compile a cell to see whether it awaits anything only where its text has such a word."""

    def ask(raw_cell: str, *, transformed_cell: str | None = None, **more: Any) -> bool:
        text = raw_cell if transformed_cell is None else transformed_cell
        may = "await" in text or "async" in text
        return may and should_run_async(raw_cell, transformed_cell=transformed_cell, **more)

    return ask


def prepare() -> None:
    """Make a kernel of this process, so that its forks need not."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["IPYTHONDIR"] = folder
        config = Config(HistoryManager={"hist_file": ":memory:"})
        KernelApp.instance(config=config).initialize()


def main(connection: socket.socket) -> None:
    """Be the kernel that was prepared."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    app = KernelApp.instance()
    app.connect(connection)
    app.start()
