"""The hostile probe, run as a forked kernel runs.

To enter a sandbox must not be weaker than to start in it.
"""

from __future__ import annotations

import os
import select
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from time import monotonic

from tito.kernels.zygote_client import Zygote
from tito.sandbox import probe
from tito.sandbox.bubblewrap import FILES
from tito.sandbox.instance import SandboxInstance
from tito.sandbox.isolation_probe import LEFT_SECONDS, SECONDS, IsolationProbe, ProbeOutput
from tito.sandbox.settings import Settings


class ForkProbe(IsolationProbe):
    """Lays out what the probe should not get at, and runs it in a fork of a zygote."""

    def __init__(self, settings: Settings, answers: Sequence[str] = ()) -> None:
        super().__init__(True, settings, None, (), answers)

    def leaks(self) -> tuple[str, ...]:
        """Return what the probe could do."""
        with closing(Zygote(self.settings)) as self._zygote:
            return super().leaks()

    def _run(self, folder: Path, task: bytes, *arguments: str) -> ProbeOutput:
        source = Path(probe.__file__).read_bytes()
        files = {FILES / "probe.py": source, FILES / "task.json": task}
        with closing(SandboxInstance(self.settings, None, files)) as sandbox:
            ours, theirs = os.pipe()
            with open(ours, "rb", buffering=0) as output:
                try:
                    self._zygote.fork_program(sandbox, [*map(str, files), *arguments], theirs)
                finally:
                    os.close(theirs)
                out = _read(output.fileno(), sandbox)
                sandbox.close()  # as when a kernel has run its last cell
                ended = _is_closed(output.fileno())
        return ProbeOutput(out.decode(), ended, sandbox.watchdog.reason, "")


def _read(output: int, sandbox: SandboxInstance) -> bytes:
    """Return what is written before who entered the sandbox has ended."""
    out, deadline = b"", monotonic() + SECONDS
    while sandbox.is_occupied and monotonic() < deadline:
        if select.select([output], [], [], 0.02)[0]:
            more = os.read(output, 65536)
            if not more:
                break
            out += more
    return out


def _is_closed(output: int) -> bool:
    """Whether nobody holds the other end any more."""
    deadline = monotonic() + LEFT_SECONDS
    while monotonic() < deadline:
        if select.select([output], [], [], LEFT_SECONDS)[0] and not os.read(output, 65536):
            return True
    return False
