"""Run a whole notebook in a kernel of its own, as Jupyter's Run All does."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tinytorch.checks import MIME_TYPE, Report
from tito.errors import TitoError
from tito.student.testing import Result

_SECONDS_A_CELL = 120
#: From so many lines on, printing is named as what takes long.
_MANY_LINES = 1000


def execute(
    notebook: NotebookNode,
    folder: Path,
    package: Path | None = None,
    on_cell: Callable[[NotebookNode, int], None] | None = None,
) -> None:
    """Run every cell, going on after one that raises.

    Parameters
    ----------
    notebook : NotebookNode
        Gets the outputs.
    folder : Path
        Where to run.
    package : Path, optional
        A folder with the ``tinytorch`` to run with, instead of the installed one.
    on_cell : callable, optional
        Called with each cell and its index before it runs.

    Raises
    ------
    TitoError
        If a cell hangs or the kernel dies.
    """
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=_SECONDS_A_CELL,
        allow_errors=True,
        on_cell_start=on_cell,
        resources={"metadata": {"path": str(folder)}},
    )
    # Threads cost more than they give on arrays of this size.
    environment = {"OPENBLAS_NUM_THREADS": "1", **os.environ}
    if package is not None:
        environment["PYTHONPATH"] = str(package)
    try:
        # ipykernel warns there that sockets of one's own machine are not encrypted.
        client.execute(env=environment, stderr=subprocess.DEVNULL)
    except CellTimeoutError as error:
        lines = max(map(_printed_lines, notebook.cells), default=0)
        reason = "is there a loop without end?"
        if lines >= _MANY_LINES:
            reason = f"it printed {lines} lines: print less."
        raise TitoError(f"A cell did not finish within {_SECONDS_A_CELL} s; {reason}") from error
    except DeadKernelError as error:
        raise TitoError("The kernel died while a cell ran; run the cells one by one.") from error


def _printed_lines(cell: NotebookNode) -> int:
    outputs = cell.get("outputs", [])
    return sum(output.text.count("\n") for output in outputs if output.output_type == "stream")


def collect(notebook: NotebookNode) -> Result:
    """Collect reports and failures from the outputs of an executed notebook."""
    reports: list[Report] = []
    failures: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell_reports = [
            Report.from_data(output.data[MIME_TYPE])
            for output in cell.outputs
            if output.output_type == "display_data" and MIME_TYPE in output.data
        ]
        reports.extend(cell_reports)
        name = cell.metadata.get("nbgrader", {}).get("grade_id") or cell.id
        errors = [output for output in cell.outputs if output.output_type == "error"]
        if any(error.ename == "NotImplementedError" for error in errors):
            continue  # a demonstration that waits for an open TODO, which the reports name
        failures.extend(f"{name}: {error.ename}: {error.evalue}" for error in errors)
        if cell.metadata.get("nbgrader", {}).get("grade") and not cell_reports and not errors:
            failures.append(f"{name}: the cell ran without a report")
    return Result(reports, failures)
