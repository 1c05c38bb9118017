"""A warm process that is forked for each kernel; it never runs a student's code itself.

It is a program of its own, which imports nothing of the tools: whatever a zygote holds in its
memory, the kernels forked from it hold too. On the socket that it is given it takes one request
after the other, with open files. It has one thread, so that a fork is whole.

A fork enters the namespaces of a sandbox that bubblewrap made, gives up every privilege, takes
on the limits and the filter of system calls, looks whether all of that holds, and only then
becomes a kernel.

Whoever started it may give it a socket on which others of the same user ask for forks too.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import importlib.util
import json
import os
import resource
import runpy
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import Any

#: What a kernel imports sooner or later. Not pyplot and not the inline backend: they look for
#: IPython's shell when they are imported, and there is none yet.
_WARM = """
asttokens executing pure_eval stack_data pygments.formatters.terminal256 pygments.lexers.python
IPython.core.completerlib IPython.core.debugger IPython.core.logger IPython.core.oinspect
IPython.core.magics.ast_mod IPython.core.magics.execution IPython.core.pylabtools
IPython.extensions.storemagic IPython.utils.module_paths IPython.utils.timing
sqlite3 faulthandler pdb secrets csv gzip dataclasses
concurrent.futures.thread
numpy numpy.random matplotlib matplotlib.figure matplotlib.font_manager matplotlib.style
matplotlib.backends.backend_agg PIL.BmpImagePlugin PIL.GifImagePlugin PIL.JpegImagePlugin
PIL.PngImagePlugin PIL.PpmImagePlugin
""".split()

#: Of the course's package, what every notebook works with. The rest builds on what a student is
#: yet to write, or belongs to demonstrations.
_WARM_PACKAGE = ("tinytorch.core", "tinytorch.checks", "tinytorch.datasets", "tinytorch.figures")

_REQUEST = 2**20
_FILES = 8
#: The file that a kernel's connection becomes.
_CONNECTION = 3
_BACKEND = "module://matplotlib_inline.backend_inline"
_NO_CAPABILITIES = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}
_PR_CAPBSET_DROP, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 24, 22, 38, 47
_PR_SET_DUMPABLE, _PR_CAP_AMBIENT_CLEAR_ALL, _SECCOMP_MODE_FILTER = 4, 4, 2
_CAPABILITY_VERSION = 0x20080522


def main() -> None:
    """Warm up as the first request says, then fork until the other side leaves."""
    control = socket.socket(fileno=int(sys.argv[1]))
    setup, files = _receive(control)
    assert setup is not None
    listening = [socket.socket(fileno=file) for file in files]
    for name in ("capture", "shell"):  # the latter loads the former, if it is not there
        _load(f"tito_{name}", Path(__file__).with_name(f"{name}.py"), setup["files_shown_in"])
    _warm_up(setup)
    control.send(json.dumps({"ready": True}).encode())
    clients = [control]
    while control in clients:
        ready, _, _ = select.select([*clients, *listening], [], [])
        for one in ready:
            if one in listening:
                clients.append(one.accept()[0])
            elif not _answer(one):
                clients.remove(one)
                one.close()


def _answer(client: socket.socket) -> bool:
    """Fork as a client asks; False where it has left."""
    request, files = _receive(client)
    if request is None:
        return False
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    if os.fork() == 0:
        _fork(client, request, files)
    for file in files:
        os.close(file)
    return True


def _receive(control: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    try:
        data, files, _, _ = socket.recv_fds(control, _REQUEST, _FILES)
    except ConnectionResetError:
        return None, []
    return (json.loads(data) if data else None), files


def _load(name: str, path: Path, shown_in: str) -> None:
    """Load a file of the kernel's, as if it lay where it does if a kernel is started."""
    loader = _ShownElsewhere(name, f"{shown_in}/{path.name}", path)
    spec = importlib.util.spec_from_file_location(name, loader.path, loader=loader)
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


# Warming up ---------------------------------------------------------------------------------


def _warm_up(setup: dict[str, Any]) -> None:
    """Import what all kernels need, and become the user that runs them."""
    # The first is this file's folder. An editable install is the whole checkout: the answer would
    # be importable.
    kept = (sys.prefix, sys.base_prefix)
    sys.path[:] = [path for path in sys.path[1:] if path.startswith(kept)]
    sys.meta_path[:] = [
        finder
        for finder in sys.meta_path
        if not getattr(finder, "__module__", "").startswith("__editable__")
    ]
    # Nobody debugs a kernel here; what that takes is a tenth of the memory that a fork copies.
    sys.modules["debugpy"] = None  # type: ignore[assignment]
    # Without a list of fonts matplotlib makes one: not in a folder that is there to stay.
    with tempfile.TemporaryDirectory() as empty:
        os.environ.update(MPLBACKEND=_BACKEND, MPLCONFIGDIR=setup["fonts"] or empty)
        for name in _WARM:
            with suppress(ImportError):  # another version of a library; it is only slower
                importlib.import_module(name)
    # The lexer compiles its rules when it is first used: a tenth of a second for a traceback.
    list(sys.modules["pygments.lexers.python"].Python3Lexer().get_tokens("1"))
    del sys.modules["debugpy"]
    if setup["package"]:
        _import_package(Path(setup["package"]), setup["shown_as"])
    sys.argv[:] = ["ipykernel_launcher.py"]
    sys.modules["tito_shell"].prepare()
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(*[setup["group"]] * 3)
        os.setresuid(*[setup["user"]] * 3)
    if len(os.listdir("/proc/self/task")) > 1:
        raise RuntimeError("something that was imported has started a thread; a fork would lose it")
    gc.collect()
    gc.freeze()  # so that looking for garbage does not copy what all share


class _ShownElsewhere(SourceFileLoader):
    """Loads a module from where it lies, as the file that it will be in the sandbox."""

    def __init__(self, name: str, shown: str, real: Path) -> None:
        super().__init__(name, shown)
        self._real = real

    def get_data(self, path: str) -> bytes:
        """Read the file."""
        return self._real.read_bytes()


class _PackageFinder:
    """Finds the modules of the course's package."""

    def __init__(self, folder: Path, shown: str) -> None:
        self.files: dict[str, tuple[str, Path]] = {}
        for path in sorted(folder.rglob("*.py")):
            inside = path.relative_to(folder)
            module = inside.parent if path.name == "__init__.py" else inside.with_suffix("")
            self.files[".".join(module.parts)] = (f"{shown}/{inside}", path)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Find a module."""
        if name not in self.files:
            return None
        shown, real = self.files[name]
        loader = _ShownElsewhere(name, shown, real)
        where = [str(Path(shown).parent)] if real.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            name, shown, loader=loader, submodule_search_locations=where
        )


def _import_package(folder: Path, shown: str) -> None:
    finder = _PackageFinder(folder, shown)
    sys.meta_path.insert(0, finder)
    try:
        for name in finder.files:
            if name.startswith(_WARM_PACKAGE):
                importlib.import_module(name)
    finally:
        sys.meta_path.remove(finder)
    for name, (path, _) in finder.files.items():
        module = sys.modules.get(name)
        if module is None:
            continue
        module.__loader__ = SourceFileLoader(name, path)
        if module.__spec__ is not None:
            module.__spec__.loader = module.__loader__
    sys.path.insert(0, shown)


# Forking ------------------------------------------------------------------------------------


def _fork(control: socket.socket, request: dict[str, Any], files: list[int]) -> None:
    """Enter a sandbox, start a process in it, and wait for its end; does not return.

    Who enters a namespace of processes stays outside himself: only his children are in it. He is
    their parent, and must be there when they end, since nobody else in there can be.
    """
    try:
        _call("setns", files[0], request["namespaces"])
        child = os.fork()
    except OSError as error:
        control.send(json.dumps({"error": f"the sandbox cannot be entered: {error}"}).encode())
        os._exit(1)
    if child == 0:
        _start(request, socket.socket(fileno=files[1]), files[2:])
    handle = os.pidfd_open(child)
    socket.send_fds(control, [json.dumps({"pid": child}).encode()], [handle])
    os.closerange(3, 2**16)
    os.waitpid(child, 0)
    os._exit(0)


def _start(request: dict[str, Any], connection: socket.socket, files: Sequence[int]) -> None:
    """Be what was asked for; does not return."""
    try:
        _enter_and_run(request, connection, files)
    except BaseException as error:  # it must be known, and nothing of the zygote may go on
        with suppress(OSError):
            if connection.fileno() < 0:  # it has moved
                connection = socket.socket(fileno=_CONNECTION)
            sys.modules["tito_shell"].fail(connection, f"{type(error).__name__}: {error}")
    finally:
        os._exit(1)


def _enter_and_run(
    request: dict[str, Any], connection: socket.socket, files: Sequence[int]
) -> None:
    """Give up what a student's code must not have, and run it."""
    os.setsid()
    streams = [os.open("/dev/null", os.O_RDWR), *(files or [os.open("/dev/null", os.O_RDWR)])]
    for target in (0, 1, 2):
        os.dup2(streams[min(target, 1)], target)
    os.dup2(connection.fileno(), _CONNECTION)
    connection.detach()
    os.closerange(4, 2**20)
    connection = socket.socket(fileno=_CONNECTION)
    os.chdir(request["folder"])
    os.umask(0o022)
    os.environ.clear()
    os.environ.update(request["environment"], PWD=request["folder"])
    for number, limit in request["limits"]:
        _, hard = resource.getrlimit(number)
        limit = limit if hard < 0 else min(limit, hard)
        resource.setrlimit(number, (limit, limit))
    _give_up_privileges(bytes.fromhex(request["filter"]))
    _look_whether_that_holds(bool(request["filter"]))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.path_importer_cache.clear()
    sys.modules["numpy"].random.seed()
    if request.get("program"):
        sys.argv[:] = request["program"]
        runpy.run_path(sys.argv[0], run_name="__main__")
        sys.stdout.flush()
    else:
        sys.modules["tito_shell"].serve(connection)
    os._exit(0)


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]


def _give_up_privileges(steps: bytes) -> None:
    for capability in range(64):
        with suppress(OSError):  # there are not as many as that
            _call("prctl", _PR_CAPBSET_DROP, capability, 0, 0, 0)
    _call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header, none = _Header(_CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
    _call("capset", ctypes.byref(header), ctypes.byref(none))
    _call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # As after the start of any program; a change of namespaces takes it away.
    _call("prctl", _PR_SET_DUMPABLE, 1, 0, 0, 0)
    if steps:
        program = _Program(len(steps) // 8, steps)
        _call("prctl", _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)


def _look_whether_that_holds(filtered: bool) -> None:
    """Raise unless the privileges are gone."""
    lines = Path("/proc/self/status").read_text().splitlines()
    status = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    held = [name for name in _NO_CAPABILITIES if int(status[name][0], 16)]
    if held or "0" in status["Uid"] or status["NoNewPrivs"] != ["1"]:
        raise RuntimeError(f"privileges were kept: {held}, user {status['Uid']}")
    if filtered and status["Seccomp"] != ["2"]:
        raise RuntimeError("the filter of system calls is not in force")
    if len(os.listdir("/proc/self/fd")) > 5:  # three streams, the connection, this listing
        raise RuntimeError("files of the zygote are open")


_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: Any) -> None:
    """Call a function of the C library; raise what went wrong."""
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
