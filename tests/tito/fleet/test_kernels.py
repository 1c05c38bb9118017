"""Forked kernels: as well held as started ones, and with the same outputs."""

import itertools
import os
from contextlib import closing
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from tito.autograde.execute_here import ExecuteHere
from tito.errors import NotStartedError
from tito.kernels import forking, wire
from tito.kernels.fork_probe import ForkProbe
from tito.kernels.forking import Zygote
from tito.kernels.isolation import IsolationReport
from tito.kernels.manager import zygote_for
from tito.sandbox import Isolation
from tito.sandbox.settings import Settings

from ..grading.conftest import named
from ..sandbox.test_provisioner import break_start, held_by_this_process

FULL = Isolation("full")


def run(forks: bool, *sources: str, **settings):
    """Run cells in forked kernels or in started ones, which are the oracle."""
    execute = ExecuteHere(timeout=20, **settings)
    execute.found = IsolationReport(FULL, forks)
    nb = new_notebook(cells=[new_code_cell(source) for source in sources])
    ids = {"assignment": "a", "notebook": "n", "student": "s"}
    nb, _ = execute.preprocess(nb, {"nbgrader": ids, "metadata": {}})
    return nb


def test_nothing_gets_out_of_a_sandbox_that_was_entered():
    assert ForkProbe(Settings()).leaks() == ()


@pytest.mark.parametrize(
    ("sabotage", "leak"),
    [
        ("no filter", "makes the system calls"),
        ("no network namespace", "connects to the machine's servers"),
        ("no limits", "starts more than 24 processes"),
    ],
)
def test_the_probe_finds_what_entering_leaves_open(monkeypatch, sabotage, leak):
    if sabotage == "no filter":
        monkeypatch.setattr(forking.seccomp, "this_machine", lambda: None)
    elif sabotage == "no network namespace":
        kinds = {name: bit for name, bit in room._NAMESPACES.items() if name != "net"}
        monkeypatch.setattr(room, "_NAMESPACES", kinds)
    else:
        monkeypatch.setattr(forking, "limits_of", lambda settings: {})
        monkeypatch.setattr(forking.resource, "RLIMIT_NPROC", forking.resource.RLIMIT_CORE)
    assert any(leak in found for found in ForkProbe(Settings()).leaks())


def test_a_killed_zygote_costs_a_start_and_no_submission():
    run(True, "1")
    zygote_for("", "")._process.kill()
    nb = run(True, "print('again')")
    assert nb.cells[0].outputs[0].text == "again\n"


def test_a_kernel_finds_nothing_of_the_one_before():
    run(True, "open('/tmp/left', 'w').close(); import builtins; builtins.left = 1")
    nb = run(
        True, "import os, builtins; print(os.path.exists('/tmp/left'), hasattr(builtins, 'left'))"
    )
    assert nb.cells[0].outputs[0].text == "False False\n"


#: The thread that reads what processes write gets its turn late, as on a busy machine.
LATE = """
import select, time
now = select.select
def late(*arguments):
    found = now(*arguments)
    if len(arguments) == 3:  # without a time limit
        time.sleep(0.3)
    return found
select.select = late
"""


@pytest.mark.parametrize("before", ["import select", LATE], ids=["at once", "late"])
def test_what_a_process_wrote_is_shown_before_what_comes_after_it(before):
    nb = run(True, before, *["import os; os.system('echo out; echo err >&2')"] * 10)
    for cell in nb.cells[1:]:
        shown = [output.get("text") or output.data["text/plain"] for output in cell.outputs]
        assert shown == ["out\n", "err\n", "0"]


def test_the_interpreter_of_the_machine_cannot_be_changed_through_proc():
    nb = run(
        True, "open('/proc/self/exe', 'r+b')", "import os; print(os.readlink('/proc/self/exe'))"
    )
    assert nb.cells[0].outputs[0].ename in ("OSError", "PermissionError")
    assert nb.cells[1].outputs[0].text.startswith("/memfd:python")


def test_a_zygote_holds_nothing_of_its_owner(monkeypatch):
    monkeypatch.setenv("TITO_SECRET", "a secret")
    with closing(Zygote(Settings())) as made:
        assert "TITO_SECRET" not in Path(f"/proc/{made.pid}/environ").read_text()
        if os.geteuid() == 0:
            status = Path(f"/proc/{made.pid}/status").read_text()
            assert "Uid:\t65534\t65534\t65534\t65534" in status


@pytest.mark.parametrize(
    ("where", "call"),
    [("bubblewrap", 1), ("Popen", 1), ("pidfd_open", 1), ("pidfd_open", 2), ("readlink", 1)],
)
def test_a_room_that_is_not_made_leaves_nothing_open(monkeypatch, where, call):
    room.SandboxInstance(Settings(), None).close()
    before = held_by_this_process()
    with monkeypatch.context() as patch:
        break_start(patch, where, call)
        with pytest.raises((NotStartedError, OSError), match="did not start|Too many open files"):
            room.SandboxInstance(Settings(), None)
    assert held_by_this_process() == before


PARTS = """
from tinytorch.checks import Checks

checks = Checks("test-same", points=4)
""" + "".join(
    f"""

@checks.part(points=1, given={{"n": {n}}}, expect={{"n": {n}}}, hint="think")
def part_{n}(n):
    return {{"n": same(n)}}
"""
    for n in (1, 2, 3, 4)
)


#: The third part kills the kernel, at once.
DEADLY = """
import os
def same(n):
    if n == 3:
        os._exit(1)
    return n
""".strip()


def earned(course, forks: bool, **settings):
    """Ask four parts about a deadly solution; return what each earned, and the notebook."""

    def notebook(solution: str) -> NotebookNode:
        cells = [
            named(new_code_cell(solution), "same-function", solution=True),
            named(new_code_cell(PARTS.strip()), "test-same", grade=True, locked=True, points=4),
            new_code_cell("print('later')"),
        ]
        return new_notebook(cells=cells)

    folder = course.root / "sources" / "08_optimizers"
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook("def same(n): return n"), folder / "optimizers_dev.ipynb")
    packages = str(course.root / "build" / "package")
    execute = ExecuteHere(sources=str(folder.parent), packages=packages, seed=7, **settings)
    execute.found = IsolationReport(FULL, forks)
    ids = {"assignment": "08_optimizers", "notebook": "optimizers_dev", "student": "s"}
    nb, resources = execute.preprocess(notebook(DEADLY), {"nbgrader": ids, "metadata": {}})
    report, _ = resources["sitting"].verdict(nb.cells[1])
    return [part.earned for part in report.parts], nb


def errors(cell: NotebookNode) -> list[str]:
    return [output.ename for output in cell.outputs if output.output_type == "error"]


@pytest.mark.parametrize("forks", [True, False], ids=["forked", "started"])
@pytest.mark.parametrize(
    ("restarts", "points", "later"),
    [(0, [0, 0, 0, 0], ["NotRun"]), (1, [1, 1, 0, 0], ["NotRun"]), (2, [1, 1, 0, 1], [])],
)
def test_a_part_that_kills_the_last_kernel_costs_no_part_before_it(
    course, forks, restarts, points, later
):
    found, nb = earned(course, forks, max_restarts=restarts)
    assert found == points
    assert [errors(cell) for cell in nb.cells] == [[], ["KernelDied"], later]


def test_what_parts_have_answered_stays_where_a_kernel_is_lost_before_the_next_begins(
    course, monkeypatch
):
    original, runs = ExecuteHere.execute_cell, itertools.count()

    def execute_cell(self, cell, index, **kwargs):
        if next(runs) == 5:  # the parts behind the one that killed, asked in a fresh kernel
            raise DeadKernelError("Kernel died")
        return original(self, cell, index, **kwargs)

    monkeypatch.setattr(ExecuteHere, "execute_cell", execute_cell)
    found, _ = earned(course, True)
    assert found[:2] == [1, 1]


def test_messages_are_put_together_whatever_is_sent():
    sent = []
    socket = type("Socket", (), {"sendall": staticmethod(sent.append)})
    sender = wire.Sender().connect(socket)
    assembler = wire.Assembler(200_000)

    def received(parts):
        del sent[:]
        sender.send(wire.IOPUB, parts)
        return [assembler.add(packet) for packet in sent]

    received([b"a" * 100_000])
    unfinished = sent[:2]
    assert not any(assembler.add(packet) for packet in (b"", b"junk" * 9, *unfinished))
    parts = [b"b" * 100_000, b"", b"c"]
    assert received(parts) == [None, None, (wire.IOPUB, parts)]
    assert not any(received([b"d" * 300_000]))
    assert assembler.dropped == 1
