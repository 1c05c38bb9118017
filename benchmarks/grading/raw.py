"""The same cells, bare: in forks of a warm process, without kernel, sandbox, judge or gradebook.

`python -m benchmarks.grading.raw COURSE` prints how many seconds of CPU each submission took.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import sys
import warnings
from pathlib import Path

import nbformat
import numpy as np  # noqa: F401 - warm
from matplotlib.backends import backend_agg  # noqa: F401 - warm

from benchmarks.grading.classroom import MODULE, NOTEBOOK, names
from tito.authoring.releases import read_release
from tito.course import Course
from tito.course.cells import is_autograded
from tito.scoring.check_plan import Session, prepare
from tito.submission.intake import parse
from tito.submission.rebuild import rebuild_on

#: Of a larger class, as many are enough for a mean.
_MOST = 100


def cells_of(course: Course, student: str, session: Session) -> list[str]:
    """Return the code that a kernel would run."""
    module = course.module(MODULE)
    release = read_release(course.release / MODULE / NOTEBOOK)
    path = course.submitted / student / MODULE / NOTEBOOK
    notebook = rebuild_on(release, parse(path.read_bytes(), student, module.name))
    return [
        session.payload(cell) if is_autograded(cell) else cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.source.strip()
    ]


def run(cells: list[str]) -> float:
    """Run cells in a fork; return its CPU time."""
    pid = os.fork()
    if pid == 0:
        namespace = {"__name__": "__main__"}
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            for number, source in enumerate(cells):
                with contextlib.suppress(BaseException):
                    exec(compile(source, f"cell {number}", "exec"), namespace)
        os._exit(0)
    _, _, used = os.wait4(pid, 0)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure a class."""
    os.environ["MPLBACKEND"] = "agg"
    course = Course(Path(sys.argv[1]))
    source = nbformat.read(course.notebooks / MODULE / NOTEBOOK, nbformat.NO_CONVERT)
    plan = prepare(source, 1)
    work = [cells_of(course, student, Session.begin(plan)) for student in names(course)[:_MOST]]
    # What students' code may import: nothing of the tools.
    for name in [name for name in sys.modules if name.split(".")[0] == "tinytorch"]:
        del sys.modules[name]
    sys.path.insert(0, str(course.package_before(course.module(MODULE))))
    for name in ("tinytorch.core.tensor", "tinytorch.core.autograd", "tinytorch.checks.observe"):
        importlib.import_module(name)
    for name in ("IPython.display", "unittest.mock"):
        importlib.import_module(name)
    nbformat.v4  # noqa: B018 - warm
    gc.collect()
    gc.freeze()  # as in our own warm process
    json.dump([run(cells) for cells in work], sys.stdout)


if __name__ == "__main__":
    main()
