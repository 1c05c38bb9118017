"""The kernel: IPython's own shell, which runs one cell after the other for the grader.

A zygote loads this file and forks for each kernel, or it is started as a program of its own; in
either case at one end of a socket. On it come cells, and what these show goes back, see
:mod:`tito.kernels.capture`. It imports nothing of the tools, since a student's code can see what
is in this process.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import getpass
import importlib.util
import json
import os
import signal
import socket
import sys
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

# Libraries know a notebook by this module and by what is in it.
from ipykernel.zmqshell import KernelMagics
from IPython.core import page
from IPython.core.autocall import ZMQExitAutocall
from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.profiledir import ProfileDir
from IPython.paths import get_ipython_dir
from traitlets import Instance, Type, default
from traitlets.config import Config


def _load_beside(name: str) -> ModuleType:
    """Load a file that lies beside this one, by its path: there is no package around it."""
    full_name = f"tito_{name}"
    if full_name not in sys.modules:
        path = Path(__file__).with_name(f"{name}.py")
        spec = importlib.util.spec_from_file_location(full_name, path)
        assert spec is not None and spec.loader is not None
        module = sys.modules[full_name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[full_name]


if TYPE_CHECKING:
    from tito.kernels import capture
else:
    capture = _load_beside("capture")

OUTPUTS = capture.Capture()
_AWAITING = ("await", "async")
#: Files beside a notebook, of so many bytes at most, that its code may change.
_COPIED = 1_000_000
_BACKEND = "module://matplotlib_inline.backend_inline"
#: As ipykernel sets it.
_ENVIRONMENT = {
    **{"TERM": "xterm-color", "CLICOLOR": "1", "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"},
    **{"PAGER": "cat", "GIT_PAGER": "cat", "MPLBACKEND": _BACKEND},
}


class Publisher(DisplayPublisher):
    """Sends what a cell displays."""

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        source: str | None = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        """Show data, or show it in the place of what bears the same name."""
        for name, value in (("data", data), ("metadata", metadata or {})):
            if not isinstance(value, dict):
                raise TypeError(f"{name} must be a dict, got: {value!r}")
        kind = "update_display_data" if update else "display_data"
        display_id = (transient or {}).get("display_id")
        OUTPUTS.show(kind, data=data, metadata=metadata or {}, display_id=display_id)

    def clear_output(self, wait: bool = False) -> None:
        """Take back what the cell has shown."""
        OUTPUTS.show("clear_output", wait=bool(wait))


class Hook(DisplayHook):
    """Sends the value of a cell's last expression."""

    def write_output_prompt(self) -> None:
        """Have none."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        """Show the value."""
        count = self.prompt_count
        OUTPUTS.show(
            "execute_result", data=format_dict, metadata=md_dict or {}, execution_count=count
        )


class Compiler(CachingCompiler):
    """Names a cell's file as ipykernel does, and parses no cell twice."""

    parsed: tuple[str, int, ast.Module] | None = None

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        """Name the file that a cell appears to come from."""
        name = zlib.crc32(raw_code.encode(errors="replace"))
        return f"{tempfile.gettempdir()}/ipykernel_{os.getpid()}/{name}.py"

    def ast_parse(self, source: str, filename: str = "<unknown>", symbol: str = "exec") -> Any:
        """Parse a cell."""
        # Handed out once: who has it may change it.
        parsed, self.parsed = self.parsed, None
        if parsed is not None and parsed[:2] == (source, self.flags):
            return parsed[2]
        return super().ast_parse(source, filename, symbol)


class Transformers(TransformerManager):
    """Leaves a cell that is Python as it is: IPython's own syntax is an error there."""

    def __init__(self, compiler: Compiler) -> None:
        super().__init__()
        self._compiler, self._usual = compiler, list(self.token_transformers)

    def do_token_transforms(self, lines: list[str]) -> list[str]:
        """Turn IPython's own syntax into Python."""
        if self.token_transformers == self._usual:
            text, flags = "".join(lines), self._compiler.flags
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    mode = flags | ast.PyCF_ONLY_AST
                    tree = compile(text, "<cell>", "exec", mode, dont_inherit=True)
            except Exception:  # whatever is wrong, IPython is to find it in its own way
                return super().do_token_transforms(lines)
            self._compiler.parsed = (text, flags, tree)
            return lines
        return super().do_token_transforms(lines)


class ZMQInteractiveShell(InteractiveShell):
    """IPython's shell; of this name, since libraries look for it to know a notebook."""

    displayhook_class = Type(Hook)
    display_pub_class = Type(Publisher)
    compiler_class = Type(Compiler)
    kernel = None
    exiter = Instance(ZMQExitAutocall)
    #: Whether a cell has asked for the end, by ``exit()``; not by ``exit(keep_kernel=True)``.
    is_to_end = False
    keepkernel_on_exit = None

    @default("exiter")
    def _make_exiter(self) -> ZMQExitAutocall:
        return ZMQExitAutocall(self)

    def init_syntax_highlighting(self) -> None:
        """Make what reads cells."""
        super().init_syntax_highlighting()
        manager, compiler = self.input_transformer_manager, self.compile
        ours = Transformers(compiler)
        ours.cleanup_transforms = manager.cleanup_transforms
        ours.line_transforms = manager.line_transforms
        self.input_transformer_manager = ours

    def init_hooks(self) -> None:
        """Have no pager: nobody looks at it."""
        super().init_hooks()
        self.set_hook("show_in_pager", page.as_hook(lambda *_, **__: None), 99)

    def init_magics(self) -> None:
        """Have the magics of a notebook too."""
        super().init_magics()
        self.register_magics(KernelMagics)

    def enable_gui(self, gui: Any = None) -> None:
        """Have none."""

    def ask_exit(self) -> None:
        """End after this cell."""
        self.is_to_end = not self.keepkernel_on_exit

    def _showtraceback(self, etype: type, evalue: Any, stb: list[str]) -> None:
        # The one private name: IPython prints here.
        error = {"ename": etype.__name__, "evalue": _text_of(evalue), "traceback": stb}
        OUTPUTS.show("error", **error)

    def should_run_async(self, raw_cell: str, *, transformed_cell: Any = None, **more: Any) -> bool:
        """Whether a cell awaits anything; it is compiled only if its text has such a word."""
        text = raw_cell if transformed_cell is None else transformed_cell
        if not any(word in text for word in _AWAITING):
            return False
        return bool(super().should_run_async(raw_cell, transformed_cell=transformed_cell, **more))

    async def run_source(self, source: str) -> Any:
        """Run a cell within the loop, where it can begin tasks, whether it awaits them or not."""
        if not any(word in source for word in _AWAITING):
            return self.run_cell(source, store_history=True)
        try:
            transformed, problem = self.transform_cell(source), None
        except Exception:  # shown when the cell runs
            transformed, problem = source, sys.exc_info()
        told = {"transformed_cell": transformed, "preprocessing_exc_tuple": problem}
        if not self.should_run_async(source, **told):
            return self.run_cell(source, store_history=True)
        result = None
        with _cancelled_by_interrupts():
            try:
                result = await self.run_cell_async(source, store_history=True, **told)
            finally:
                self.events.trigger("post_execute")
                self.events.trigger("post_run_cell", result)
        return result


@contextmanager
def _cancelled_by_interrupts() -> Iterator[None]:
    """Let an interrupt cancel this task where it waits, as it breaks off one that is busy."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def interrupt(*_: Any) -> None:
        if asyncio.current_task(loop) is task or task is None:
            raise KeyboardInterrupt
        loop.call_soon_threadsafe(task.cancel)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _in_short(error: BaseException) -> list[str]:
    """Return the name and the text of an error, so short that the end of a cell is always told."""
    return [text[: capture.SHORT] for text in (type(error).__name__, _text_of(error))]


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # of a student's own class, which may do anything
        return "an error whose text cannot be shown"


def _refuse_input(asked: str) -> Any:
    def refuse(*_: Any, **__: Any) -> str:
        __tracebackhide__ = True  # IPython shows the student's line, and not this one
        raise StdinNotImplementedError(
            f"{asked} was called, but this frontend does not support input requests."
        )

    return refuse


def prepare() -> None:
    """Make the shell, as far as that needs no thread and no folder of a sandbox's."""
    # The second is what libraries look for to know a notebook.
    config = Config(HistoryManager={"hist_file": ":memory:"}, IPKernelApp={"quiet": True})
    with tempfile.TemporaryDirectory() as folder:
        config.InteractiveShell.ipython_dir = folder  # until there is a sandbox
        ZMQInteractiveShell.instance(config=config)


def serve(connection: socket.socket) -> None:
    """Be the kernel at one end of `connection`, until the other end is gone."""
    shell = ZMQInteractiveShell.instance()
    shell.ipython_dir = get_ipython_dir()
    made = ProfileDir.create_profile_dir_by_name(shell.ipython_dir, "default")
    shell.profile_dir = made
    if shell.history_manager is not None:
        shell.history_manager.profile_dir = made
    os.environ.update(_ENVIRONMENT)
    sys.path.insert(0, "")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # between cells
    _lay_out_files()
    OUTPUTS.connect(connection)
    sys.stdout = capture.Stream(OUTPUTS, "stdout", 1)
    sys.stderr = capture.Stream(OUTPUTS, "stderr", 2)
    builtins.input, getpass.getpass = _refuse_input("raw_input"), _refuse_input("getpass")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    connection.sendall(capture.encode({"kind": "ready"}))
    serving = loop.create_task(Server(connection, shell).serve())
    while True:
        try:
            loop.run_until_complete(serving)
        except KeyboardInterrupt:  # raised in a task of a cell's own
            continue
        break


def _lay_out_files() -> None:
    """Put into the working folder what is to lie beside the notebook.

    It comes with the package, read-only: what is large is linked to, and cannot be changed.
    """
    given = Path(os.environ.get("PYTHONPATH", "").split(os.pathsep)[-1], "work")
    for path in sorted(given.rglob("*")):
        here = path.relative_to(given)
        if path.is_dir():
            here.mkdir(exist_ok=True)
        elif path.stat().st_size <= _COPIED:
            here.write_bytes(path.read_bytes())
        else:
            here.symlink_to(path)


def fail(connection: socket.socket, why: str) -> None:
    """Say why there is no kernel."""
    connection.sendall(capture.encode({"kind": "failed", "reason": why}))


class Server:
    """Takes cells, runs them, and says how they ended."""

    def __init__(self, connection: socket.socket, shell: ZMQInteractiveShell) -> None:
        self._connection, self._shell, self._pid = connection, shell, os.getpid()

    async def serve(self) -> None:
        """Run what comes until the other end is gone."""
        while (request := await self._receive()) is not None:
            OUTPUTS.begin(request["cell"])
            count, error = self._shell.execution_count, await self._run(request["source"])
            if os.getpid() != self._pid:  # a child that a cell has forked, and that came back
                os._exit(0)
            said = _in_short(error) if error is not None else None
            OUTPUTS.end(execution_count=count, error=said, ends=self._shell.is_to_end)
            if self._shell.is_to_end:
                return

    async def _run(self, source: str) -> BaseException | None:
        """Run a cell; only then is an interrupt its own. Return the error that it ended with."""
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            result = await self._shell.run_source(source)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        except BaseException as error:  # a cell must not end this loop, by whatever it raises
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            return error
        if self._shell.payload_manager is not None:
            self._shell.payload_manager.clear_payload()
        return result.error_before_exec or result.error_in_exec if result is not None else None

    async def _receive(self) -> dict[str, Any] | None:
        """Return the next request; what tasks are left from earlier cells goes on meanwhile."""
        came, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.add_reader(self._connection.fileno(), came.set)
        await came.wait()
        loop.remove_reader(self._connection.fileno())
        head = self._exactly(capture.LENGTH.size)
        data = self._exactly(capture.LENGTH.unpack(head)[0]) if head else b""
        return json.loads(data) if data else None

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            more = self._connection.recv(size - len(data))
            if not more:
                return b""
            data += more
        return bytes(data)


def main(number: int) -> None:
    """Be a kernel that was started; the socket has this number."""
    if os.getpid() != os.getsid(0):
        os.setsid()  # so that an interrupt reaches what the kernel waits for, too
    connection = socket.socket(fileno=os.dup(number))
    os.close(number)
    connection.set_inheritable(False)
    here = str(Path(__file__).parent)
    sys.path[:] = [path for path in sys.path if path != here]
    sys.argv[:] = ["ipykernel_launcher.py"]
    prepare()
    serve(connection)


if __name__ == "__main__":
    # IPython makes a module of this name for the cells.
    _load_beside("shell").main(int(sys.argv[1]))
