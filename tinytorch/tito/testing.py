"""Run a notebook in a kernel of its own and collect the reports of its graded cells."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tinytorch.checks import MIME_TYPE, Report
from tinytorch.tito.course import Course, Module
from tinytorch.tito.errors import TitoError
from tinytorch.tito.package import build_package
from tinytorch.tito.source import read_notebook, read_source

_SECONDS_A_CELL = 120


@dataclass(frozen=True)
class Result:
    """What a notebook's checks said.

    Attributes
    ----------
    reports : list of Report
        One a graded cell that reported, in the order of the notebook.
    failures : list of str
        Cells that raised, and graded cells without a report.
    """

    reports: list[Report]
    failures: list[str]

    @property
    def passed(self) -> bool:
        """Whether nothing failed and every part that counts holds."""
        return not self.failures and all(report.passed for report in self.reports)


def run_checks(course: Course, module: Module, notebook: Path | None = None) -> Result:
    """Run a module's source, or a student's notebook, and collect its reports.

    The notebook runs with the package that ends before the module, as in grading: a
    solution cannot be imported.

    Raises
    ------
    TitoError
        If the notebook cannot be read, or its kernel dies or hangs.
    """
    node = read_notebook(notebook) if notebook else read_source(module.source)
    package = build_package(course, module, judging=True)
    execute(node, package, (notebook or module.source).parent)
    return collect(node)


def execute(notebook: NotebookNode, package: Path, folder: Path) -> None:
    """Run every cell, going on after one that raises."""
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=_SECONDS_A_CELL,
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    )
    environment = os.environ | {"PYTHONPATH": str(package)}
    try:
        # ipykernel warns there that sockets of one's own machine are not encrypted.
        client.execute(env=environment, stderr=subprocess.DEVNULL)
    except CellTimeoutError as error:
        raise TitoError(
            f"A cell did not finish within {_SECONDS_A_CELL} s; is there a loop without end?"
        ) from error
    except DeadKernelError as error:
        raise TitoError("The kernel died while a cell ran; run the cells one by one.") from error


def collect(notebook: NotebookNode) -> Result:
    """Collect reports and failures from the outputs of an executed notebook."""
    reports: list[Report] = []
    failures: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        found = [
            Report.from_data(output.data[MIME_TYPE])
            for output in cell.outputs
            if output.output_type == "display_data" and MIME_TYPE in output.data
        ]
        reports.extend(found)
        name = cell.metadata.get("nbgrader", {}).get("grade_id") or f"cell {cell.get('id')}"
        errors = [output for output in cell.outputs if output.output_type == "error"]
        if any(error.ename == "NotImplementedError" for error in errors):
            continue  # a demonstration that waits for an open TODO, which the reports name
        failures.extend(f"{name}: {error.ename}: {error.evalue}" for error in errors)
        if cell.metadata.get("nbgrader", {}).get("grade") and not found and not errors:
            failures.append(f"{name}: the cell ran without a report")
    return Result(reports, failures)
