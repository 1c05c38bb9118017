"""Isolation of students' code.

:func:`choose` measures, with a hostile probe, what the machine gives. :mod:`instance` is one
sandbox and who runs in it; :mod:`bubblewrap` makes its command, :mod:`seccomp` the filter of
system calls, :mod:`watchdog` watches memory and kills.
"""

from tito.sandbox.bubblewrap import BwrapCommand
from tito.sandbox.levels import choose, examine
from tito.sandbox.settings import LEVELS, Isolation, Settings

__all__ = ["LEVELS", "BwrapCommand", "Isolation", "Settings", "choose", "examine"]
