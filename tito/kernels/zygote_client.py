"""The client of the zygote (:mod:`tito.kernels.zygote` is the server).

It starts one, has kernels forked into sandboxes, and replaces one that is lost.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import resource
import select
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from tito.errors import NotStartedError
from tito.kernels.fonts import prepare_fonts
from tito.sandbox import seccomp
from tito.sandbox.bubblewrap import FILES, PACKAGE, WORK, limits_of
from tito.sandbox.instance import SandboxInstance
from tito.sandbox.scratch import environment_inside
from tito.sandbox.settings import Settings

_PROGRAM = Path(__file__).with_name("zygote.py")
_WARM_SECONDS, _FORK_SECONDS = 60.0, 10.0
_ANSWER = 2**16


class ZygoteLostError(NotStartedError):
    """The zygote is gone; a new one can do what it could not."""


class ZygoteConnection:
    """Asks a warm process for kernels.

    Parameters
    ----------
    settings : Settings
        Who runs the kernels where this process is root. Their limits are those of their sandboxes.
    package : Path or None
        The folder of the course's package before the module under test.
    control : socket.socket
        To the warm process.
    """

    def __init__(self, settings: Settings, package: Path | None, control: socket.socket) -> None:
        self.settings = settings
        self.package = package
        self._environment = {**environment_inside(package), "NBGRADER_EXECUTION": "autograde"}
        self._control = control

    @property
    def is_alive(self) -> bool:
        """Whether it can fork, as far as is known."""
        return self._control.fileno() >= 0

    def fork_kernel(self, sandbox: SandboxInstance, connection: socket.socket) -> None:
        """Start a kernel in a sandbox, at the other end of `connection`.

        Raises
        ------
        ZygoteLostError
            If the zygote is gone.
        NotStartedError
            If the sandbox cannot be entered.
        """
        self._fork(sandbox, [connection.fileno()], {})

    def fork_program(self, sandbox: SandboxInstance, program: Sequence[str], output: int) -> None:
        """Run a Python program in a sandbox as a kernel would be; it writes to `output`."""
        with socket.socket(socket.AF_UNIX) as unused:
            self._fork(sandbox, [unused.fileno(), output], {"program": list(program)})

    def _fork(self, sandbox: SandboxInstance, files: list[int], more: dict[str, Any]) -> None:
        machine = seccomp.this_machine()
        # Counted inside the sandbox's own user namespace.
        processes = (resource.RLIMIT_NPROC, sandbox.settings.processes)
        request = {
            "namespaces": sandbox.namespaces,
            "limits": [*limits_of(sandbox.settings).values(), processes],
            "filter": seccomp.filter_bytes(machine).hex() if machine else "",
            "environment": self._environment,
            "folder": str(WORK),
            **more,
        }
        answer = self._ask(request, [sandbox.first, *files], _FORK_SECONDS)
        if "error" in answer:
            raise NotStartedError(answer["error"])
        sandbox.entered(answer["pid"], *answer["files"])

    def _ask(self, request: dict[str, Any], files: list[int], seconds: float) -> dict[str, Any]:
        try:
            socket.send_fds(self._control, [json.dumps(request).encode()], files)
            ready, _, _ = select.select([self._control], [], [], seconds)
            answer, received, _, _ = (
                socket.recv_fds(self._control, _ANSWER, 1) if ready else (b"", [], 0, None)
            )
        except OSError as error:
            raise ZygoteLostError(f"{error.strerror}") from None
        if not answer:
            raise ZygoteLostError("no answer")
        return {**json.loads(answer), "files": received}

    def close(self) -> None:
        """Leave it; kernels that were forked from it go on."""
        self._control.close()


class Zygote(ZygoteConnection):
    """A warm process, for one package.

    Parameters
    ----------
    settings, package
        As for :class:`ZygoteConnection`.
    fonts : Path, optional
        A folder with matplotlib's list of fonts.
    shared_at : Path, optional
        Where other processes of this user may ask for kernels: a path in a private folder.
    """

    def __init__(
        self,
        settings: Settings,
        package: Path | None = None,
        fonts: Path | None = None,
        shared_at: Path | None = None,
    ) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        super().__init__(settings, package, ours)
        # Not a pipe, which would have to be read.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close
        with theirs:
            self._process = _start(theirs, self._errors)
        setup = {
            "package": str(package) if package else "",
            "shown_as": str(PACKAGE),
            "files_shown_in": str(FILES),
            "fonts": str(fonts or ""),
            "user": settings.user,
            "group": settings.group,
        }
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
                if shared_at is not None:
                    listener.bind(str(shared_at))
                    listener.listen()
                self._ask(setup, [listener.fileno()] if shared_at else [], _WARM_SECONDS)
        except (ZygoteLostError, OSError) as error:
            self._errors.seek(0)
            said = self._errors.read().decode(errors="replace").strip().rpartition("\n")[2]
            self.close()
            message = f"the warm process for kernels does not start: {said or error}"
            raise NotStartedError(message) from None

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can fork."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it; kernels that were forked from it go on."""
        self._control.close()
        self._errors.close()
        self._process.kill()
        self._process.wait()


#: By package, fonts and user, with the process that they belong to.
_zygotes: dict[tuple[Path | None, Path | None, int], tuple[int, ZygoteConnection]] = {}
#: Where a zygote of another process is that has warmed up for this one's package too.
_shared: list[Path] = []


def use_shared(place: Path) -> None:
    """Ask another process's zygote for kernels, for as long as there is an answer."""
    _shared[:] = [place]


def zygote_for(
    package: Path | None, fonts: Path | None, settings: Settings | None = None
) -> ZygoteConnection:
    """Return the shared zygote, or this process's own for a package; a lost one is replaced."""
    settings = settings or Settings()
    key = (package, fonts, settings.user)
    owner, found = _zygotes.get(key, (0, None))
    # A forked process must not share it with its parent.
    if found is None or owner != os.getpid() or not found.is_alive:
        if found is not None and owner == os.getpid():
            found.close()
        found = _connected(settings, package) or _warm(settings, package, fonts)
        _zygotes[key] = (os.getpid(), found)
    return found


def _connected(settings: Settings, package: Path | None) -> ZygoteConnection | None:
    """Connect to the shared zygote, once: where it is lost, this process has its own."""
    for place in [_shared.pop() for _ in _shared[:]]:
        control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            control.connect(str(place))
            return ZygoteConnection(settings, package, control)
        except OSError:
            control.close()
    return None


def _warm(settings: Settings, package: Path | None, fonts: Path | None) -> Zygote:
    if fonts is not None:
        prepare_fonts(fonts)
    return Zygote(settings, package, fonts)


def end_zygotes(package: Path | None = None) -> None:
    """End the zygotes of this process: all of them, or those for one package."""
    for key in [key for key in _zygotes if package in (None, key[0])]:
        owner, zygote = _zygotes.pop(key)
        if owner == os.getpid():
            zygote.close()


atexit.register(end_zygotes)


def _start(control: socket.socket, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the program in an environment that holds nothing."""
    made = environment_inside(None)
    # Looked up again where the copy of the interpreter needs its library.
    library = sysconfig.get_config_var("LIBDIR") or ""
    made.update(HOME="/nonexistent", LD_LIBRARY_PATH=library, MPLCONFIGDIR="/nonexistent")
    interpreter = _sealed_interpreter()
    try:
        return subprocess.Popen(
            [sys.executable, "-s", "-B", str(_PROGRAM), str(control.fileno())],
            executable=f"/proc/self/fd/{interpreter}",
            env=made,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            pass_fds=[control.fileno(), interpreter],
            start_new_session=True,
        )
    finally:
        os.close(interpreter)


def _sealed_interpreter() -> int:
    """Copy the interpreter into memory, where nobody can change it.

    A process can open the file that it runs by its entry in /proc, whatever files it may see
    otherwise; students' code must not find a file of this machine there.
    """
    made = os.memfd_create("python", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with open(sys.executable, "rb") as source, open(made, "wb", closefd=False) as target:
        target.write(source.read())
    seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
    fcntl.fcntl(made, fcntl.F_ADD_SEALS, seals)
    return made
