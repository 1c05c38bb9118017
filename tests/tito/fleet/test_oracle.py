"""`tito grade` against its oracle: `nbgrader autograde`, stock nbclient, a kernel behind ZeroMQ.

nbgrader's own kernels are started, which is the oracle, or forked.
"""

import json
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook

from tests.tito.small_course import (
    RIGHT,
    cell,
    copy_of,
    limits,
    position,
    release_of,
    solve,
    submit,
)
from tito.autograde import pipeline
from tito.course import Course
from tito.gradebook import scores

#: What differs by design, and why: patterns in a notebook's outputs, and what both sides get.
DIFFERENT = [
    # A started kernel names a cell's file by its process, which differs from run to run.
    (r"/tmp/ipykernel_\d+/\d+\.py", "CELL"),
    (r"\(\d+\.py, line ", "(CELL, line "),
    # Times are measured.
    (r"(CPU times|Wall time): [^\\]*", "TIME"),
]

#: Whose submission cannot be read: nbgrader leaves an empty row, which then waits for a person's
#: mark for ever; here the record says what is wrong.
EMPTY_ROW = "broken"

#: Shell commands that print. They wait until IPython's threads have read it: stock ipykernel shows
#: what a process wrote before or after what comes next, as it happens.
CHILD = "echo from a child; sleep 0.5"
BOTH = "echo out; sleep 0.5; echo err >&2; sleep 0.5"

#: Cells that are nasty to a kernel, or to whoever reads its messages, by what they have in common.
CELLS = {
    "prints": [
        "print('a'); import sys; print('b', file=sys.stderr); print('c')",
        f"import os; os.system({CHILD!r}); None",
        "!echo shell",
        f"import subprocess; subprocess.run({BOTH!r}, shell=True).returncode",
        "import threading as t; t = t.Thread(target=print, args=('a',)); t.start(); t.join()",
        "import warnings; warnings.warn('careful')",
        "print('x' * 300_000)",
        "%time x = 3",
        "for i in range(300): print(i, flush=True)",
    ],
    "errors": [
        "1 / 0",
        "def f(:",
        "class E(Exception): pass\nraise E('own')",
        "input('?')",
        "raise SystemExit(3)",
        "raise KeyboardInterrupt",
        "import getpass; getpass.getpass()",
        "raise ExceptionGroup('many', [ValueError(1), TypeError(2)])",
        "'still ' + 'here'",
    ],
    "displays": [
        "from IPython.display import display, HTML, clear_output\ndisplay(HTML('<b>x</b>')); 'y'",
        "print('gone'); clear_output(); print('stays')",
        "print('gone'); clear_output(wait=True); display('stays')",
        "h = display('one', display_id=True)",
        "h.update('two')",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.gcf().get_axes().__len__()",
        "import numpy as np; np.arange(4).reshape(2, 2)",
        "display({'application/json': {'a': [1, None]}, 'text/plain': 'a'}, raw=True)",
        "get_ipython().run_cell('40 + 2'); None",
    ],
    "others": [
        "import asyncio\nawait asyncio.sleep(0)\nprint('awaited')",
        "task = asyncio.ensure_future(asyncio.sleep(0, 'late')); await task",
        "[n async for n in (m for m in [])] if False else [line for line in range(5)]",
        "_, Out[max(Out)] == _",
        "np_before = __import__('numpy').random.rand(); np_before != 0.5",
        "import os; os.getcwd(), os.listdir('.'), __name__, os.getuid()",
        "sorted(name for name in os.environ if name.startswith(('PYTHON', 'MPL')))",
        "open('helper.py', 'w').write('x = 1'); import helper; helper.x",
        "exit()",
        "print('after exit')",
    ],
}


def with_cells(nb, sources):
    for number, source in enumerate(sources):
        made = new_code_cell(source, id=f"extra-{number}")
        nb.cells.insert(position(nb, "double-function"), made)
    return nb


def old_schema(nb):
    for one in nb.cells:
        if "nbgrader" in one.metadata:
            one.metadata.nbgrader.schema_version = 1
    return nb


def copied(nb):
    nb.cells.append(nbformat.from_dict({**cell(nb, "test-double"), "id": "copy"}))
    return nb


@pytest.fixture(scope="module")
def graded_all_ways(template, tmp_path_factory):
    """Hand in a varied class; return it graded by the oracle, by others, and the module."""
    ours = copy_of(template, tmp_path_factory.mktemp("oracle") / "ours")

    def made(solutions, *sources):
        return with_cells(solve(release_of(ours), solutions), sources)

    answered = made(RIGHT)
    cell(answered, "question-1").source = "Since it is associative."
    submit(ours, "answers", answered)
    submit(ours, "broken", "{")
    submit(ours, "prints", made(RIGHT, *CELLS["prints"]), name="my homework.ipynb")
    partly = {**RIGHT, "double-function": "def double(x): return 4"}
    submit(ours, "errors", old_schema(made(partly, *CELLS["errors"])))
    submit(ours, "displays", copied(made(RIGHT, *CELLS["displays"])))
    ends = {**RIGHT, "triple-function": "import os; os._exit(1)"}
    submit(ours, "others", made(ends, *CELLS["others"]))
    limits(ours, seed=7)
    module = ours.module("08_optimizers")
    theirs = {}
    for launch in ("start", "fork"):
        theirs[launch] = Course(shutil.copytree(ours.root, ours.root.parent / launch))
        option = f"--GradingKernelManager.launch={launch}"
        done = nbgrader(theirs[launch], "autograde", module.name, option)
        assert done.returncode == 1, "one of them cannot be graded"
        assert "broken: optimizers_dev.ipynb is not valid JSON" in done.stderr
    run = pipeline.grade(ours, module, seed=7)
    assert [outcome.student for outcome in run.failed] == ["broken"]
    return theirs["start"], {"tito grade": ours, "forked": theirs["fork"]}, module


def nbgrader(course, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course.root,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def entered(course) -> dict[str, list]:
    """Return every mark and every comment of the gradebook."""
    with Gradebook(course.nbgrader_config().CourseDirectory.db_url, "tinytorch-optimizers") as book:
        return {
            s.student_id: [
                *sorted((g.name, g.auto_score, g.needs_manual_grade) for g in notebook.grades),
                *sorted((c.name, c.auto_comment) for c in notebook.comments),
            ]
            for s in book.assignment_submissions("08_optimizers")
            for notebook in s.notebooks
        }


def outputs(course, student) -> list:
    """Return source and outputs of each cell, and the flags, without what differs by design."""
    path = course.autograded / student / "08_optimizers" / "optimizers_dev.ipynb"
    nb = nbformat.read(path, as_version=4)
    # Into how many pieces a printed text is cut is a matter of time.
    nb, _ = CoalesceStreamsPreprocessor().preprocess(nb, {})
    text = json.dumps([[one.source, one.get("outputs")] for one in nb.cells], ensure_ascii=False)
    for pattern, both in DIFFERENT:
        text = re.sub(pattern, both, text)
    assert nb.metadata.tinytorch.isolation.level == "full"
    return [*json.loads(text), ["flags", nb.metadata.tinytorch.get("flags")]]


def test_the_marks_are_the_right_ones(graded_all_ways):
    _, others, module = graded_all_ways
    assert {row.student: row.total for row in scores.table(others["tito grade"], module)} == {
        "answers": 10.0,  # and a person's mark
        "broken": 0.0,
        "displays": 10.0,
        "errors": 8.0,
        "others": 4.0,
        "prints": 10.0,
    }


@pytest.mark.parametrize("other", ["tito grade", "forked"])
def test_marks_comments_and_outputs_are_those_of_nbgrader(graded_all_ways, other):
    plain, others, _ = graded_all_ways
    ours = others[other]
    theirs = entered(plain)
    if other == "tito grade":
        assert {value for _, value, *_ in theirs.pop(EMPTY_ROW)} == {None}
    assert entered(ours) == theirs
    different = []
    for student in sorted(path.name for path in ours.autograded.iterdir()):
        pairs = zip(outputs(ours, student), outputs(plain, student), strict=True)
        different += [(student, one, other) for one, other in pairs if one != other]
        assert sum(bool(outputs) for _, outputs in outputs(ours, student)) >= 3
    assert different == []


def test_nbgrader_goes_on_with_either(graded_all_ways):
    plain, others, module = graded_all_ways
    done = nbgrader(plain, "generate_feedback", module.name, "--student=prints")
    assert done.returncode == 0, done.stderr
    page = plain.feedback / "prints" / module.name / f"{module.notebook}.html"
    assert ">of 15 points" in page.read_text() and "triple(7)" not in page.read_text()
    done = nbgrader(others["tito grade"], "export", "--to=marks.csv")
    assert done.returncode == 0, done.stderr
    table = (others["tito grade"].root / "marks.csv").read_text()
    assert "errors,,,,8.0,0.0,8.0,15.0" in table
