"""The IPython kernel, with a packet socket in the place of ZeroMQ's sockets.

It stands alone: a zygote loads it by its path. Everything that a student's code meets is
ipykernel's own: the application, the shell, the streams, the handling of messages.
"""

from __future__ import annotations

import ast
import asyncio
import logging
import os
import socket
import sys
import tempfile
import threading
import warnings
import zlib
from collections.abc import Callable
from typing import Any

import zmq
from ipykernel.iostream import BackgroundSocket, IOPubThread
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.session import Session
from tornado.ioloop import IOLoop
from traitlets import Instance
from traitlets.config import Config

# Set by the zygote, which loads this file and the wire by their paths.
wire: Any = None


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
        self.io_loop = IOLoop(make_current=False)
        self.thread = threading.Thread(target=self._run, daemon=True, name="IOPub")

    def _run(self) -> None:
        asyncio.set_event_loop(self.io_loop.asyncio_loop)
        self.io_loop.start()

    def start(self) -> None:
        """Start the thread."""
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

    connection: socket.socket

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
        sender = wire.Sender(self.connection)
        self.shell_socket = Channel(sender, wire.SHELL)
        self.stdin_socket = Channel(sender, wire.STDIN)
        self.configure_tornado_logger()
        self.iopub_thread = PubThread(Channel(sender, wire.IOPUB))
        self.iopub_thread.start()
        self.iopub_socket = self.iopub_thread.background_socket

    def init_shell(self) -> None:
        """Make the shell, which is to read each cell as seldom as can be."""
        super().init_shell()
        if self.shell is not None:
            _read_cells_once(self.shell)
            self.shell.should_run_async = _if_it_may(self.shell.should_run_async)

    def init_io(self) -> None:
        """Make the streams, which are flushed before each display."""
        super().init_io()
        _flush_what_there_is(sys.stdout)
        _flush_what_there_is(sys.stderr)

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
        self.displayhook.get_execution_count = lambda: self.kernel.execution_count

    def close(self) -> None:
        """Leave the channels open until the process is gone."""
        self.reset_io()

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


def _flush_what_there_is(stream: Any) -> None:
    """Let a stream that has nothing to send return at once, instead of asking its thread."""
    flush, send, sending = stream.flush, stream._flush, False

    def send_noted() -> None:
        nonlocal sending
        sending = True  # from before the buffers are taken until what they held is sent
        try:
            send()
        finally:
            sending = False

    def flush_noted() -> None:
        if stream._buffers or sending:
            flush()

    stream._flush, stream.flush = send_noted, flush_noted


def _if_it_may(should_run_async: Callable[..., bool]) -> Callable[..., bool]:
    """Compile a cell to see whether it awaits anything only where its text has such a word."""

    def ask(raw_cell: str, *, transformed_cell: str | None = None, **more: Any) -> bool:
        text = raw_cell if transformed_cell is None else transformed_cell
        may = "await" in text or "async" in text
        return may and should_run_async(raw_cell, transformed_cell=transformed_cell, **more)

    return ask


def main(connection: socket.socket) -> None:
    """Be a kernel."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    app = KernelApp.instance(config=Config(HistoryManager={"hist_file": ":memory:"}))
    app.connection = connection
    app.initialize()
    app.start()
