"""Run the cells of a rebuilt notebook, and keep what each earned whatever the others do.

nbgrader gives up a whole notebook when its kernel dies. Here the kernel is replaced, brought to
the state before the cell that broke it, and the notebook goes on behind that cell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from nbformat import NotebookNode
from nbformat.v4 import new_output

from tito.autograde.limits import ExecuteSubmission
from tito.course.cells import add_flag, is_autograded, name_of
from tito.kernels.budget import OutputBudget
from tito.kernels.kernel_protocol import Kernel, Limits, Lost, Ran
from tito.scoring.judging import Session

#: How flags begin of a cell, and of what is left of a notebook, that a limit has ended.
STOPPED, NOT_RUN = "stopped after", "some cells were not run"


class KernelLostError(Exception):
    """A kernel was lost, and nothing says that the student's code is to blame.

    Parameters
    ----------
    message : str
        What happened.
    blame : {"machine", "unknown"}
        As in :class:`~tito.kernels.kernel_protocol.Lost`.
    """

    def __init__(self, message: str, blame: str) -> None:
        super().__init__(message)
        self.blame = blame


@dataclass
class NotebookRun:
    """The run of one submission's cells.

    Attributes
    ----------
    nb : NotebookNode
        The rebuilt notebook; outputs and flags go into it.
    kernel : Kernel
        Fresh; whoever made it closes it.
    session : Session
        What graded cells are asked.
    limits : ExecuteSubmission
        Of the cells, and of all of them together.
    tolerated : collection of str
        By whose doing a kernel may be lost without an end of this run; see :class:`Lost`.
    left_out : frozenset of int
        Cells that need not run.
    """

    nb: NotebookNode
    kernel: Kernel
    session: Session
    limits: ExecuteSubmission
    tolerated: frozenset[str]
    left_out: frozenset[int] = frozenset()
    #: Cells that took their kernel along, or ran out of time.
    broken: set[int] = field(default_factory=set)
    restarts: int = 0
    gave_up: bool = False
    processor: float = 0.0
    wall: float = 0.0

    def __post_init__(self) -> None:
        self.budget = OutputBudget(self.limits.max_output)

    def run(self) -> None:
        """Run every code cell."""
        index = 0
        before: int | None = None  # the last cell that this kernel has run
        suspect: int | None = None
        while index < len(self.nb.cells) and not self.gave_up:
            lost = self._run(index)
            if lost and not lost.has_begun and before is not None and suspect is None:
                # Threads may end a kernel a little later: try again without the cell before.
                suspect = before
                self.broken.add(suspect)
            else:
                self._blame(index, suspect, lost)
                before = None if lost else index if self._is_to_run(index) else before
                suspect = None
                index += 1
            if lost and not self._recover(index):
                self._give_up(index)

    # Cells --------------------------------------------------------------------------------

    def _is_to_run(self, index: int) -> bool:
        cell = self.nb.cells[index]
        runs = cell.cell_type == "code" and bool(cell.source.strip())
        return runs and index not in self.left_out

    def _run(self, index: int) -> Lost | None:
        """Run a cell of any kind; return how the kernel was lost, if it was."""
        if not self._is_to_run(index):
            return None
        cell = self.nb.cells[index]
        if is_autograded(cell):
            return self._run_checks(index)
        ended = self._run_source(index, cell.source)
        if ended is None:
            return None
        cell.execution_count, cell.outputs = ended.execution_count, ended.outputs
        return ended if isinstance(ended, Lost) else None

    def _run_source(
        self, index: int, source: str, asked: bool = False, silent: bool = False
    ) -> Ran | Lost | None:
        """Run source in the place of a cell; None where there is no time left for it."""
        if self._time_left() <= 0:
            if not silent:
                over = f"the {self.limits.submission_timeout:g} s of a notebook were over"
                self._not_run(index, over)
            return None
        self.budget.begin(asked, silent)

        def keeps(output: NotebookNode) -> NotebookNode | None:
            kept = self.budget.keeps(output)
            if self.budget.is_cut:
                add_flag(self.nb, f"output cut: {name_of(self.nb, index)}")
            return kept

        ended = self.kernel.run(source, self._limits(keeps))
        self.processor += ended.processor
        self.wall += ended.wall
        if isinstance(ended, Lost):
            if ended.blame not in self.tolerated:
                raise KernelLostError(f"{ended.reason} (cell {index})", ended.blame)
            return ended
        if ended.stopped:
            self.broken.add(index)
            what = f"this cell took {ended.stopped} and was stopped"
            ended.outputs.append(error_output("CellTimeoutError", what))
            add_flag(self.nb, f"{STOPPED} {ended.stopped}: {name_of(self.nb, index)}")
        return ended

    def _run_checks(self, index: int) -> Lost | None:
        """Run all parts of a graded cell; a part that breaks the kernel costs no other part.

        The student's process gets what exercises its code, and answers by observations; the cell
        that a grader sees stays what it was. A cell's observations travel together, until some
        do not come: from then on each is flushed, and the first that is missing tells which part
        was to blame.
        """
        cell = self.nb.cells[index]
        parts, flush_each = self.session.unanswered(cell), self.restarts > 0
        while True:
            source = self.session.payload(cell, parts, flush_each)
            ended = self._run_source(index, source, asked=True)
            if ended is None:
                return None
            cell.outputs = [*cell.outputs, *ended.outputs]
            lost = ended if isinstance(ended, Lost) else None
            stopped = isinstance(ended, Ran) and bool(ended.stopped)
            missing = [part for part in self.session.unanswered(cell) if part in parts]
            # A part that was stopped has said so; one that took the kernel along has not.
            parts = missing if stopped or not flush_each else missing[1:]
            if not parts or (lost and not lost.has_begun) or self._time_left() <= 0:
                return lost
            if lost:
                recovered = self._recover(index)
                if flush_each or not recovered:
                    self._blame(index, None, lost)
                    self.broken.discard(index)
                if not recovered:
                    self._give_up(index + 1)
                    return None
            flush_each = True

    def _not_run(self, index: int, why: str) -> None:
        """Say in a cell that it was not run; what parts of it have answered stays."""
        if self._is_to_run(index):
            cell = self.nb.cells[index]
            answered = cell.outputs if is_autograded(cell) else []
            cell.outputs = [*answered, error_output("NotRun", f"this cell was not run: {why}")]
            add_flag(self.nb, f"{NOT_RUN}: {why}")

    # Time ---------------------------------------------------------------------------------

    def _time_left(self) -> float:
        """Return the seconds that are left for cells: to start kernels is no student's time."""
        if self.wall >= self.limits.patience * self.limits.submission_timeout:
            return 0.0
        return self.limits.submission_timeout - self.processor

    def _limits(self, keeps: Callable[[NotebookNode], NotebookNode | None]) -> Limits:
        ours = self.limits
        left = max(self._time_left(), 0.1)
        processor = min(ours.timeout, left) if ours.timeout else left
        wall = max(ours.patience * ours.submission_timeout - self.wall, 0.1)
        return Limits(processor, min(ours.patience * processor, wall), keeps)

    # Lost kernels -------------------------------------------------------------------------

    def _blame(self, index: int, suspect: int | None, lost: Lost | None) -> None:
        """Note by which cell a kernel was lost: this one, or the suspect if this one now ran."""
        if lost is None:
            if suspect is None:
                return
            culprit, ename, reason = suspect, "KernelDied", "the kernel died after this cell"
        else:
            culprit, ename, reason = index, lost.ename, lost.reason
            self.broken -= {suspect}
        self.broken.add(culprit)
        self.nb.cells[culprit].outputs.append(error_output(ename, reason))
        add_flag(self.nb, f"{reason}: {name_of(self.nb, culprit)}")

    def _recover(self, index: int) -> bool:
        """Bring a new kernel to the state before a cell; False where too many were lost.

        Earlier cells run once more, silently: what they showed and earned stays as it was.
        Cells that broke a kernel or ran out of time are left out, and graded cells too where they
        define nothing that other cells need.
        """
        while self.restarts < self.limits.max_restarts:
            self.restarts += 1
            self.kernel.restart()
            if self._replay(index):
                return True
        return False

    def _replay(self, end: int) -> bool:
        """Run the cells before `end` again for what they define; False if that breaks a kernel."""
        for index in range(end):
            cell = self.nb.cells[index]
            needless = is_autograded(cell) and not self.session.defines
            if index in self.broken or needless or not self._is_to_run(index):
                continue
            ended = self._run_source(index, cell.source, silent=True)
            if isinstance(ended, Lost):
                self._blame(index, None, ended)
                return False
        return True

    def _give_up(self, index: int) -> None:
        """Run no cell any more, from this one on."""
        for later in range(index, len(self.nb.cells)):
            if later not in self.broken:
                self._not_run(later, f"{self.restarts + 1} kernels were lost")
        self.gave_up = True


def error_output(ename: str, what: str) -> NotebookNode:
    """Make the output that tells of an error."""
    return new_output("error", ename=ename, evalue=what, traceback=[f"{ename}: {what}"])
