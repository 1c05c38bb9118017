"""ExecuteSubmission in a worker: forked kernels, and a second chance where one was killed."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode, from_dict

from tinytorch.checks.observe import OBSERVATION_TYPE
from tinytorch.tito.fleet.isolation import Found
from tinytorch.tito.fleet.manager import ForkedKernelManager
from tinytorch.tito.grading.execute import ExecuteSubmission
from tinytorch.tito.grading.kernel import GradingKernelManager
from tinytorch.tito.grading.runner import Loss
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
        manager: Any = super().create_kernel_manager()
        manager.launch = "start"  # for the latter: that a fork is held less was found already
        return manager

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        """Add an output, as nbclient does, with a look at its types instead of at the schema."""
        made = output_of(msg)
        if made is None:
            self.log.error("an output that is none: %s", msg["msg_type"])
            return None
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


def output_of(msg: dict[str, Any]) -> NotebookNode | None:
    """Return the output that a message is; None for what is none, from whomever it came."""
    kind, content = msg["msg_type"], msg["content"]
    fields: dict[str, type]
    if kind == "stream":
        fields = {"name": str, "text": str}
        if content.get("name") not in ("stdout", "stderr"):
            return None
    elif kind in ("display_data", "execute_result"):
        fields = {"data": dict, "metadata": dict}
    elif kind == "error":
        fields = {"ename": str, "evalue": str, "traceback": list}
        if not all(isinstance(line, str) for line in content.get("traceback", [])):
            return None
    else:
        return None
    if not all(isinstance(content.get(name), type_) for name, type_ in fields.items()):
        return None
    made = NotebookNode({"output_type": kind, **{name: content[name] for name in fields}})
    if kind == "execute_result":
        count = content.get("execution_count")
        made.execution_count = count if isinstance(count, int) else None
    # What parts saw is much, and is read as it came; no graded notebook holds it.
    return made if OBSERVATION_TYPE in content.get("data", {}) else from_dict(made)
