"""An extension of IPython: a cell that needs an open TODO says so in two lines.

So does a cell that shows checks and misses a name, as after a restart of the kernel.

It also tells the checks what cells are called, so that they can say in which one a line stands.
The bundle's environment loads it into every kernel; elsewhere ``%load_ext
tito.student.jupyter`` does.
"""

from __future__ import annotations

import linecache
import traceback
from functools import cache
from types import TracebackType
from typing import Any

from tinytorch.checks.origin import CELLS
from tinytorch.checks.report import RUN_ABOVE
from tito.errors import TitoError
from tito.student.notebook import Assignment, Cell

#: Of Python in the metadata of notebooks. With a longer one, JupyterLab would call each notebook
#: changed that is opened with another Python than the one it was made with.
LANGUAGE_VERSION = "3"


def load_ipython_extension(shell: Any) -> None:
    """Show open TODOs without a traceback and name cells from now on."""
    if kernel := getattr(shell, "kernel", None):
        kernel.language_info = {**kernel.language_info, "version": LANGUAGE_VERSION}
    shell.set_custom_exc((NotImplementedError, NameError), _show)

    def name_cell(info: Any) -> None:
        number = shell.execution_count - 1  # IPython has counted the cell when it tells of it
        file = shell.compile.get_code_name(info.raw_cell, info.raw_cell, number)
        CELLS[file] = _title(info.raw_cell, info.cell_id, number)

    shell.events.register("pre_run_cell", name_cell)


@cache
def _released() -> list[Cell]:
    try:
        return Assignment.installed().cells
    except TitoError:  # as in a checkout of the course
        return []


def _title(source: str, cell_id: str | None, number: int) -> str:
    """Say what a cell is called and whose it is."""
    for cell in _released():
        if cell.fixed and cell.source.strip() == source.strip():
            return cell.title
    named = [cell for cell in _released() if cell.grade_id and cell.grade_id == cell_id]
    return named[0].title if named and named[0].solution else f"your cell In[{number}]"


def _show(
    shell: Any,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType,
    tb_offset: int | None = None,
) -> None:
    frames = [
        frame
        for frame in traceback.extract_tb(trace)
        if shell.compile.format_code_name(frame.filename) is not None
    ]
    if isinstance(error, NameError) and _shows_checks(frames):
        text = f"{error.name} is not defined here: {RUN_ABOVE}."
    elif str(error).startswith("TODO"):
        text = str(error)
    else:
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
        return
    # The first frame of a cell is that of the cell that ran.
    needed = [f"Needed by line {frame.lineno} of this cell: {frame.line}" for frame in frames[:1]]
    # Still an error: Run All stops here, and programs see the type.
    shell._showtraceback(kind, error, ["\n".join([text, *needed])])


def _shows_checks(frames: list[traceback.FrameSummary]) -> bool:
    """Whether the cell itself raised, and is one that shows checks."""
    return len(frames) == 1 and "_checks.show(" in "".join(linecache.getlines(frames[0].filename))
