import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from tinytorch.checks.observe import OBSERVATION_TYPE
from tinytorch.tito.errors import TitoError
from tinytorch.tito.grading import kernel
from tinytorch.tito.grading.cells import flags
from tinytorch.tito.grading.execute import ExecuteSubmission

from .conftest import REPOSITORY, named

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


def is_gone(pid: int) -> bool:
    """Whether a process ends within a second; one that nobody has waited for has ended too."""
    for _ in range(50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_cell_that_raises_does_not_stop_the_next_one():
    nb = run("a = 1", "1 / 0", "print(a)")
    assert errors(nb.cells[1]) == ["ZeroDivisionError"]
    assert text(nb.cells[2]) == "1\n"
    assert flags(nb) == []


def test_after_a_kernel_died_the_next_cells_run_in_the_state_before():
    nb = run(
        "import os; a = 1; print(os.getpid())",
        # The pause lets the messages leave: what is still in the process dies with it.
        "import time; print('last words', flush=True); time.sleep(0.5); os._exit(1)",
        "print(a, os.getpid())",
    )
    assert text(nb.cells[1]) == "last words\n"
    assert errors(nb.cells[1]) == ["KernelDied"]
    a, fresh = text(nb.cells[2]).split()
    assert a == "1"
    assert text(nb.cells[0]).strip() != fresh, "what the first kernel showed stays"
    assert flags(nb) == ["the kernel died while it ran this cell: a cell at the beginning"]


def test_exit_costs_no_other_cell():
    nb = run("a = 1", "exit()", "print(a)", "print(a + 1)")
    assert [text(cell) for cell in nb.cells[2:]] == ["1\n", "2\n"]


def test_a_loop_that_ignores_interrupts_is_killed_and_the_notebook_goes_on():
    began = time.monotonic()
    nb = run("a = 1", DEAF, "print(a)", timeout=1, grace=1.0)
    assert time.monotonic() - began < 10
    assert text(nb.cells[1]) == "before\n"
    assert errors(nb.cells[1]) == ["KernelHung"]
    assert text(nb.cells[2]) == "1\n"


def test_an_endless_loop_is_stopped_and_keeps_its_kernel():
    nb = run("a = 1", "while True: pass", "print(a)", timeout=1)
    assert "CellTimeoutError" in errors(nb.cells[1])
    assert text(nb.cells[2]) == "1\n"
    assert flags(nb) == ["stopped after 1 s: a cell at the beginning"]


def test_graded_and_broken_cells_do_not_run_again_in_a_fresh_kernel(tmp_path):
    count = f"open({str(tmp_path / 'count')!r}, 'a').write('x')"
    nb = run(graded(count), "import os; os._exit(1)", "import os; os._exit(1)", "print('end')")
    assert (tmp_path / "count").read_text() == "x"
    assert text(nb.cells[3]) == "end\n"


def test_too_many_lost_kernels_end_the_notebook():
    deadly = "import os; os._exit(1)"
    nb = run(deadly, deadly, deadly, "print('never')", max_restarts=1)
    assert [errors(cell) for cell in nb.cells] == [["KernelDied"]] * 2 + [["NotRun"]] * 2
    assert flags(nb)[-1] == "some cells were not run: 2 kernels were lost"


def test_the_limit_of_the_whole_notebook_ends_it():
    began = time.monotonic()
    nb = run("import time; time.sleep(60)", "print('never')", submission_timeout=1.5)
    assert time.monotonic() - began < 10
    assert "CellTimeoutError" in errors(nb.cells[0])
    assert errors(nb.cells[1]) == ["NotRun"]


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


def test_a_flood_of_figures_leaves_the_observations():
    observation = f"display({{{OBSERVATION_TYPE!r}: {{'version': 1}}}}, raw=True)"
    nb = run(f"for i in range(50): display('x' * 100_000)\n{observation}", max_output=100_000)
    outputs = [o for o in nb.cells[0].outputs if o.output_type == "display_data"]
    assert 0 < len(outputs) < 15
    assert OBSERVATION_TYPE in outputs[-1].data


def test_a_cell_cannot_change_what_another_one_shows():
    nb = run(
        "h = display('one', display_id='d')",
        "from IPython.display import update_display\nupdate_display('two', display_id='d')",
    )
    assert nb.cells[0].outputs[0].data["text/plain"] == "'one'"


def test_a_kernel_leaves_no_process_and_no_folder(tmp_path):
    nb = run(
        "import os, subprocess, sys\nprint(os.getcwd())",
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid)",
        "os.mkdir('locked'); open('locked/file', 'w').close(); os.chmod('locked', 0)",
    )
    assert not os.path.exists(text(nb.cells[0]).strip())
    assert is_gone(int(text(nb.cells[1])))


def test_a_kernel_that_died_leaves_no_process():
    nb = run(
        "import os, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True); import time; time.sleep(0.3); os._exit(1)",
    )
    assert is_gone(int(text(nb.cells[0])))


def test_a_kernel_sees_no_secret_of_the_environment(monkeypatch):
    monkeypatch.setenv("COURSE_TOKEN", "secret")
    nb = run("import os; print(sorted(os.environ))", "print(os.path.expanduser('~'))")
    assert "COURSE_TOKEN" not in text(nb.cells[0])
    assert text(nb.cells[1]).startswith("/tmp/tito-")


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
    assert text(nb.cells[1]).startswith(str(tmp_path))


def test_nothing_of_the_checkout_can_be_imported():
    nb = run("import tests.tito.grading.conftest", "import sys; print(sys.path)")
    assert errors(nb.cells[0]) == ["ModuleNotFoundError"]
    assert repr(str(REPOSITORY)) not in text(nb.cells[1])


def test_nor_through_the_import_hook_of_an_editable_install(tmp_path):
    kernel.prepare_scratch(tmp_path / "s")
    hook = (
        "import sys\n"
        "class Finder: __module__ = '__editable___tinytorch_0_finder'\n"
        "sys.meta_path.append(Finder)\n"
        "import sitecustomize, importlib; importlib.reload(sitecustomize)\n"
        "print(Finder in sys.meta_path)"
    )
    done = subprocess.run(
        [sys.executable, "-c", hook],
        env=kernel.environment(tmp_path / "s"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"


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
