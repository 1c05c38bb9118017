import asyncio
import itertools
import shutil
import tempfile
import time
from pathlib import Path

import pytest
from jupyter_client.provisioning import LocalProvisioner
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from tests.tito.small_course import named, own_folders
from tito.autograde import runner
from tito.autograde.execute import ExecuteSubmission
from tito.course.cells import flags
from tito.errors import TitoError
from tito.kernels import started as kernel
from tito.kernels.started import GradingKernelManager
from tito.sandbox import Isolation, levels

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


def run(*sources: str | NotebookNode, package: Path | None = None, **traits: object):
    """Run cells; return the notebook."""
    cells = [new_code_cell(s) if isinstance(s, str) else s for s in sources]
    execute = ExecuteSubmission(**traits)
    resources = {"nbgrader": {"assignment": "08_optimizers"}}
    nb, _ = execute.preprocess(new_notebook(cells=cells), resources)
    return nb


def text(cell: NotebookNode) -> str:
    return "".join(o.get("text", "") for o in cell.outputs if o.output_type == "stream")


def errors(cell: NotebookNode) -> list[str]:
    return [o.ename for o in cell.outputs if o.output_type == "error"]


def graded(source: str) -> NotebookNode:
    return named(new_code_cell(source), "test-it", grade=True, locked=True, points=1)


def running(marker: str) -> bool:
    """Whether a process with a text in its command line lives longer than ten seconds."""
    for _ in range(500):
        lines = [read(path) for path in Path("/proc").glob("[0-9]*/cmdline")]
        if not any(marker in line for line in lines):
            return False
        time.sleep(0.02)
    return True


def read(path: Path) -> str:
    try:
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:  # it ended meanwhile
        return ""


def test_a_cell_that_raises_does_not_stop_the_next_one():
    nb = run("a = 1", "1 / 0", "print(a)")
    assert errors(nb.cells[1]) == ["ZeroDivisionError"]
    assert text(nb.cells[2]) == "1\n"
    assert flags(nb) == []


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


#: A kernel that is asked to end goes on for a while, as on a busy machine.
LINGERS = """
later = get_ipython().kernel.io_loop.call_later
get_ipython().kernel.io_loop.call_later = lambda seconds, *what: later(1.5, *what)
"""


@pytest.mark.parametrize("before", ["pass", LINGERS], ids=["at once", "later"])
def test_exit_costs_no_other_cell(before):
    slow = "import time; time.sleep(0.4); print(a)"
    nb = run(before, "a = 1", "exit()", slow, slow, slow, slow, slow)
    assert errors(nb.cells[2]) == ["KernelEnded"]
    assert [text(cell) for cell in nb.cells[3:]] == ["1\n"] * 5
    assert flags(nb) == ["this cell ended the kernel: a cell at the beginning"]


def test_a_kernel_that_is_kept_is_not_lost():
    nb = run("a = 1", "exit(keep_kernel=True)", "print(a)")
    assert text(nb.cells[2]) == "1\n" and flags(nb) == []


def test_a_loop_that_ignores_interrupts_is_killed_and_the_notebook_goes_on():
    nb = run("a = 1", DEAF, "print(a)", timeout=1, grace=1.0)
    assert text(nb.cells[1]) == "before\n"
    assert errors(nb.cells[1]) == ["KernelHung"]
    assert text(nb.cells[2]) == "1\n"


def test_an_error_that_cannot_be_shown_does_not_take_the_time_of_its_cell():
    mute = "class E(Exception):\n    def __str__(self): raise self\n    __repr__ = __str__\nraise E"
    nb = run("a = 1", mute, "print(a)", grace=0.5)
    assert errors(nb.cells[1])[-1] == "NoReply" and text(nb.cells[2]) == "1\n"
    assert not [flag for flag in flags(nb) if flag.startswith("stopped after")]


def test_an_endless_loop_is_stopped_and_keeps_its_kernel():
    nb = run("a = 1", "while True: pass", "print(a)", timeout=1)
    assert "CellTimeoutError" in errors(nb.cells[1])
    assert text(nb.cells[2]) == "1\n"
    assert flags(nb) == ["stopped after 1 s of processor time: a cell at the beginning"]


def test_graded_and_broken_cells_do_not_run_again_in_a_fresh_kernel(monkeypatch):
    original, runs = ExecuteSubmission.execute_cell, []

    def execute_cell(self, cell, index, **kwargs):
        runs.append(index)
        return original(self, cell, index, **kwargs)

    monkeypatch.setattr(ExecuteSubmission, "execute_cell", execute_cell)
    # The pause lets the kernel say that it began; without that the cell before is suspected too.
    deadly = "import os, time; time.sleep(0.3); os._exit(1)"
    nb = run("a = 1", graded("print('x')"), deadly, deadly, "print(a)")
    assert runs == [0, 1, 2, 0, 3, 0, 4]
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


def test_the_time_that_a_kernel_takes_to_start_is_not_the_notebooks(monkeypatch):
    start = ExecuteSubmission._start

    def start_slowly(self):
        time.sleep(2)
        start(self)

    monkeypatch.setattr(ExecuteSubmission, "_start", start_slowly)
    nb = run("print(1)", "print(2)", submission_timeout=2)
    assert [text(cell) for cell in nb.cells] == ["1\n", "2\n"]


@pytest.mark.parametrize(
    "flood",
    [
        "for i in range(200_000): print('line', i)",
        "for i in range(10_000): print(i, flush=True)",
        "print('x' * 20_000_000)",
        "raise ValueError('x' * 2_000_000)",
    ],
    ids=["lines", "flushes", "one-line", "traceback"],
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


@pytest.fixture
def level(monkeypatch, request):
    """Grade in isolation of a level, though this machine gives more."""
    found = Isolation(request.param, ("something",), user=1)
    monkeypatch.setattr(runner, "_chosen", lambda *asked: found)
    return request.param


@pytest.fixture
def temporary(monkeypatch):
    """A folder of its own for temporary files, with a short name as sockets need."""
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="t-"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("level", ["full", "limits", "none"], indirect=True)
def test_kernels_leave_no_process_and_no_folder(level, temporary):
    child = f"import subprocess; subprocess.Popen(['sleep', '{time.time_ns() % 10**8}.5'])"
    nb = run(
        f"{child}\nprint('last words', flush=True); import os, time; time.sleep(0.3); os._exit(1)",
        f"{child}\nimport os; os.mkdir('locked')\n"
        "open('locked/file', 'w').close(); os.chmod('locked', 0)",
    )
    assert text(nb.cells[0]) == "last words\n" and errors(nb.cells[1]) == []
    assert not running(child.split("'")[3])
    assert list(temporary.iterdir()) == []
    assert nb.metadata.tinytorch.isolation.level == level


@pytest.mark.parametrize("level", ["full", "limits"], indirect=True)
def test_a_kernel_sees_nothing_of_the_instructors(level, monkeypatch):
    monkeypatch.setenv("COURSE_TOKEN", "secret")
    nb = run(
        "import os; print('COURSE_TOKEN' in os.environ, os.path.expanduser('~') == os.getcwd())",
        "import tests.tito.small_course",
        "import tito",
    )
    assert text(nb.cells[0]) == "False False\n"
    assert [errors(cell) for cell in nb.cells[1:]] == [["ModuleNotFoundError"]] * 2


def test_the_module_under_test_cannot_be_imported(tmp_path):
    package = tmp_path / "08_optimizers" / "tinytorch" / "core"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    nb = run(
        "import tinytorch; from tinytorch.core.optimizers import SGD",
        "print(tinytorch.__file__)",
        packages=str(tmp_path),
    )
    assert errors(nb.cells[0]) == ["ModuleNotFoundError"]
    assert text(nb.cells[1]) == "/course/tinytorch/__init__.py\n"


def test_a_limit_of_the_sandbox_is_named_where_it_was_hit():
    many = "import socket, time; s = [socket.socketpair() for _ in range(40)]; time.sleep(9)"
    nb = run("a = 1", many, "print(a)")
    assert errors(nb.cells[1]) == ["LimitHit"] and text(nb.cells[2]) == "1\n"
    assert flags(nb) == [
        "limit hit: it opened more than 40 sockets: a cell at the beginning",
    ]


def test_less_isolation_than_was_accepted_runs_no_code(monkeypatch):
    weak = Isolation("limits", ("reads files in /home/ada",))
    monkeypatch.setattr(levels, "examine", lambda **_: weak)
    monkeypatch.setattr(GradingKernelManager, "start_kernel", None)
    runner._chosen.cache_clear()
    with pytest.raises(TitoError, match="(?s)files in /home/ada.*--isolation limits"):
        run("print('never')", isolation="partial")
    runner._chosen.cache_clear()


@pytest.mark.parametrize("name", ["local-provisioner", "no-such-provisioner"])
def test_a_kernel_outside_the_sandbox_is_not_started(name, monkeypatch):
    spec = GradingKernelManager.kernel_spec.fget

    def elsewhere(self):
        made = spec(self)
        made.metadata["kernel_provisioner"] = {"provisioner_name": name}
        return made

    monkeypatch.setattr(GradingKernelManager, "kernel_spec", property(elsewhere))
    monkeypatch.setattr(LocalProvisioner, "launch_kernel", None)
    with pytest.raises(TitoError, match="no student's code was run|make setup"):
        run("print('never')")


@pytest.mark.parametrize(
    ("asked", "other"),
    [
        ({}, {"launch": "start"}),
        ({"launch": "start"}, {}),
        ({}, {"isolation": "partial"}),
        ({"launch": "start"}, {"launch": "start", "isolation": "partial"}),
    ],
)
def test_another_provisioner_or_one_of_another_level_is_not_used(asked, other, monkeypatch):
    manager, spec = GradingKernelManager(**asked), GradingKernelManager(**other).kernel_spec
    monkeypatch.setattr(GradingKernelManager, "kernel_spec", spec)
    monkeypatch.setattr(LocalProvisioner, "launch_kernel", None)
    before = own_folders()
    with pytest.raises(TitoError, match="no student's code was run"):
        asyncio.run(manager.start_kernel())
    assert own_folders() == before


def test_a_connection_file_that_cannot_be_written_leaves_no_folder(monkeypatch):
    manager, before = GradingKernelManager(), own_folders()
    refused = property(lambda self: 1 / 0)
    monkeypatch.setattr(GradingKernelManager, "session", refused)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(manager.start_kernel())
    assert own_folders() == before


def test_forks_that_are_asked_for_and_less_held_run_no_code(monkeypatch):
    monkeypatch.setattr(kernel, "fork_is_isolated", lambda leaks: False)
    assert provisioner_of(GradingKernelManager()) == "tinytorch-sandbox"
    with pytest.raises(TitoError, match="set it to 'auto'"):
        provisioner_of(GradingKernelManager(launch="fork"))


def test_a_kernel_that_has_died_is_not_waited_for():
    async def end_one():
        manager = GradingKernelManager(launch="fork")
        await manager.start_kernel()
        client = manager.client()
        client.start_channels()
        await client.wait_for_ready(timeout=20)
        client.execute("import os; os._exit(1)")
        try:
            await client.wait_for_ready(timeout=20)
        finally:
            client.stop_channels()
            await manager.shutdown_kernel(now=True)

    with pytest.raises(RuntimeError, match="died before it answered"):
        asyncio.run(end_one())


def provisioner_of(manager):
    return manager.kernel_spec.metadata["kernel_provisioner"]["provisioner_name"]


@pytest.fixture
def die(monkeypatch):
    """Let the kernel die before some runs of cells begin, by their number."""

    def at(*fatal: int) -> None:
        original, runs = ExecuteSubmission.execute_cell, itertools.count()

        def execute_cell(self, cell, index, **kwargs):
            if next(runs) in fatal:
                raise DeadKernelError("Kernel died")
            return original(self, cell, index, **kwargs)

        monkeypatch.setattr(ExecuteSubmission, "execute_cell", execute_cell)

    return at


def test_where_a_cell_runs_without_the_one_before_that_one_ended_the_kernel(die):
    die(1)
    nb = run("print('first')", "print('second')")
    assert errors(nb.cells[0]) == ["KernelDied"]
    assert text(nb.cells[1]) == "second\n" and errors(nb.cells[1]) == []
    assert flags(nb) == ["the kernel died after this cell: a cell at the beginning"]


def test_where_a_cell_dies_again_the_one_before_is_innocent_and_runs_again(die):
    die(1, 2)
    nb = run("a = 1", "print('second')", "print(a)")
    assert [errors(cell) for cell in nb.cells] == [[], ["KernelDied"], []]
    assert text(nb.cells[2]) == "1\n"
    assert flags(nb) == ["the kernel died while it ran this cell: a cell at the beginning"]


def test_without_the_package_before_the_module_nothing_runs(tmp_path):
    with pytest.raises(TitoError, match="tito release 08_optimizers"):
        run("1", packages=str(tmp_path))
