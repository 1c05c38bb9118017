"""The same cells, bare: in forks of a warm process, without kernel, sandbox, judge or gradebook.

`python -m benchmarks.grading.raw COURSE STUDENT...` prints what the cells took that ran when these
were graded: seconds of CPU and of the clock by student. Who was graded both ways ran them twice.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import sys
import types
import warnings
from pathlib import Path
from time import perf_counter

import nbformat
import numpy as np  # noqa: F401 - warm
from matplotlib.backends import backend_agg  # noqa: F401 - warm

from benchmarks.grading.classroom import MODULE, NOTEBOOK
from tito.authoring.releases import read_release
from tito.course import Course
from tito.course.cells import is_autograded
from tito.gradebook import records
from tito.scoring.check_plan import Session, prepare
from tito.submission.intake import parse
from tito.submission.rebuild import rebuild_on


def runs_of(course: Course, student: str, session: Session) -> list[list[str]]:
    """Return the code that the kernels of a submission ran, a list for each."""
    module = course.module(MODULE)
    record = records.load(course, module, student)
    left_out = record.left_out if record else ()
    release = read_release(course.release / MODULE / NOTEBOOK)
    path = course.submitted / student / MODULE / NOTEBOOK
    notebook = rebuild_on(release, parse(path.read_bytes(), student, module.name))

    def without(cells: tuple[str, ...]) -> list[str]:
        return [
            session.payload(cell) if is_autograded(cell) else cell.source
            for cell in notebook.cells
            if cell.cell_type == "code" and cell.source.strip() and cell.id not in cells
        ]

    return [without(left_out), *([without(())] if record and record.audit else [])]


def run(cells: list[str]) -> tuple[float, float]:
    """Run cells in a fork; return its CPU time and the time by the clock."""
    began = perf_counter()
    pid = os.fork()
    if pid == 0:
        # A notebook's own, in which processes that cells start look for what they are sent.
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            for number, source in enumerate(cells):
                with contextlib.suppress(BaseException):
                    exec(compile(source, f"cell {number}", "exec"), vars(main))
                _show_figures()
        os._exit(0)
    _, _, used = os.wait4(pid, 0)
    return used.ru_utime + used.ru_stime, perf_counter() - began


def _show_figures() -> None:
    """Draw what a cell has plotted, as a notebook does at its end."""
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        for number in pyplot.get_fignums():
            pyplot.figure(number).savefig(io.BytesIO(), format="png", bbox_inches="tight")
        pyplot.close("all")


def main() -> None:
    """Measure some of a class."""
    os.environ["MPLBACKEND"] = "agg"
    course, students = Course(Path(sys.argv[1])), sys.argv[2:]
    source = nbformat.read(course.notebooks / MODULE / NOTEBOOK, nbformat.NO_CONVERT)
    plan = prepare(source, 1)
    work = {student: runs_of(course, student, Session.begin(plan)) for student in students}
    # What students' code may import: nothing of the tools.
    for name in [name for name in sys.modules if name.split(".")[0] == "tinytorch"]:
        del sys.modules[name]
    sys.path.insert(0, str(course.package_before(course.module(MODULE))))
    for name in ("tinytorch.core.tensor", "tinytorch.core.autograd", "tinytorch.checks.observe"):
        importlib.import_module(name)
    importlib.import_module("IPython.display")
    nbformat.v4  # noqa: B018 - warm
    gc.collect()
    gc.freeze()  # as in our own warm process
    took = {
        student: [sum(one) for one in zip(*map(run, runs), strict=True)]
        for student, runs in work.items()
    }
    json.dump(took, sys.stdout)


if __name__ == "__main__":
    main()
