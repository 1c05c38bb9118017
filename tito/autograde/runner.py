"""Run single cells of a notebook, each in limits that hold, in a kernel that is isolated.

A cell may take its time, the notebook all its cells together; a cell may print so much. What is
killed for it, or dies by itself, is a loss: :mod:`execute` decides what comes of one.
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
from nbformat import NO_CONVERT, NotebookNode, from_dict, read
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute
from traitlets import Enum, Float, Integer, List, Unicode

from tito.course.cells import add_flag, answers_of, is_autograded, name_of
from tito.errors import TitoError
from tito.kernels.budget import OUTPUTS, OutputBudget
from tito.kernels.messages import Reader
from tito.kernels.started import GradingKernelManager
from tito.sandbox import LEVELS, Isolation, choose

#: Name and text of the error by which a kernel was lost.
Loss = tuple[str, str]

#: How long the last output of a cell may come after its reply.
_LAST_OUTPUT_SECONDS = 3

#: How often to look whether a cell's time is up.
_LOOK_SECONDS = 0.1

_NO_REPLY = "this cell ended, and the kernel did not say how"


class CellRunner(Execute):
    """nbgrader's Execute with limits that hold, cell by cell."""

    timeout = Integer(
        30, allow_none=True, help="Seconds of processor time for a cell, of all its processes."
    ).tag(config=True)

    submission_timeout = Float(
        300.0, help="Seconds of processor time for all cells of a submission together."
    ).tag(config=True)

    patience = Float(
        4.0,
        help="How many times as long as that each may take by the clock: for code that waits, and "
        "for machines that are busy.",
    ).tag(config=True)

    grace = Float(
        2.0, help="Seconds that a kernel has to answer after it was interrupted, or be killed."
    ).tag(config=True)

    max_output = Integer(
        1_000_000,
        help="Characters that a cell may print, and figures ten times as many; of each, a notebook "
        "may show what four cells may print, and twelve times as many.",
    ).tag(config=True)

    packages = Unicode(
        help="Folder that holds, by assignment, the package before the module under test."
    ).tag(config=True)

    sources = Unicode(
        help="Folder that holds, by assignment, the course's own notebooks, with solutions."
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

    def _take_on(self, nb: NotebookNode, resources: Any, km: KernelManager | None) -> None:
        """Take on a notebook, and find out how its kernels are isolated."""
        # As ExecutePreprocessor does: a client serves one notebook.
        NotebookClient.__init__(self, nb, km)
        self.reset_execution_trackers()
        self._check_assign_resources(resources)
        # Their defaults are for people who watch a notebook run.
        self.record_timing = self.store_widget_state = False
        self.shutdown_kernel = "immediate"
        self._used = self._elapsed = 0.0
        self._budget, self._reader = OutputBudget(self.max_output), Reader()
        self._asked = self._silent = False
        self._isolation = self.isolate(self.resources["nbgrader"]["assignment"])
        ours = self.nb.metadata.setdefault("tinytorch", NotebookNode())
        ours.isolation = from_dict(self._isolation.as_json())

    # Cells --------------------------------------------------------------------------------

    def _is_to_run(self, index: int) -> bool:
        cell = self.nb.cells[index]
        return cell.cell_type == "code" and bool(cell.source.strip())

    def _run_cell(self, index: int) -> Loss | None:
        """Run a cell; return the name and the text of an error if the kernel is lost by it."""
        cell = self.nb.cells[index]
        self._begun = self._overdue = self._ends = False
        if self._remaining() <= 0:
            self._not_run(index, f"the {self.submission_timeout:g} s of a notebook were over")
            return None
        self._clock = _Clock(self.km)
        self._budget.begin(self._asked, self._silent)
        self._display_id_map.clear()  # no cell changes what another one shows
        self.iopub_timeout = _LAST_OUTPUT_SECONDS
        try:
            self.execute_cell(cell, index, store_history=True)
        except DeadKernelError:
            return self._limit_hit() or ("KernelDied", "the kernel died while it ran this cell")
        except CellTimeoutError:
            # The last message of the cell did not come: lost in a flood, or the kernel is deaf.
            if not self._reconnect():
                what = f"this cell took {self._limit} and could not be stopped"
                return self._limit_hit() or ("KernelHung", what)
            cell.outputs.append(
                error_output("OutputLost", "this cell showed more than could be read")
            )
            add_flag(self.nb, f"output lost: {name_of(self.nb, index)}")
        finally:
            self._used += self._clock.processor()
            self._elapsed += self._clock.wall()
        if self._overdue:
            add_flag(self.nb, f"stopped after {self._limit}: {name_of(self.nb, index)}")
        if not self._ends:
            return None
        # It may run some more cells before it has ended, and none of these would be to blame.
        self._begun = True
        return "KernelEnded", "this cell ended the kernel"

    def _limit_hit(self) -> Loss | None:
        """Say which limit of the sandbox the kernel was killed for, if it was."""
        reason = getattr(self.km, "limit_hit", None)
        return ("LimitHit", f"limit hit: {reason}") if reason else None

    def _not_run(self, index: int, why: str) -> None:
        """Say in a cell that it was not run; what parts of it have answered stays."""
        if self._is_to_run(index):
            cell = self.nb.cells[index]
            answered = cell.outputs if is_autograded(cell) else []
            cell.outputs = [*answered, error_output("NotRun", f"this cell was not run: {why}")]
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

        See :func:`tito.sandbox.choose`.
        """
        folders = tuple(map(Path, self.secret_folders))
        source = self._source() if self.sources else None
        return _chosen(self.isolation, self._package(assignment), folders, source)

    def _source(self) -> Path:
        ids = self.resources["nbgrader"]
        return Path(self.sources) / ids["assignment"] / f"{ids['notebook']}.ipynb"

    def _package(self, assignment: str) -> Path | None:
        if not self.packages:
            return None
        package = Path(self.packages) / assignment
        if not package.is_dir():
            raise TitoError(
                f"{package} does not hold the package before this module; make it with "
                f"'tito release {assignment}'"
            )
        return package

    def create_kernel_manager(self) -> KernelManager:
        """Make a manager for a kernel that is isolated and cannot import the answer."""
        manager = self.kernel_manager_class(config=self.config, log=self.log)
        manager.isolation, manager.leaks = self._isolation.level, list(self._isolation.leaks)
        package = self._package(self.resources["nbgrader"]["assignment"])
        manager.package = str(package) if package else ""
        manager.reader = self._reader
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
        """Return what is left for the cells: to start kernels is no student's time."""
        if self._elapsed >= self.patience * self.submission_timeout:
            return 0.0
        return self.submission_timeout - self._used

    def _time_is_up(self) -> bool:
        """Whether the cell has had its time; notes which limit it has reached."""
        left = max(self._remaining(), 0.1)
        limit = min(self.timeout, left) if self.timeout else left
        wall = self.patience * self.submission_timeout - self._elapsed
        wall = min(self.patience * limit, max(wall, 0.1))
        if self._clock.processor() >= limit:
            self._limit = f"{limit:.3g} s of processor time"
        elif self._clock.wall() >= wall:
            self._limit = f"{wall:.3g} s"
        else:
            return False
        return True

    async def _async_handle_timeout(self, timeout: Any, cell: NotebookNode | None = None) -> Any:
        self._overdue = True
        error = error_output("CellTimeoutError", f"this cell took {self._limit} and was stopped")
        self.error_on_timeout = {key: error[key] for key in ("ename", "evalue", "traceback")}
        self.iopub_timeout = max(1, round(self.grace))  # a deaf kernel has no last message
        return await super()._async_handle_timeout(timeout, cell)

    async def _async_poll_for_reply(
        self, msg_id: str, cell: NotebookNode, timeout: Any, output: Any, alive: Any
    ) -> Any:
        """Wait for a cell's reply while it has time.

        Not for ever where the cell is over without one: ipykernel sends none where an error cannot
        be shown, such as one whose text raises.
        """
        polled = super()._async_poll_for_reply(msg_id, cell, None, output, alive)
        reply = asyncio.ensure_future(polled)
        first = asyncio.FIRST_COMPLETED
        try:
            over = False
            while not over:
                await asyncio.wait({reply, output}, timeout=_LOOK_SECONDS, return_when=first)
                over = reply.done() or output.done() or self._time_is_up()
            if output.done():
                await asyncio.wait({reply}, timeout=self.grace)
            if reply.done():
                return await reply
            if output.done():
                alive.cancel()
                return {"content": {"status": "error", **error_output("NoReply", _NO_REPLY)}}
            return await self._stop_cell(cell, output, alive)
        finally:
            reply.cancel()

    async def _stop_cell(self, cell: NotebookNode, output: Any, alive: Any) -> Any:
        """Interrupt a cell whose time is up, and wait for the last that it shows."""
        await self._async_check_alive()
        stopped = await self._async_handle_timeout(round(self._clock.wall()), cell)
        await asyncio.wait({output}, timeout=self.iopub_timeout)
        alive.cancel()
        if not output.done():
            raise CellTimeoutError.error_from_timeout_and_cell("no end", self.iopub_timeout, cell)
        return stopped

    # Output -------------------------------------------------------------------------------

    def on_cell_executed(self, **kwargs: Any) -> None:
        """Keep the error of a cell, as nbgrader does, but not megabytes of it."""
        outputs = kwargs["cell"].outputs
        shown = len(outputs)
        super().on_cell_executed(**kwargs)
        self._ends = _asks_to_end(kwargs["execute_reply"]["content"])
        for error in outputs[shown:]:  # of the reply: no message has shown it
            if not self._budget.allows("error", error):
                error.ename, error.evalue = error.ename[:1000], error.evalue[:1000]
                error.traceback = [f"{error.ename}: {error.evalue}"]

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Take a message from the kernel, unless the cell has said enough."""
        kind = msg["msg_type"]
        self._begun = True
        if kind in OUTPUTS and not self._budget.allows(kind, msg["content"]):
            if self._budget.is_cut:
                add_flag(self.nb, f"output cut: {name_of(self.nb, cell_index)}")
            if instead := self._budget.instead():
                cell.outputs.append(new_output("stream", name="stdout", text=instead))
            return None
        return super().process_message(msg, cell, cell_index)


class _Clock:
    """What a cell has used of a kernel's time.

    Of a kernel that has died its processor time cannot be had any more; that of the last look
    counts.
    """

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._began, self._before = monotonic(), manager.processor_seconds
        self._most = 0.0

    def wall(self) -> float:
        """Return the seconds since the cell began."""
        return monotonic() - self._began

    def processor(self) -> float:
        """Return the seconds of processor time since then."""
        self._most = max(self._most, self._manager.processor_seconds - self._before)
        return self._most


@lru_cache(maxsize=8)
def _chosen(
    accepted: str, package: Path | None, secret_folders: tuple[Path, ...], source: Path | None
) -> Isolation:
    answers = answers_of(read(source, NO_CONVERT)) if source else ()
    return choose(accepted, package=package, secret_folders=secret_folders, answers=answers)


def _asks_to_end(reply: dict[str, Any]) -> bool:
    """Whether a cell called exit(): IPython then asks its client whether to end, and ends."""
    payload = reply.get("payload")
    asked = payload if isinstance(payload, list) else []
    exits = [one for one in asked if isinstance(one, dict) and one.get("source") == "ask_exit"]
    return any(not one.get("keepkernel") for one in exits)


def error_output(ename: str, what: str) -> NotebookNode:
    """Make the output that tells of an error."""
    return new_output("error", ename=ename, evalue=what, traceback=[f"{ename}: {what}"])
