"""What a command and everything that it starts take of the machine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep, time

import numpy as np

_SAMPLE_SECONDS = 0.1


@dataclass
class Used:
    """Wall and processor time (seconds), the most memory in use at once (bytes)."""

    wall: float = 0.0
    cpu: float = 0.0
    memory: int = 0


def memory_of(process: str | int = "self") -> float:
    """Return the megabytes that a process holds."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _mounts(kind: str, option: str = "") -> list[Path]:
    found = []
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, type_, options, *_ = line.split()
        if type_ == kind and (not option or option in options.split(",")):
            found.append(Path(where))
    return found


class Meter:
    """A control group for the commands of a measurement; needs root."""

    def __init__(self, name: str) -> None:
        self._unified = [top / f"{name}-{os.getpid()}" for top in _mounts("cgroup2")]
        tops = _mounts("cgroup", "memory")
        self._memory = [top / f"{name}-{os.getpid()}" for top in tops]
        if os.geteuid() != 0 or not self._unified:
            raise SystemExit("the benchmark needs root and control groups, to count all processes")
        for group in (*self._unified, *self._memory):
            group.mkdir()

    def run(self, command: list[str], cwd: Path, log: Path, env: dict[str, str]) -> Used:
        """Run a command; its output goes to a file."""
        before, began = self._cpu(), monotonic()
        self._samples = [(time(), before)]

        def enter() -> None:
            for group in (*self._unified, *self._memory):
                (group / "cgroup.procs").write_text(str(os.getpid()))

        with log.open("ab") as out, self._sampling():
            done = subprocess.run(
                command, cwd=cwd, env=env, stdout=out, stderr=out, preexec_fn=enter, check=False
            )
        if done.returncode not in (0, 1):
            raise SystemExit(f"{command} exited with {done.returncode}; see {log}")
        return Used(monotonic() - began, self._cpu() - before, self._peak())

    @contextmanager
    def _sampling(self) -> Iterator[None]:
        over = Event()

        def sample() -> None:
            while not over.wait(_SAMPLE_SECONDS):
                self._samples.append((time(), self._cpu()))

        thread = Thread(target=sample)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def cpu_between(self, begin: float, end: float) -> float:
        """Return the processor time of the last command between two times of the clock."""
        times, used = zip(*self._samples, strict=True)
        first, last = np.interp([begin, end], times, used)
        return float(last - first)

    def _cpu(self) -> float:
        text = (self._unified[0] / "cpu.stat").read_text()
        return int(dict(line.split() for line in text.splitlines())["usage_usec"]) / 1e6

    def _peak(self) -> int:
        for group, name in (
            *((group, "memory.max_usage_in_bytes") for group in self._memory),
            *((group, "memory.peak") for group in self._unified),
        ):
            if (group / name).exists():
                return int((group / name).read_text())
        return 0

    def close(self) -> None:
        """Remove the groups."""
        for group in (*self._unified, *self._memory):
            for _ in range(50):
                with suppress(OSError):
                    group.rmdir()
                    break
                sleep(0.1)
