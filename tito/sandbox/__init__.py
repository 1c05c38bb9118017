"""Isolation of students' code.

:func:`choose` measures, with a hostile probe, what the machine gives; the provisioner
``tinytorch-sandbox`` (:mod:`provisioner`) runs kernels in it. :mod:`bubblewrap` makes the
command, :mod:`seccomp` the filter of system calls, :mod:`leash` watches memory and kills.
"""

from tito.sandbox.bubblewrap import Sandbox
from tito.sandbox.levels import choose, examine
from tito.sandbox.settings import LEVELS, Isolation, Settings

__all__ = ["LEVELS", "Isolation", "Sandbox", "Settings", "choose", "examine"]
