"""What is tried again, and how often: the one table, and the one place that counts.

Waiting is another matter: for a gradebook that is locked (:mod:`tito.gradebook.writer`) and for a
Dask scheduler that is away (:mod:`tito.autograde.cluster`), a minute each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

#: How often a submission is begun, by what ended the attempt before: whatever it does to a worker,
#: it does it to two at most; a kernel that just died may have been killed from outside, once; the
#: machine (a sandbox that was killed or did not start, a file that cannot be read) may be busy.
ATTEMPTS: Mapping[str, int] = {"worker": 2, "unknown": 2, "machine": 3}
#: So many workers in a row that are lost before they have begun are the machine's fault.
WORKER_STARTS = 6
#: After so many seconds, doubled with each of them, the next one starts.
RETRY_DELAY = 0.05


@dataclass
class Attempts:
    """Counts the attempts of a class, by submission and by what ended them."""

    ended: Counter[tuple[str, str]] = field(default_factory=Counter)

    def may_try_again(self, student: str, cause: str, count: int = 1) -> bool:
        """Note that an attempt was ended by a cause; whether there is another one."""
        self.ended[student, cause] += count
        return self.ended[student, cause] < ATTEMPTS[cause]

    def tolerated(self, student: str) -> frozenset[str]:
        """Return by whose doing a kernel may be lost in the next attempt without its end."""
        tired = {cause for cause in ATTEMPTS if self.ended[student, cause] + 1 >= ATTEMPTS[cause]}
        return frozenset({"submission", *tired} - {"worker"})
