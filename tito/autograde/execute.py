"""Run a student's notebook, and keep what its cells earned whatever the others do.

nbgrader's Execute gives up the whole notebook when a kernel dies, or when a loop swallows the
interrupt. Here the kernel is replaced, brought to the state before the cell that broke it, and
the notebook goes on behind that cell.
"""

from __future__ import annotations

from typing import Any

from jupyter_client.manager import KernelManager
from nbformat import NotebookNode
from traitlets import Integer

from tito.autograde.runner import CellRunner, Loss, error_output
from tito.course.cells import add_flag, is_autograded, name_of
from tito.scoring.exam import Exam, Sitting, exam_of


class ExecuteSubmission(CellRunner):
    """nbgrader's Execute with limits that hold, and kernels that can be lost."""

    max_restarts = Integer(
        10, help="How many kernels a submission may lose before its other cells are not run."
    ).tag(config=True)

    seed = Integer(
        None, allow_none=True, help="Repeats the inputs of an earlier run; random by default."
    ).tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: Any = None, km: KernelManager | None = None
    ) -> tuple[NotebookNode, Any]:
        """Run every code cell of a notebook."""
        self._take_on(nb, resources, km)
        self._broken: set[int | None] = set()
        self._restarts = 0
        self._gave_up = False
        self._sitting = Sitting.begin(self._exam()) if self.sources else None
        self.resources["sitting"] = self._sitting
        try:
            self._start()
            self._run_cells()
        finally:
            self._stop()
        return self.nb, self.resources

    def _exam(self) -> Exam:
        return exam_of(self._source(), self.seed)

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
            if loss and not self._recover(index):
                self._give_up(index)
            if self._gave_up:
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
        self.nb.cells[culprit].outputs.append(error_output(ename, what))
        add_flag(self.nb, f"{what}: {name_of(self.nb, culprit)}")

    def _run(self, index: int) -> Loss | None:
        """Run a cell of any kind; return how the kernel was lost, if it was."""
        if not self._is_to_run(index):
            return None
        if self._sitting and is_autograded(self.nb.cells[index]):
            return self._ask(index, self._sitting)
        return self._run_cell(index)

    def _run_cell(self, index: int) -> Loss | None:
        loss = super()._run_cell(index)
        if self._overdue and not loss:
            self._broken.add(index)
        return loss

    def _ask(self, index: int, sitting: Sitting) -> Loss | None:
        """Ask all parts of a graded cell; a part that breaks the kernel costs no other part.

        The student's process gets what drives its code, and answers by observations; the cell
        that a grader sees stays what it was. A cell's observations travel together, until some
        do not come: from then on they travel apart, and the first that is missing tells which
        part was to blame.
        """
        cell = self.nb.cells[index]
        # The release's cells bring no outputs: what is there was said before a kernel was lost.
        said = list(cell.outputs)
        parts, apart = sitting.unanswered(cell), self._restarts > 0
        while True:
            question = sitting.question(cell, parts, apart)
            asked = NotebookNode(cell, source=question, outputs=[])
            self.nb.cells[index], self._asked = asked, True
            try:
                loss = self._run_cell(index)
            finally:
                self.nb.cells[index], self._asked = cell, False
                said += asked.outputs
                cell.outputs = said
            open_parts = [part for part in sitting.unanswered(cell) if part in parts]
            # A part that was stopped has said so; one that took the kernel along has not.
            again = not apart or (self._overdue and not loss)
            parts = open_parts if again else open_parts[1:]
            if not parts or not self._begun or self._remaining() <= 0:
                return loss
            if loss:
                found = self._recover(index)
                if apart or not found:
                    self._blame(index, None, loss)
                    self._broken.discard(index)
                if not found:
                    self._give_up(index + 1)
                    return None
            apart = True

    def _recover(self, index: int) -> bool:
        """Start a kernel in the state before a cell; False where too many were lost.

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
        return False

    def _give_up(self, index: int) -> None:
        """Run no cell any more, from this one on."""
        for later in range(index, len(self.nb.cells)):
            if later not in self._broken:
                self._not_run(later, f"{self._restarts + 1} kernels were lost")
        self._gave_up = True

    def _replay(self, end: int) -> bool:
        """Run the cells before `end` again for what they define; False if that breaks a kernel."""
        for index in range(end):
            original = self.nb.cells[index]
            skipped = index in self._broken or is_autograded(original)
            if skipped or not self._is_to_run(index) or self._remaining() <= 0:
                continue
            self.nb.cells[index], self._silent = NotebookNode(original, outputs=[]), True
            try:
                loss = self._run_cell(index)
            finally:
                self.nb.cells[index], self._silent = original, False
            if loss:
                self._blame(index, None, loss)
                return False
        return True
