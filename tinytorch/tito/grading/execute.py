"""Run a student's notebook, and keep what its cells earned whatever the others do.

nbgrader's Execute gives up the whole notebook when a kernel dies, or when a loop swallows the
interrupt. Here the kernel is replaced, brought to the state before the cell that broke it, and
the notebook goes on behind that cell.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any

from jupyter_client.client import KernelClient
from jupyter_client.manager import KernelManager
from nbclient.client import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbclient.util import ensure_async, run_sync
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute
from traitlets import Enum, Float, Integer, List, Unicode

from tinytorch.tito.errors import TitoError
from tinytorch.tito.grading.budget import OUTPUTS, OutputBudget
from tinytorch.tito.grading.cells import add_flag, is_autograded, name_of
from tinytorch.tito.grading.exam import Exam, Sitting, exam_of
from tinytorch.tito.grading.kernel import GradingKernelManager
from tinytorch.tito.sandbox import LEVELS, Isolation, choose

#: Name and text of the error by which a kernel was lost.
Loss = tuple[str, str]

#: How long the last output of a cell may come after its reply.
_LAST_OUTPUT_SECONDS = 3

_NO_REPLY = "this cell ended, and the kernel did not say how"


class ExecuteSubmission(Execute):
    """nbgrader's Execute with limits that hold, and kernels that can be lost."""

    submission_timeout = Float(300.0, help="Seconds for all cells of a submission together.").tag(
        config=True
    )

    grace = Float(
        2.0, help="Seconds that a kernel has to answer after it was interrupted, or be killed."
    ).tag(config=True)

    max_restarts = Integer(
        10, help="How many kernels a submission may lose before its other cells are not run."
    ).tag(config=True)

    max_output = Integer(
        1_000_000, help="Characters that a cell may print; figures may have ten times as many."
    ).tag(config=True)

    packages = Unicode(
        help="Folder that holds, by assignment, the package before the module under test."
    ).tag(config=True)

    sources = Unicode(
        help="Folder that holds, by assignment, the course's own notebooks, with solutions."
    ).tag(config=True)

    seed = Integer(
        None, allow_none=True, help="Repeats the inputs of an earlier run; random by default."
    ).tag(config=True)

    isolation = Enum(
        LEVELS, "full", help="The weakest isolation of students' code that is accepted."
    ).tag(config=True)

    secret_folders = List(
        Unicode(), help="Folders that students' code must not see, where the probe tries to look."
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("kernel_manager_class", GradingKernelManager)
        super().__init__(**kwargs)

    def preprocess(
        self, nb: NotebookNode, resources: Any = None, km: KernelManager | None = None
    ) -> tuple[NotebookNode, Any]:
        """Run every code cell of a notebook."""
        # As ExecutePreprocessor does: a client serves one notebook.
        NotebookClient.__init__(self, nb, km)
        self.reset_execution_trackers()
        self._check_assign_resources(resources)
        # Their defaults are for people who watch a notebook run.
        self.record_timing = self.store_widget_state = False
        self.shutdown_kernel = "immediate"
        self._deadline = monotonic() + self.submission_timeout
        self._broken: set[int | None] = set()
        self._restarts = 0
        self._gave_up = False
        self._sitting = Sitting.begin(self._exam()) if self.sources else None
        self.resources["sitting"] = self._sitting
        self._isolation = self.isolate(self.resources["nbgrader"]["assignment"])
        ours = self.nb.metadata.setdefault("tinytorch", NotebookNode())
        ours.isolation = from_dict(self._isolation.as_json())
        try:
            self._start()
            self._run_cells()
        finally:
            self._stop()
        return self.nb, self.resources

    def _exam(self) -> Exam:
        ids = self.resources["nbgrader"]
        path = Path(self.sources) / ids["assignment"] / f"{ids['notebook']}.ipynb"
        return exam_of(path, self.seed)

    def _run_cells(self) -> None:
        index = 0
        before: int | None = None  # the last cell that this kernel has run
        suspect: int | None = None
        while index < len(self.nb.cells):
            loss = self._run(index)
            if loss and not self._begun and before is not None and suspect is None:
                # exit() ends a kernel a little later: try this cell again without the one before.
                suspect = before
                self._broken.add(suspect)
            else:
                self._blame(index, suspect, loss)
                before = None if loss else index if self._is_to_run(index) else before
                suspect = None
                index += 1
            if (loss and not self._recover(index)) or self._gave_up:
                return

    def _blame(self, index: int, suspect: int | None, loss: Loss | None) -> None:
        """Note by which cell a kernel was lost: this one, or the suspect if this one now ran."""
        if loss is None:
            if suspect is None:
                return
            culprit, (ename, what) = suspect, ("KernelDied", "the kernel died after this cell")
        else:
            culprit, (ename, what) = index, loss
            self._broken -= {suspect}
        self._broken.add(culprit)
        self.nb.cells[culprit].outputs.append(_error(ename, what))
        add_flag(self.nb, f"{what}: {name_of(self.nb, culprit)}")

    def _is_to_run(self, index: int) -> bool:
        cell = self.nb.cells[index]
        return cell.cell_type == "code" and bool(cell.source.strip())

    def _run(self, index: int) -> Loss | None:
        """Run a cell of any kind; return how the kernel was lost, if it was."""
        if not self._is_to_run(index):
            return None
        if self._sitting and is_autograded(self.nb.cells[index]):
            return self._ask(index, self._sitting)
        return self._run_cell(index)

    def _ask(self, index: int, sitting: Sitting) -> Loss | None:
        """Ask all parts of a graded cell; a part that breaks the kernel costs no other part.

        The student's process gets what drives its code, and answers by observations; the cell
        that a grader sees stays what it was. A cell's observations travel together, until some
        do not come: from then on they travel apart, and the first that is missing tells which
        part was to blame.
        """
        cell, said = self.nb.cells[index], []
        parts, apart = sitting.unanswered(cell), self._restarts > 0
        while True:
            asked = NotebookNode(cell, source=sitting.question(cell, parts, apart))
            self.nb.cells[index] = asked
            try:
                loss = self._run_cell(index)
            finally:
                self.nb.cells[index] = cell
                said += asked.outputs
                cell.outputs = said
            open_parts = [part for part in sitting.unanswered(cell) if part in parts]
            # A part that was stopped has said so; one that took the kernel along has not.
            again = not apart or (self._overdue and not loss)
            parts = open_parts if again else open_parts[1:]
            if not parts or not self._begun or self._remaining() <= 0:
                return loss
            if loss:
                if apart:
                    self._blame(index, None, loss)
                    self._broken.discard(index)
                if not self._recover(index):
                    return None
            apart = True

    def _run_cell(self, index: int) -> Loss | None:
        """Run a cell; return the name and the text of an error if the kernel is lost by it."""
        cell = self.nb.cells[index]
        if self._remaining() <= 0:
            self._not_run(index, f"the {self.submission_timeout:g} s of a notebook were over")
            return None
        self._begun = self._overdue = False
        self._budget = OutputBudget(self.max_output)
        self._display_id_map.clear()  # no cell changes what another one shows
        self.iopub_timeout = _LAST_OUTPUT_SECONDS
        try:
            self.execute_cell(cell, index, store_history=True)
        except DeadKernelError:
            return self._limit_hit() or ("KernelDied", "the kernel died while it ran this cell")
        except CellTimeoutError:
            # The last message of the cell did not come: lost in a flood, or the kernel is deaf.
            if not self._reconnect():
                what = f"this cell took longer than {self._limit:.3g} s and could not be stopped"
                return self._limit_hit() or ("KernelHung", what)
            cell.outputs.append(_error("OutputLost", "this cell showed more than could be read"))
            add_flag(self.nb, f"output lost: {name_of(self.nb, index)}")
        if self._overdue:
            self._broken.add(index)
            add_flag(self.nb, f"stopped after {self._limit:.3g} s: {name_of(self.nb, index)}")
        return None

    def _limit_hit(self) -> Loss | None:
        """Say which limit of the sandbox the kernel was killed for, if it was."""
        reason = getattr(self.km, "limit_hit", None)
        return ("LimitHit", f"limit hit: {reason}") if reason else None

    def _recover(self, index: int) -> bool:
        """Start a kernel in the state before a cell; False, and the rest is not run, to give up.

        Earlier cells run once more, silently: what they showed and earned stays as it was.
        Cells that broke a kernel or ran out of time are left out, and graded cells too, which
        define nothing that other cells need.
        """
        while self._restarts < self.max_restarts:
            self._restarts += 1
            self._stop()
            self._start()
            if self._replay(index):
                return True
        for later in range(index, len(self.nb.cells)):
            if later not in self._broken:
                self._not_run(later, f"{self._restarts + 1} kernels were lost")
        self._gave_up = True
        return False

    def _replay(self, end: int) -> bool:
        """Run the cells before `end` again for what they define; False if that breaks a kernel."""
        for index in range(end):
            original = self.nb.cells[index]
            skipped = index in self._broken or is_autograded(original)
            if skipped or not self._is_to_run(index) or self._remaining() <= 0:
                continue
            self.nb.cells[index] = NotebookNode(original, outputs=[])
            try:
                loss = self._run_cell(index)
            finally:
                self.nb.cells[index] = original
            if loss:
                self._blame(index, None, loss)
                return False
        return True

    def _not_run(self, index: int, why: str) -> None:
        """Say in a cell that it was not run."""
        if self._is_to_run(index):
            self.nb.cells[index].outputs = [_error("NotRun", f"this cell was not run: {why}")]
            add_flag(self.nb, f"some cells were not run: {why}")

    # Kernels ------------------------------------------------------------------------------

    km: KernelManager | None
    kc: KernelClient | None

    def _start(self) -> None:
        self.create_kernel_manager()
        self.start_new_kernel()
        self.start_new_kernel_client()

    def _stop(self) -> None:
        if self.kc is not None:
            self.kc.stop_channels()
        if self.km is not None:
            self._cleanup_kernel()
        self.km, self.kc = None, None

    def isolate(self, assignment: str) -> Isolation:
        """Find, once in a process, the isolation that this machine gives; refuse if it is less.

        See :func:`tinytorch.tito.sandbox.choose`.
        """
        folders = tuple(map(Path, self.secret_folders))
        return _chosen(self.isolation, self._package(assignment), folders)

    def _package(self, assignment: str) -> Path | None:
        if not self.packages:
            return None
        package = Path(self.packages) / assignment
        if not (package / "tinytorch").is_dir():
            raise TitoError(
                f"{package} does not hold the package before this module; make it with "
                f"'tito release {assignment}'"
            )
        return package

    def create_kernel_manager(self) -> KernelManager:
        """Make a manager for a kernel that is isolated and cannot import the answer."""
        manager = self.kernel_manager_class(config=self.config, log=self.log)
        manager.isolation = self._isolation.level
        package = self._package(self.resources["nbgrader"]["assignment"])
        manager.package = str(package) if package else ""
        self.km = manager
        return manager

    async def _async_reconnect(self) -> bool:
        """Connect to the kernel anew; False if it does not answer within the grace.

        A socket that refused a message stays closed, so it is not enough to ask.
        """
        assert self.km is not None and self.kc is not None
        self.kc.stop_channels()
        self.kc = self.km.client()
        self.kc.start_channels()
        try:
            # The outer limit: readiness waits for silence, which a thread need not keep.
            ready = ensure_async(self.kc.wait_for_ready(timeout=self.grace))
            await asyncio.wait_for(ready, self.grace + 1)
        except (RuntimeError, TimeoutError):
            return False
        self.kc.allow_stdin = False
        return True

    _reconnect = run_sync(_async_reconnect)

    # Time ---------------------------------------------------------------------------------

    def _remaining(self) -> float:
        return self._deadline - monotonic()

    def _get_timeout(self, cell: NotebookNode | None) -> Any:
        own = super()._get_timeout(cell)
        left = max(self._remaining(), 0.1)
        self._limit = left if own is None else min(own, left)
        return self._limit

    async def _async_handle_timeout(self, timeout: Any, cell: NotebookNode | None = None) -> Any:
        self._overdue = True
        what = f"this cell took longer than {timeout:g} s and was stopped"
        error = _error("CellTimeoutError", what)
        self.error_on_timeout = {key: error[key] for key in ("ename", "evalue", "traceback")}
        self.iopub_timeout = max(1, round(self.grace))  # a deaf kernel has no last message
        return await super()._async_handle_timeout(timeout, cell)

    async def _async_poll_for_reply(self, *args: Any) -> Any:
        """Wait for a cell's reply, though not for ever where the cell is over without one.

        ipykernel sends none where an error cannot be shown, such as one whose text raises.
        """
        *_, output, alive = args
        reply = asyncio.ensure_future(super()._async_poll_for_reply(*args))
        try:
            await asyncio.wait({reply, output}, return_when=asyncio.FIRST_COMPLETED)
            if not reply.done() and not self._overdue:
                await asyncio.wait({reply}, timeout=self.grace)
            if reply.done() or self._overdue:
                return await reply
            alive.cancel()
            return {"content": {"status": "error", **_error("NoReply", _NO_REPLY)}}
        finally:
            reply.cancel()

    # Output -------------------------------------------------------------------------------

    def on_cell_executed(self, **kwargs: Any) -> None:
        """Keep the error of a cell, as nbgrader does, but not megabytes of it."""
        super().on_cell_executed(**kwargs)
        for output in kwargs["cell"].outputs:
            if output.output_type == "error" and len(str(output)) > self.max_output:
                output.evalue = output.evalue[:1000]
                output.traceback = [f"{output.ename}: {output.evalue}"]

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Take a message from the kernel, unless the cell has said enough."""
        kind = msg["msg_type"]
        self._begun = True
        if kind.startswith("comm"):  # widgets: nobody is there to move them
            return None
        if kind in OUTPUTS and not self._budget.allows(kind, msg["content"]):
            add_flag(self.nb, f"output cut: {name_of(self.nb, cell_index)}")
            if instead := self._budget.instead():
                cell.outputs.append(new_output("stream", name="stdout", text=instead))
            return None
        return super().process_message(msg, cell, cell_index)


@lru_cache(maxsize=8)
def _chosen(accepted: str, package: Path | None, secret_folders: tuple[Path, ...]) -> Isolation:
    return choose(accepted, package=package, secret_folders=secret_folders)


def _error(ename: str, what: str) -> NotebookNode:
    return new_output("error", ename=ename, evalue=what, traceback=[f"{ename}: {what}"])
