"""ExecuteSubmission in a worker: forked kernels, and a second chance where one was killed."""

from __future__ import annotations

from typing import Any

from tinytorch.tito.fleet.isolation import Found
from tinytorch.tito.fleet.manager import ForkedKernelManager
from tinytorch.tito.grading.execute import ExecuteSubmission, Loss
from tinytorch.tito.grading.kernel import GradingKernelManager
from tinytorch.tito.sandbox import Isolation


class KernelLostError(Exception):
    """A kernel died, and nothing says that the student's code is to blame."""


class ExecuteHere(ExecuteSubmission):
    """ExecuteSubmission with what a worker knows of its machine.

    Attributes
    ----------
    found : Found
        The isolation of this machine.
    forgiving : bool
        Whether a kernel that just died ends this attempt, so that the notebook is begun again.
        It may have been killed from outside: by the system for its memory, or by a person.
    died_alone : bool
        Whether one died while its sandbox lived on; most likely by its own doing.
    """

    found: Found
    forgiving = False
    died_alone = False

    def isolate(self, assignment: str) -> Isolation:
        """Return what was found."""
        return self.found.isolation

    def create_kernel_manager(self) -> Any:
        """Make a manager for a forked kernel where that is as safe, else for a started one."""
        self.kernel_manager_class = (
            ForkedKernelManager if self.found.forks else GradingKernelManager
        )
        return super().create_kernel_manager()

    def _run_cell(self, index: int) -> Loss | None:
        loss = super()._run_cell(index)
        if loss and loss[0] == "KernelDied" and self.forgiving:
            outside = getattr(self.km, "is_sandbox_lost", False)
            self.died_alone = self.died_alone or not outside
            what = "the sandbox was killed" if outside else "the kernel died"
            raise KernelLostError(f"{what} in cell {index}")
        return loss
