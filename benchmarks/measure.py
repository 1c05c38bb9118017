"""Measure contenders side by side: time, page faults, extra memory, memory bandwidth."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

Step = Callable[[], object]
Clock = Callable[[], float]

#: A batch of calls is timed together if one call is shorter than this, in seconds.
_SHORT = 2e-3


@dataclass
class Measured:
    """What was seen of one contender."""

    seconds: list[float] = field(default_factory=list)
    faults: float = 0.0
    extra_bytes: float = 0.0

    @property
    def median(self) -> float:
        """The median time of a call, in seconds."""
        return float(np.median(self.seconds))

    @property
    def best(self) -> float:
        """The shortest time of a call, in seconds."""
        return min(self.seconds)


def interleave(
    contenders: Mapping[str, Step],
    rounds: int,
    tick: Callable[[], object] = lambda: None,
    clock: Clock = time.process_time,
) -> dict[str, Measured]:
    """Time all contenders once a round, in an order that turns, so that noise hits all alike.

    Parameters
    ----------
    contenders : dict of str to callable
        What to call, by name.
    rounds : int
        How many times each is timed.
    tick : callable
        Called after each round, to show progress.
    clock : callable
        The processor's time by default: what others do on the machine does not count. Where
        several threads work side by side, take ``time.perf_counter``.

    Returns
    -------
    dict of str to Measured
        By the same names.
    """
    measured = {name: Measured() for name in contenders}
    batches = {name: _warm_up(step, clock) for name, step in contenders.items()}
    names = list(contenders)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            measured[name].seconds.append(_seconds(contenders[name], batches[name], clock))
        tick()
    for name, step in contenders.items():
        measured[name].faults = _page_faults(step, batches[name])
        measured[name].extra_bytes = _extra_bytes(step)
    return measured


def ratio(one: Measured, other: Measured) -> float:
    """Return how many times as long one takes: the median over the rounds, each by itself."""
    pairs = zip(one.seconds, other.seconds, strict=True)
    return float(np.median([mine / theirs for mine, theirs in pairs]))


def _warm_up(step: Step, clock: Clock) -> int:
    """Call until state is there and caches are warm; return how many calls to time together."""
    for _ in range(3):
        step()
    return max(1, int(_SHORT / max(_seconds(step, 1, clock), 1e-7)))


def _seconds(step: Step, calls: int, clock: Clock) -> float:
    start = clock()
    for _ in range(calls):
        step()
    return (clock() - start) / calls


def _page_faults(step: Step, calls: int) -> float:
    """Return the page faults of a call, on average."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(calls):
        step()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / calls


def _extra_bytes(step: Step) -> float:
    """Return by how much a call raises the peak of resident memory; NaN where Linux is missing."""
    clear = Path("/proc/self/clear_refs")
    try:
        clear.write_text("5")  # the peak starts again from the present
    except OSError:
        return float("nan")
    before = _status("VmRSS")
    step()
    return max(0.0, _status("VmHWM") - before)


def _status(entry: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith(f"{entry}:"))


def bandwidth(clock: Clock, elements: int = 20_000_000, rounds: int = 10) -> Iterator[float]:
    """Yield bytes per second of ``a += b`` on float32 arrays far larger than any cache.

    PyTorch does the addition, with as many threads as are set; two reads and a write an element.
    """
    import torch

    a, b = torch.zeros(elements), torch.ones(elements)
    for _ in range(rounds):
        yield 12 * elements / _seconds(lambda: a.add_(b), 1, clock)
