"""Run the cells of a notebook in this process and send what its checks say, a line a message.

Started by :mod:`tito.student.testing`, which writes the cells as JSON to standard input, at once
or at the next save. There is no Jupyter here, which is what makes it fast: cells run as a module
that is imported, so what stands under ``if __name__ == "__main__":`` (plots, long runs) is left
out.
"""

from __future__ import annotations

import gc
import importlib.abc
import json
import linecache
import os
import signal
import sys
import traceback
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinytorch.checks import Checks


class _Blocked(importlib.abc.MetaPathFinder):
    """Refuse to import the module that the notebook itself is to become."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        if fullname == self.name:
            raise ImportError(
                f"{self.name} is what this notebook becomes; it cannot be imported "
                "while the notebook is tested or graded"
            )


def main() -> None:
    """Run the cells that standard input names."""
    with _interrupts_end_silently():
        gc.disable()  # imports leave no garbage
        import tinytorch.checks.cell  # noqa: F401 - with NumPy

        gc.freeze()
        gc.enable()
        text = sys.stdin.read()
    if text:  # a save may never come
        _run(json.loads(text))


@contextmanager
def _interrupts_end_silently() -> Iterator[None]:
    """Let Ctrl-C end this process without a traceback: who started it tells of it."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, before)


def _run(task: dict[str, Any]) -> None:
    # What a student's code prints, in Python or below, must not mix with the messages.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    sys.meta_path.insert(0, _Blocked(task["blocked"]))
    module = types.ModuleType(task["name"])
    sys.modules[task["name"]] = module
    for cell in task["cells"]:
        print(json.dumps(_message(cell, vars(module))), file=channel, flush=True)
    os._exit(0)  # a thread that a student's code started must not hold up the end


def _message(cell: dict[str, Any], namespace: dict[str, Any]) -> dict[str, Any]:
    """Run one cell; return its report or its error, where it has one."""
    from tinytorch.checks import Report, Student
    from tinytorch.checks.origin import CELLS

    message: dict[str, Any] = {"cell": cell["name"]}
    try:
        CELLS[f"<{cell['name']}>"] = cell["title"]
        _execute(cell["source"], cell["name"], namespace)
        checks = _checks(cell["name"], namespace)
        if checks is not None and cell["checks"]:
            message["report"] = checks.report(Student(namespace)).data()
        elif checks is not None and cell["kept"]:
            checks.reported = Report.from_data(cell["kept"])
    except NotImplementedError:
        message["error"] = None  # a cell that waits for a TODO, which the reports name
    except BaseException as error:  # whatever a student's code raises, exit() included
        message["error"] = _describe(error)
    return message


def _execute(source: str, name: str, namespace: dict[str, Any]) -> None:
    file = f"<{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(_compiled(source, file), namespace)


def _compiled(source: str, file: str) -> types.CodeType:
    try:
        return compile(source, file, "exec")
    except SyntaxError:  # of IPython's own syntax, perhaps
        from tito.student.needs import without_magics

        return compile(without_magics(source), file, "exec")


def _checks(name: str, namespace: dict[str, Any]) -> Checks | None:
    from tinytorch.checks import Checks

    for value in list(namespace.values()):
        if type(value) is Checks and value.grade_id == name:
            return value
    return None


def _describe(error: BaseException) -> str:
    """Name an error in one line, with the line of the cell where it happened."""
    last = traceback.format_exception_only(error)[-1].strip()
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {last}: {(error.text or '').strip()}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith("<")]
    return f"line {frames[-1].lineno}: {last}" if frames else last


if __name__ == "__main__":
    main()
