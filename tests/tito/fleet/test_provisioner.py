"""The provisioner that forks: any client of Jupyter has forked kernels, as well held as started."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from textwrap import dedent

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tito.errors import TitoError
from tito.kernels import forking
from tito.kernels.forking import ZEROMQ
from tito.kernels.manager import zygote_for

# The same kernels are held to the same: these tests run here with forks.
from ..sandbox.conftest import package, start  # noqa: F401
from ..sandbox.test_provisioner import (  # noqa: F401
    running,
    test_a_fork_bomb_meets_its_limit_and_the_kernel_goes_on,
    test_a_loop_is_interrupted,
    test_a_notebook_runs_with_numpy_figures_and_the_package_but_not_the_reference,
    test_a_sandbox_that_does_not_start_leaves_nothing_open,
    test_a_sandbox_that_does_not_start_says_why,
    test_folders_are_bounded,
    test_links_in_the_place_of_the_kernels_sockets_do_not_lead_out,
    test_nothing_of_the_instructors_is_in_sight,
    test_one_sandbox_leaves_nothing_to_the_next,
    test_stopping_leaves_neither_processes_nor_files,
    test_the_kernel_dies_with_the_process_that_started_it,
    test_the_watchdog_kills_for_the_memory_of_all_processes_together,
    test_the_watchdog_kills_for_too_many_files,
    test_the_watchdog_kills_for_too_many_sockets,
    wait_for,
)

#: What a cell can see of where it runs.
SURROUNDINGS = [
    "import os, sys; os.getcwd(), os.getuid(), sys.argv[1:], sys.flags, os.getpid()",
    "[path for path in sys.path if not path or os.path.exists(path) and os.listdir(path)[1:]]",
    "open('helper.py', 'w').write('x = 1'); import helper; helper.x",
    "own = {'LD_LIBRARY_PATH', 'PYDEVD_USE_FRAME_EVAL'}  # of the interpreter, of the debugger\n"
    "[(name, os.environ[name]) for name in sorted({*os.environ} - own)]",
    "import threading; sorted(one.name.rpartition('(')[2] for one in threading.enumerate())",
    "import resource as r; [r.getrlimit(n) for n in range(r.RLIM_NLIMITS)]",
    "import signal; [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)]",
    "lines = open('/proc/self/status').read().splitlines()\n"
    "[line for line in lines if line.startswith(('Cap', 'NoNew', 'Seccomp', 'Groups', 'Uid'))]",
    "[(line.split()[1], line.split()[2].split(',')[0]) for line in open('/proc/self/mounts')]",
    "%matplotlib inline\nimport matplotlib.pyplot as plt; plt.plot([1, 2]);",
    "%history -n",
    "1 / 0",
]


@pytest.fixture
def provisioner() -> str:
    return "tinytorch-fork"


def manager_of(folder: Path, provisioner: str, argv: list[str] | None = None, **config):
    """Return Jupyter's own manager of a kernel that a kernelspec on the disk describes."""
    python = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    metadata = {"kernel_provisioner": {"provisioner_name": provisioner, "config": config}}
    spec = {"argv": argv or python, "display_name": "a", "language": "python"}
    (folder / provisioner).mkdir(exist_ok=True)
    text = json.dumps({**spec, "interrupt_mode": "message", "metadata": metadata})
    (folder / provisioner / "kernel.json").write_text(text)
    specs = KernelSpecManager(kernel_dirs=[str(folder)], ensure_native_kernel=False)
    return AsyncKernelManager(kernel_name=provisioner, kernel_spec_manager=specs)


def executed(manager, *sources):
    nb = new_notebook(cells=[new_code_cell(source, id=f"{n}") for n, source in enumerate(sources)])
    NotebookClient(nb, km=manager, allow_errors=True).execute(cleanup_kc=True)
    return nb


def parents(pid: int) -> list[int]:
    """Return the parent of a process, its parent, and so on."""
    found: list[int] = []
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        found.append(pid)
    return found


def test_jupyters_own_client_sees_no_difference(tmp_path, provisioner):
    started = executed(manager_of(tmp_path, "tinytorch-sandbox"), *SURROUNDINGS)
    forked = executed(manager_of(tmp_path, provisioner), *SURROUNDINGS)
    outputs = [[nbformat.from_dict(cell.outputs) for cell in nb.cells] for nb in (started, forked)]
    for ours, theirs, source in zip(*outputs, SURROUNDINGS, strict=True):
        assert ours == theirs, source


def test_kernels_are_forks_of_one_process_each_in_its_own_namespaces(start):  # noqa: F811
    first, second = start(), start(limits={"entries": 1000})
    zygote = parents(first.provisioner.pid)[1]
    assert parents(second.provisioner.pid)[1] == zygote
    assert b"zygote.py" in Path(f"/proc/{zygote}/cmdline").read_bytes()
    assert parents(zygote)[0] == os.getpid()
    for kind in ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts"):
        own = {
            os.readlink(f"/proc/{pid}/ns/{kind}")
            for pid in (zygote, first.provisioner.pid, second.provisioner.pid)
        }
        assert len(own) == 3, kind


def test_a_kernel_holds_no_socket_that_leads_elsewhere(start):  # noqa: F811
    look = """
        import os, socket
        known = "".join(open(f"/proc/net/{name}").read() for name in ("unix", "tcp"))
        names = []
        for number in map(int, os.listdir("/proc/self/fd")):
            path = f"/proc/self/fd/{number}"
            link = os.readlink(path) if os.path.lexists(path) else ""
            if link.startswith("socket:") and link[8:-1] not in known:
                names.append(socket.socket(fileno=os.dup(number)).getsockname())
        # Those of clients, who stand outside, and have connected.
        print({name.rpartition("-")[0] for name in names})
        """
    assert start().run(dedent(look)) == "{'/run/kernel/k'}"


def test_a_killed_zygote_costs_a_new_one_and_no_kernel(start):  # noqa: F811
    first = start()
    zygote = parents(first.provisioner.pid)[1]
    os.kill(zygote, signal.SIGKILL)
    second = start()
    assert parents(second.provisioner.pid)[1] != zygote
    assert (first.run("print('one')"), second.run("print('two')")) == ("one", "two")


def test_a_zygote_that_is_lost_while_it_forks_is_replaced(start, package, monkeypatch):  # noqa: F811
    start().stop()
    os.kill(zygote_for(str(package), "", ZEROMQ).pid, signal.SIGSTOP)
    monkeypatch.setattr(forking, "_FORK_SECONDS", 0.5)
    assert start().run("print('there')") == "there"


def test_a_kernel_that_ends_takes_its_sandbox_along_and_starts_again(start):  # noqa: F811
    kernel = start()
    kernel.run("import subprocess; subprocess.Popen(['sleep', '76543'], start_new_session=True)")
    kernel.client.execute("import os; os._exit(1)")
    assert wait_for(lambda: not kernel.manager.is_alive())
    assert wait_for(lambda: not running("sleep 76543"))
    kernel.client.stop_channels()
    kernel.manager.restart_kernel(now=True)
    kernel.client = kernel.manager.client()
    kernel.client.start_channels()
    kernel.client.wait_for_ready(timeout=20)
    assert kernel.run("print('again')") == "again"


def test_a_kernel_that_is_asked_to_ends_by_itself_and_leaves_nothing(tmp_path, provisioner):
    async def run():
        manager = manager_of(tmp_path, provisioner)
        await manager.start_kernel()
        client = manager.client()
        client.start_channels()
        await client.wait_for_ready(timeout=20)
        reply = await client.shutdown(reply=True, timeout=5)
        client.stop_channels()
        folder, pid = Path(manager.ip).parents[1], manager.provisioner.pid
        await manager.shutdown_kernel()
        assert reply["content"]["status"] == "ok"
        assert not folder.exists() and not Path(f"/proc/{pid}/exe").exists()

    open_files = []
    for _ in range(2):
        asyncio.run(run())
        open_files.append(len(os.listdir("/proc/self/fd")))
    assert open_files[0] == open_files[1]


@pytest.mark.parametrize(
    ("config", "argv", "why"),
    [
        ({"level": "limits"}, None, "level is 'limits'; .*tinytorch-sandbox"),
        ({}, ["/bin/sh", "{connection_file}"], "starts '/bin/sh .*tinytorch-sandbox"),
    ],
)
def test_what_cannot_be_forked_is_refused(tmp_path, provisioner, config, argv, why):
    manager = manager_of(tmp_path, provisioner, argv, **config)
    with pytest.raises(TitoError, match=why):
        asyncio.run(manager.start_kernel())
    asyncio.run(manager.provisioner.cleanup())
