"""A process with limits only, or without any, where that was accepted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tito.course.folders import make_folder, remove_tree
from tito.sandbox.bubblewrap import limit_command
from tito.sandbox.other_user import as_user, give, new_user
from tito.sandbox.scratch import prepare
from tito.sandbox.settings import Settings
from tito.sandbox.watchdog import Watchdog, processor_seconds, tree

_END_SECONDS = 5.0
_SAID = 2000


class UnsandboxedInstance:
    """A program in folders and an environment of its own: what a sandbox is, without isolation.

    Parameters
    ----------
    settings : Settings, optional
        The limits; None for no limits.
    package : Path, optional
        The folder that goes first on the import path.
    fonts : mapping of str to bytes
        Files for matplotlib's folder.
    files : sequence of Path
        The program of Python's to run, and what is to lie beside it.
    inherited : int
        A file that it inherits, under its number, which is its argument.
    another_user : bool
        Whether it runs as a user of its own, where this one is root.
    """

    #: Of a sandbox that somebody has killed, which nobody can tell here.
    was_killed = False
    _watchdog: Watchdog | None = None

    def __init__(
        self,
        settings: Settings | None,
        package: Path | None,
        fonts: Mapping[str, bytes],
        files: Sequence[Path],
        inherited: int,
        another_user: bool = False,
    ) -> None:
        user = new_user() if another_user else None
        self._folder = make_folder().resolve()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close
        env = prepare(self._folder, str(package or ""), fonts)
        env["NBGRADER_EXECUTION"] = "autograde"
        shell, *_ = copies = [self._folder / "site" / path.name for path in files]
        for path, copy in zip(files, copies, strict=True):
            copy.write_bytes(path.read_bytes())
        command = limit_command(settings) if settings else []
        if user is not None:
            command += as_user(user, settings or Settings())
        command += [sys.executable, "-s", "-B", str(shell), str(inherited)]
        self._is_closed = False
        self.process: subprocess.Popen[bytes] | None = None
        try:
            if user is not None:
                self._open_to(user)
            self.process = subprocess.Popen(
                command,
                env=env,
                cwd=self._folder / "work",
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                pass_fds=[inherited],
                start_new_session=True,
            )
            if settings:
                self._watchdog = Watchdog(self.process, settings, user=user)
        except BaseException:
            self.close()
            raise

    def _open_to(self, user: int) -> None:
        """Let a user have the folders to write to, and read the others, but list nothing."""
        self._folder.chmod(0o711)
        for path in (site := self._folder / "site", *site.iterdir()):
            path.chmod(0o755 if path.is_dir() else 0o644)
        for name in ("home", "tmp", "work"):
            give(self._folder / name, user)

    def said(self) -> str:
        """Return the beginning of what the program has said before it was ready."""
        self._said.seek(0)
        return self._said.read(_SAID).decode(errors="replace").strip() or "no message"

    @property
    def limit_hit(self) -> str | None:
        """The limit for which the watchdog has killed it, if it did."""
        return self._watchdog.reason if self._watchdog else None

    @property
    def processor_seconds(self) -> float:
        """Processor time of the program and of all that it started; 0 where Linux is not."""
        if self._watchdog is not None:
            return self._watchdog.processor_seconds
        return sum(map(processor_seconds, tree(self.process.pid))) if self.process else 0.0

    @property
    def is_occupied(self) -> bool:
        """Whether the program runs."""
        return self.process is not None and self.process.poll() is None

    def interrupt(self) -> None:
        """Interrupt the program, and what it waits for."""
        self._signal(signal.SIGINT)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def close(self) -> None:
        """Kill what is left, and delete what was made for it."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._watchdog is not None:
            self._watchdog.close()
        # The program itself may be gone for long; processes it started need not be.
        self._signal(signal.SIGKILL)
        if self.process is not None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_END_SECONDS)
        self._said.close()
        remove_tree(self._folder)
