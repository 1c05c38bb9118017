"""Hostile code that runs in a sandbox and says what it could do.

It stands alone: a sandbox shows nothing else of the tools. Called with the path of a task, it
prints one JSON line for each attempt: its name, and in words what it could do, or "".
With "leave" as second argument it only leaves a process behind.
"""

from __future__ import annotations

import ctypes
import fcntl
import importlib.util
import json
import mmap
import os
import resource
import signal
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

Task = dict[str, Any]


def reads_files(task: Task) -> Iterator[str]:
    """Read the files that were laid out for it: home, course, submissions."""
    read = []
    for path in task["canaries"]:
        try:
            Path(path).read_text()
        except OSError:
            continue
        read.append(str(Path(path).parent.parent))
    if read:
        yield f"reads files in {', '.join(read)}"


def imports_the_reference(task: Task) -> Iterator[str]:
    """Find the reference solution or the tools, by import or as a file."""
    for name in task["references"]:
        try:
            found = importlib.util.find_spec(name)
        except ImportError:
            found = None
        if found is not None:
            yield f"imports {name}"
        as_path = Path(*name.split("."))
        for folder in {*sys.path, *task["package_folders"]}:
            for path in (Path(folder, as_path.with_suffix(".py")), Path(folder, as_path)):
                if os.access(path, os.R_OK):
                    yield f"reads {path}"


def reads_environments(task: Task) -> Iterator[str]:
    """Find a secret in the environment of any process."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if task["secret"].encode() in path.read_bytes():
                yield f"reads the environment of process {path.parent.name}"
        except OSError:
            continue


def sees_processes(task: Task) -> Iterator[str]:
    """See processes besides itself and the first one."""
    pids = {int(path.name) for path in Path("/proc").glob("[0-9]*")}
    others = pids - {1, os.getpid()}
    if others:
        yield f"sees {len(others)} other processes"
    if os.getpid() > 20:  # its own namespace counts from 1
        yield "shares the machine's process numbers"


def reaches_the_network(task: Task) -> Iterator[str]:
    """Connect to a server of the machine, or see an interface besides loopback."""
    with closing(socket.socket()) as connection:
        connection.settimeout(0.2)
        if connection.connect_ex(("127.0.0.1", task["port"])) == 0:
            yield "connects to the machine's servers"
    interfaces = {name for _, name in socket.if_nameindex()} - {"lo"}
    if interfaces:
        yield f"has the network interface {min(interfaces)}"


def reaches_unix_sockets(task: Task) -> Iterator[str]:
    """Connect to a server by path, and to one by abstract name."""
    for kind, address in task["unix_sockets"].items():
        with closing(socket.socket(socket.AF_UNIX)) as connection:
            if connection.connect_ex(address.replace("@", "\0")) == 0:
                yield f"connects to the machine's unix sockets by {kind}"


def writes_files(task: Task) -> Iterator[str]:
    """Write where others would see it."""
    written = {path for path in task["unwritable"] if os.access(path, os.W_OK)}
    for path in task["canaries"]:
        try:
            Path(path).with_name("written").write_text("")
        except OSError:
            continue
        written.add(str(Path(path).parent.parent))
    if written:
        yield f"writes to {', '.join(sorted(written))}"


def fills_folders(task: Task) -> Iterator[str]:
    """Put more into the writable folders than they may hold."""
    block = bytes(2**20)
    for folder, size in task["folders"].items():
        written, paths = 0, []
        try:
            for number in range(2):  # two files: a limit on one file is not one on the folder
                paths.append(Path(folder, f"fill{number}"))
                with open(paths[-1], "wb", buffering=0) as file:
                    for _ in range(size // len(block) + 1):
                        written += file.write(block)
        except OSError:
            pass
        for path in paths:
            path.unlink(missing_ok=True)
        if written > size:
            yield f"puts more than {size} bytes into {folder}"


def fills_sockets(task: Task) -> Iterator[str]:
    """Let more wait in a socket than it holds by default, outside the memory of any process."""
    with ExitStack() as stack:
        pair = [stack.enter_context(closing(end)) for end in socket.socketpair()]
        pair[0].setblocking(False)
        written = 0
        try:
            pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**24)
            while written < 2**20:
                written += pair[0].send(bytes(2**14))
        except OSError:
            return
        yield "makes the buffers of sockets larger"


def calls_the_system(task: Task) -> Iterator[str]:
    """Make system calls that ordinary code does not make."""
    libc = ctypes.CDLL(None, use_errno=True)
    allowed = []
    for name, (number, *arguments) in task["calls"].items():
        ctypes.set_errno(0)
        libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
        if ctypes.get_errno() not in task["refusals"]:
            allowed.append(name)
    if allowed:
        yield f"makes the system calls {', '.join(allowed)}"


def takes_address_space(task: Task) -> Iterator[str]:
    """Reserve more memory than one process may."""
    try:
        with closing(mmap.mmap(-1, task["address_space"])):
            yield "reserves memory without a limit"
    except (OSError, ValueError):
        pass


def reaches_the_first_process(task: Task) -> Iterator[str]:
    """Open what would let it end the first process, or look into it."""
    opened = []
    for name, flags in (("mem", os.O_RDWR), ("fd/0", os.O_WRONLY), ("environ", os.O_RDONLY)):
        try:
            os.close(os.open(f"/proc/1/{name}", flags | os.O_NONBLOCK))
        except OSError:
            continue
        opened.append(name)
    if opened:
        yield f"opens {', '.join(opened)} of the first process"


def locks_files(task: Task) -> Iterator[str]:
    """Lock ranges of a file as nobody's, so that no watchdog can count them."""
    if not hasattr(fcntl, "F_OFD_SETLK"):
        return
    with tempfile.TemporaryFile() as file:
        lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 1, 0)
        try:
            fcntl.fcntl(file, fcntl.F_OFD_SETLK, lock)
        except OSError:
            return
        yield "locks files without a limit"


def takes_over_a_process(task: Task) -> Iterator[str]:
    """Find a process that it may write to, and that has no limits."""
    for path in Path("/proc").glob("[0-9]*/mem"):
        try:
            with open(path, "r+b"):
                limit, _ = resource.prlimit(int(path.parent.name), resource.RLIMIT_AS)
        except OSError:
            continue
        if not 0 <= limit <= task["address_space"]:
            yield f"takes over process {path.parent.name}, which has no limits"


def forks(task: Task) -> Iterator[str]:
    """Start more processes than allowed, though not without an end."""
    children: list[int] = []
    try:
        while len(children) <= task["processes"]:
            child = os.fork()
            if child == 0:
                signal.pause()
                os._exit(0)
            children.append(child)
        yield f"starts more than {task['processes']} processes"
    except OSError:
        pass
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def leaves_a_process(task: Task) -> None:
    """Leave a process that is in no group or session of its own, and holds stdout."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(5)
        os._exit(0)
    os.wait()


def takes_memory(task: Task) -> None:
    """Take more memory in several processes than all together may; does not return if stopped."""
    for _ in range(4):
        if os.fork() == 0:
            held = bytearray(task["memory"] // 3)
            held[:: mmap.PAGESIZE] = b"x" * len(held[:: mmap.PAGESIZE])
            time.sleep(1)
            os._exit(0)
    for _ in range(4):
        os.wait()


ATTEMPTS: tuple[Callable[[Task], Iterator[str]], ...] = (
    sees_processes,
    reads_files,
    imports_the_reference,
    reads_environments,
    reaches_the_network,
    reaches_unix_sockets,
    writes_files,
    fills_folders,
    fills_sockets,
    calls_the_system,
    takes_address_space,
    reaches_the_first_process,
    locks_files,
    takes_over_a_process,
    forks,
)


def main() -> None:
    """Try everything; the attempt that is answered by killing comes last."""
    task: Task = json.loads(Path(sys.argv[1]).read_text())
    if sys.argv[2:] == ["leave"]:
        leaves_a_process(task)
        return
    for attempt in ATTEMPTS:
        try:
            done = list(attempt(task))
        except Exception as error:  # whatever it was, it is not known to be stopped
            done = [f"{attempt.__name__} was not decided: {error!r}"]
        print(json.dumps([attempt.__name__, done]), flush=True)
    takes_memory(task)
    print(json.dumps(["takes_memory", ["takes memory without a limit"]]), flush=True)


if __name__ == "__main__":
    main()
