"""A process with limits only, or without any, where that was accepted."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tito.course.folders import make_folder, remove_tree
from tito.sandbox.bubblewrap import limit_command
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
    program : sequence of str
        What to run.
    inherited : int
        A file that it inherits, under its number.
    """

    #: Of a sandbox that somebody has killed, which nobody can tell here.
    was_killed = False
    _watchdog: Watchdog | None = None

    def __init__(
        self,
        settings: Settings | None,
        package: Path | None,
        fonts: Mapping[str, bytes],
        program: Sequence[str],
        inherited: int,
    ) -> None:
        self._folder = make_folder().resolve()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close
        env = prepare(self._folder, str(package or ""), fonts)
        env["NBGRADER_EXECUTION"] = "autograde"
        self._is_closed = False
        self.process: subprocess.Popen[bytes] | None = None
        try:
            self.process = subprocess.Popen(
                [*(limit_command(settings) if settings else []), *program],
                env=env,
                cwd=self._folder / "work",
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                pass_fds=[inherited],
                start_new_session=True,
            )
            if settings:
                self._watchdog = Watchdog(self.process, settings)
        except BaseException:
            self.close()
            raise

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
