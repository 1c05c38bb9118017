"""ExecuteSubmission in a worker: forked kernels, and a second chance where one was killed."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode, from_dict

from tinytorch.checks.observe import OBSERVATION_TYPE
from tito.autograde.execute import ExecuteSubmission
from tito.autograde.runner import Loss
from tito.kernels.isolation import IsolationReport
from tito.kernels.manager import ForkedKernelManager
from tito.kernels.started import GradingKernelManager
from tito.sandbox import Isolation


class KernelLostError(Exception):
    """A kernel died, and nothing says that the student's code is to blame."""


class ExecuteHere(ExecuteSubmission):
    """ExecuteSubmission with what a worker knows of its machine.

    Attributes
    ----------
    found : IsolationReport
        The isolation of this machine.
    forgiving : bool
        Whether a kernel that just died ends this attempt, so that the notebook is begun again.
        It may have been killed from outside: by the system for its memory, or by a person.
    died_alone : bool
        Whether one died while its sandbox lived on; most likely by its own doing.
    """

    found: IsolationReport
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
        manager: Any = super().create_kernel_manager()
        manager.launch = "start"  # for the latter: that a fork is held less was found already
        return manager

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode:
        """Add an output, as nbclient does, with a look at its types instead of at the schema."""
        made = output_of(msg)
        if self.clear_before_next_output:
            outs[:] = []
            self.clear_display_id_mapping(cell_index)
            self.clear_before_next_output: bool = False
        if display_id:
            places = self._display_id_map.setdefault(display_id, {})
            places.setdefault(cell_index, []).append(len(outs))
        outs.append(made)
        return made

    def _run_cell(self, index: int) -> Loss | None:
        loss = super()._run_cell(index)
        if loss and loss[0] == "KernelDied" and self.forgiving:
            outside = getattr(self.km, "is_sandbox_lost", False)
            self.died_alone = self.died_alone or not outside
            what = "the sandbox was killed" if outside else "the kernel died"
            raise KernelLostError(f"{what} in cell {index}")
        return loss


#: What an output keeps of its message, which :mod:`messages` has checked.
_FIELDS = {
    "stream": ("name", "text"),
    "display_data": ("data", "metadata"),
    "execute_result": ("data", "metadata", "execution_count"),
    "error": ("ename", "evalue", "traceback"),
}


def output_of(msg: dict[str, Any]) -> NotebookNode:
    """Return the output that a message is."""
    kind, content = msg["msg_type"], msg["content"]
    made = NotebookNode({"output_type": kind, **{n: content.get(n) for n in _FIELDS[kind]}})
    # What parts saw is much, and is read as it came; no graded notebook holds it.
    return made if OBSERVATION_TYPE in content.get("data", {}) else from_dict(made)
