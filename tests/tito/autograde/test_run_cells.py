"""Cells run in real kernels; one that is lost costs no other cell anything."""

import time
from contextlib import closing

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from tests.tito.scoring.test_verdicts import SOLUTION, TEST, source_of
from tests.tito.small_course import named
from tito.autograde.limits import ExecuteSubmission
from tito.autograde.run_cells import KernelLostError, NotebookRun
from tito.course.cells import flags
from tito.course.check_modules import put_into
from tito.kernels.client import make_kernel
from tito.kernels.isolation import IsolationReport
from tito.kernels.kernel_protocol import Lost
from tito.sandbox import Isolation
from tito.scoring import check_plan

ALL = frozenset({"submission", "unknown", "machine"})

#: A loop that an interrupt does not end.
DEAF = """
print("before", flush=True)
import time
while True:
    try:
        time.sleep(0.05)
    except KeyboardInterrupt:
        pass
"""


class Noting:
    """A kernel that notes the sources it runs, and dies before some of them, by their number."""

    def __init__(self, kernel, dies_before=()):
        self.kernel, self.dies_before, self.ran = kernel, dies_before, []
        self.restart, self.close = kernel.restart, kernel.close

    def run(self, source, limits):
        self.ran.append(source)
        if len(self.ran) - 1 in self.dies_before:
            return Lost("KernelDied", "the kernel died while it ran this cell", "unknown", False)
        return self.kernel.run(source, limits)


def kernel_of(level: str = "full", forks: bool = True, package=None):
    """Begin a kernel in isolation of a level, though this machine gives more."""
    isolation = Isolation(level, ("something",), user=1)
    return make_kernel(IsolationReport(isolation, forks), package, grace=1.0)


def run(*sources: str | NotebookNode, kernel=None, session=None, tolerated=ALL, **limits: object):
    """Run cells; return the notebook."""
    cells = [new_code_cell(s) if isinstance(s, str) else s for s in sources]
    nb = new_notebook(cells=cells)
    with closing(kernel or kernel_of()) as kernel:
        NotebookRun(nb, kernel, session, ExecuteSubmission(**limits), tolerated).run()
    return nb


def text(cell: NotebookNode) -> str:
    return "".join(o.get("text", "") for o in cell.outputs if o.output_type == "stream")


def errors(cell: NotebookNode) -> list[str]:
    return [o.ename for o in cell.outputs if o.output_type == "error"]


MUTE = "class E(Exception):\n    def __str__(self): raise self\n    __repr__ = __str__\nraise E"
SOCKETS = "import socket, time; s = [socket.socketpair() for _ in range(40)]; time.sleep(9)"
QUICK = {"timeout": 1, "grace": 1.0}
#: A cell, its limits, the errors that it shows, and what is flagged of it.
TROUBLE = {
    "raises": ("1 / 0", {}, ["ZeroDivisionError"], []),
    "ends its kernel": ("exit()", {}, ["KernelEnded"], ["this cell ended the kernel"]),
    "keeps its kernel": ("exit(keep_kernel=True)", {}, [], []),
    "cannot show its error": (MUTE, {}, ["E"], []),
    "never ends": (
        "while True: pass",
        QUICK,
        ["KeyboardInterrupt", "CellTimeoutError"],
        ["stopped after 1 s of processor time"],
    ),
    "ignores interrupts": (DEAF, QUICK, ["KernelHung"], ["this cell took "]),
    "sleeps for ever": (
        "import time; time.sleep(600)",
        {"timeout": 1, "patience": 2.0},
        ["KeyboardInterrupt", "CellTimeoutError"],
        ["stopped after 2 s: "],
    ),
    "opens sockets": (SOCKETS, {}, ["LimitHit"], ["limit hit: it opened more than 40 sockets"]),
}


@pytest.mark.parametrize(("source", "limits", "raised", "said"), TROUBLE.values(), ids=TROUBLE)
def test_what_a_cell_does_costs_no_other_cell(source, limits, raised, said):
    slow = "import time; time.sleep(0.1); print(a)"
    nb = run("a = 1", source, slow, slow, **limits)
    assert [errors(cell) for cell in nb.cells] == [[], raised, [], []]
    assert [text(cell) for cell in nb.cells[2:]] == ["1\n", "1\n"]
    assert source != DEAF or text(nb.cells[1]) == "before\n"
    assert len(flags(nb)) == len(said) and all(map(str.startswith, flags(nb), said))
    assert all(flag.endswith(": a cell at the beginning") for flag in flags(nb))


def test_after_a_kernel_died_the_next_cells_run_in_the_state_before():
    nb = run(
        "import os, uuid; a, mark = 1, uuid.uuid4(); print(mark)",
        # The pause lets the messages leave: what is still in the process dies with it.
        "import time; print('last words', flush=True); time.sleep(0.5); os._exit(1)",
        "print(a, mark)",
    )
    assert text(nb.cells[1]) == "last words\n"
    assert errors(nb.cells[1]) == ["KernelDied"]
    a, fresh = text(nb.cells[2]).split()
    assert a == "1"
    assert text(nb.cells[0]).strip() != fresh, "what the first kernel showed stays"
    assert flags(nb) == ["the kernel died while it ran this cell: a cell at the beginning"]


def test_graded_and_broken_cells_do_not_run_again_in_a_fresh_kernel(course, module):
    solution = named(new_code_cell(SOLUTION), "double-function", solution=True)
    graded = named(new_code_cell(TEST), "test-it", grade=True, locked=True, points=10)
    plan = check_plan.prepare(source_of(solution, graded), seed=5)
    deadly = "import os; os._exit(1)"
    kernel = Noting(kernel_of(package=course.package_before(module)))
    session = check_plan.Session.begin(plan)
    nb = run("a = 1", graded, deadly, deadly, "print(a)", kernel=kernel, session=session)
    asked = session.payload(graded)
    assert kernel.ran == ["a = 1", asked, deadly, "a = 1", deadly, "a = 1", "print(a)"]
    assert text(nb.cells[4]) == "1\n"


def test_too_many_lost_kernels_end_the_notebook():
    deadly = "import os; os._exit(1)"
    nb = run(deadly, deadly, deadly, "print('never')", max_restarts=1)
    assert [errors(cell) for cell in nb.cells] == [["KernelDied"]] * 2 + [["NotRun"]] * 2
    assert flags(nb)[-1] == "some cells were not run: 2 kernels were lost"


def test_the_limit_of_the_whole_notebook_ends_it():
    nb = run("import time; time.sleep(600)", "print('never')", submission_timeout=1.5)
    assert "CellTimeoutError" in errors(nb.cells[0])
    assert errors(nb.cells[1]) == ["NotRun"]


def test_only_processor_time_of_its_cells_counts_for_a_notebook():
    kernel = kernel_of()
    time.sleep(1)  # as one that takes long to start
    nb = run(*["import time; time.sleep(1); print(1)"] * 2, kernel=kernel, submission_timeout=0.9)
    assert [text(cell) for cell in nb.cells] == ["1\n"] * 2


def test_only_processor_time_of_all_its_processes_counts_for_a_cell():
    busy = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'while True: pass'])"
    nb = run("import time; time.sleep(2); print('slept')", busy, "print('after')", timeout=1)
    assert text(nb.cells[0]) == "slept\n" and text(nb.cells[2]) == "after\n"
    assert flags(nb) == ["stopped after 1 s of processor time: a cell at the beginning"]


@pytest.mark.parametrize(
    "flood",
    [
        "for i in range(200_000): print('line', i)",
        "raise ValueError('x' * 2_000_000)",
    ],
)
def test_a_flood_of_output_is_cut_and_later_cells_run(flood):
    nb = run(flood, "print('after')", max_output=100_000)
    assert sum(len(str(output)) for output in nb.cells[0].outputs) < 300_000
    assert text(nb.cells[1]) == "after\n"


def test_a_cell_cannot_change_what_another_one_shows():
    nb = run(
        "h = display('one', display_id='d')",
        "from IPython.display import update_display\nupdate_display('two', display_id='d')",
    )
    assert nb.cells[0].outputs[0].data["text/plain"] == "'one'"


def test_where_a_cell_runs_without_the_one_before_that_one_ended_the_kernel():
    nb = run("print('first')", "print('second')", kernel=Noting(kernel_of(), {1}))
    assert errors(nb.cells[0]) == ["KernelDied"]
    assert text(nb.cells[1]) == "second\n" and errors(nb.cells[1]) == []
    assert flags(nb) == ["the kernel died after this cell: a cell at the beginning"]


def test_where_a_cell_dies_again_the_one_before_is_innocent_and_runs_again():
    nb = run("a = 1", "print('second')", "print(a)", kernel=Noting(kernel_of(), {1, 2}))
    assert [errors(cell) for cell in nb.cells] == [[], ["KernelDied"], []]
    assert text(nb.cells[2]) == "1\n"
    assert flags(nb) == ["the kernel died while it ran this cell: a cell at the beginning"]


def test_a_kernel_that_somebody_else_may_have_killed_ends_the_run():
    with pytest.raises(KernelLostError) as lost:
        run("import os; os._exit(1)", tolerated=frozenset({"submission"}))
    assert lost.value.blame == "unknown"
    kernel = kernel_of()
    kernel.instance.process.kill()
    with pytest.raises(KernelLostError) as lost:
        run("import time; time.sleep(5)", kernel=kernel, tolerated=frozenset({"submission"}))
    assert lost.value.blame == "machine"


CHECKS = {
    "exercises/same.py": "".join(
        f"def part_{n}(student, n):\n    return {{'n': student.same(n)}}\n" for n in (1, 2, 3, 4)
    ),
    "same.py": """
from tinytorch.checks import Checks
from .exercises import same

checks = Checks("test-same", points=4, names=["same"])
for n in (1, 2, 3, 4):
    exercise = getattr(same, f"part_{n}")
    checks.part(exercise, points=1, inputs={"n": n}, expect={"n": n}, hint="think")
""",
}


#: The third part kills the kernel, at once.

DEADLY = """
import os
def same(n):
    if n == 3:
        os._exit(1)
    return n
""".strip()


def earned(course, module, forks=True, dies_before=(), **limits):
    """Ask four parts about a deadly solution; return what each earned, and the notebook."""
    asked = named(new_code_cell("# four parts"), "test-same", grade=True, locked=True, points=4)
    right, deadly = (
        named(new_code_cell(solution), "same-function", solution=True)
        for solution in ("def same(n): return n", DEADLY)
    )
    source = new_notebook(cells=[right, asked])
    put_into(source, CHECKS)
    plan = check_plan.prepare(source, seed=7)
    session = check_plan.Session.begin(plan)
    kernel = Noting(kernel_of(forks=forks, package=course.package_before(module)), dies_before)
    nb = run(deadly, asked, "print('later')", kernel=kernel, session=session, **limits)
    report, _ = session.verdict(nb.cells[1])
    return [part.earned for part in report.parts], nb


@pytest.mark.parametrize(
    ("forks", "restarts", "points", "later"),
    [
        (True, 0, [0, 0, 0, 0], ["NotRun"]),
        (True, 1, [1, 1, 0, 0], ["NotRun"]),
        (True, 2, [1, 1, 0, 1], []),
        (False, 2, [1, 1, 0, 1], []),
    ],
)
def test_a_part_that_kills_the_last_kernel_costs_no_part_before_it(
    course, module, forks, restarts, points, later
):
    found, nb = earned(course, module, forks, max_restarts=restarts)
    assert found == points
    assert [errors(cell) for cell in nb.cells] == [[], ["KernelDied"], later]


def test_what_parts_have_answered_stays_where_a_kernel_is_lost_before_the_next_begins(
    course, module
):
    # The parts behind the one that killed, asked in a fresh kernel.
    found, _ = earned(course, module, dies_before={5})
    assert found[:2] == [1, 1]
