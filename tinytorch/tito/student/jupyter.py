"""An extension of IPython: a cell that needs an open TODO says so in two lines.

The bundle's environment loads it into every kernel; elsewhere ``%load_ext
tinytorch.tito.student.jupyter`` does.
"""

from __future__ import annotations

import traceback
from types import TracebackType
from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """Show open TODOs without a traceback from now on."""
    shell.set_custom_exc((NotImplementedError,), _show)


def _show(
    shell: Any,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType,
    tb_offset: int | None = None,
) -> None:
    if not str(error).startswith("TODO"):
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
        return
    lines = [str(error)]
    for frame in traceback.extract_tb(trace):
        cell = shell.compile.format_code_name(frame.filename)
        if cell is not None:  # the first frame of a cell is that of the cell that ran
            lines.append(f"Needed by line {frame.lineno} of this cell: {frame.line}")
            break
    # Still an error: Run All stops here, and programs see the type.
    shell._showtraceback(kind, error, ["\n".join(lines)])
