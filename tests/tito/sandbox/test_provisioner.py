"""Real kernels, started by jupyter_client from a kernelspec that asks for the sandbox."""

import contextlib
import errno
import gc
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from textwrap import dedent
from time import monotonic, sleep

import pytest

from tito.errors import NotStartedError, TitoError
from tito.sandbox import bubblewrap
from tito.sandbox.settings import MB
from tito.sandbox.watchdog import tree


def running(marker: str) -> list[str]:
    """Return the command lines on this machine that hold a text."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if marker in line and int(path.parent.name) != os.getpid():
            found.append(line)
    return found


def wait_for(condition, seconds=30.0):
    """Wait for what takes no time, on a machine that may have much else to do."""
    until = monotonic() + seconds
    while monotonic() < until:
        if condition():
            return True
        sleep(0.02)
    return False


def test_a_notebook_runs_with_numpy_figures_and_the_package_but_not_the_reference(start):
    kernel = start()
    assert kernel.run("import numpy as np; print(np.ones((64, 64)) @ np.ones(64) @ np.ones(64))")
    figure = "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()"
    assert "image/png" in kernel.run(figure)
    assert (
        kernel.run("from tinytorch.core.tensor import Tensor; print(Tensor(1.5).item())") == "1.5"
    )
    assert kernel.run("from tinytorch.core.optimizers import SGD") == "ModuleNotFoundError"
    assert kernel.run("import tito") == "ModuleNotFoundError"


def test_nothing_of_the_instructors_is_in_sight(start):
    kernel = start()
    assert kernel.run("import os; print('SECRET' in os.environ, len(os.environ) < 45)") == (
        "False True"
    )
    assert kernel.run("print(os.listdir('/home'), os.getcwd())") == (
        "['student'] /home/student/work"
    )
    assert kernel.run("print(sorted(p for p in os.listdir('/proc') if p.isdigit()))") == (
        "['1', '2']"
    )
    # Where the environment itself lies below /tmp, the way to it is there.
    way = [Path(sys.prefix).parts[2]] if sys.prefix.startswith("/tmp/") else []
    seen = "print([name for name in os.listdir('/tmp') if name[0] != 'p'])"
    assert kernel.run(seen) == str(way)


def test_one_sandbox_leaves_nothing_to_the_next(start):
    leave = "import os\nfor f in ('~/.x', '/tmp/x', '/dev/shm/x', 'x.py'):\n"
    first = start()
    first.run(leave + "    open(os.path.expanduser(f), 'w').close()\nprint(os.listdir())")
    first.stop()
    look = "    print(os.path.exists(os.path.expanduser(f)), end=' ')"
    assert start().run(leave + look) == "False False False False"


def test_the_watchdog_kills_for_the_memory_of_all_processes_together(start):
    kernel = start(limits={"memory": 300 * MB})
    several = """
        import os, time
        for _ in range(4):
            if os.fork() == 0:
                held = bytearray(100_000_000); time.sleep(60); os._exit(0)
        """
    kernel.client.execute(dedent(several))
    assert wait_for(lambda: kernel.provisioner.process.poll() is not None)
    assert "MB of memory; the limit is 300 MB" in kernel.provisioner.reason
    kernel.stop()
    assert "MB of memory" in kernel.provisioner.reason


def test_the_watchdog_kills_for_too_many_files(start):
    kernel = start(limits={"entries": 500})
    kernel.client.execute("for n in range(2000): open(f'{n}', 'w').close()\nimport time")
    kernel.client.execute("time.sleep(60)")
    assert wait_for(lambda: kernel.provisioner.process.poll() is not None)
    assert kernel.provisioner.reason == "it made more than 500 files in a folder"


def test_the_watchdog_kills_for_too_many_sockets(start):
    kernel = start()
    many = "import socket, time; s = [socket.socketpair() for _ in range(40)]; time.sleep(60)"
    kernel.client.execute(many)
    assert wait_for(lambda: kernel.provisioner.process.poll() is not None)
    assert kernel.provisioner.reason == "it opened more than 40 sockets"


def test_pages_that_processes_share_are_counted_once(start):
    kernel = start(limits={"memory": 400 * MB})
    shared = """
        import os, time
        held = bytearray(150_000_000)
        for _ in range(5):
            if os.fork() == 0:
                time.sleep(0.5); os._exit(0)
        for _ in range(5): os.wait()
        print("done")
        """
    assert kernel.run(dedent(shared)) == "done"
    assert kernel.provisioner.reason is None


def test_a_fork_bomb_meets_its_limit_and_the_kernel_goes_on(start):
    kernel = start()
    bomb = """
        import os, signal
        children = []
        try:
            while len(children) < 200:
                child = os.fork()
                if not child:
                    signal.pause()
                children.append(child)
        except BlockingIOError:
            print(len(children) < 64)
        for child in children: os.kill(child, 9); os.waitpid(child, 0)
        """
    assert kernel.run(dedent(bomb)) == "True"
    assert kernel.run("print('alive')") == "alive"


def test_folders_are_bounded(start):
    kernel = start(limits={"tmp_size": MB, "shm_size": MB, "home_size": MB})
    for folder in ("/tmp", "/dev/shm", "/home/student"):
        fill = f"""
            import os
            full = open({folder!r} + "/full", "wb", buffering=0)
            while True:
                full.write(bytes(100_000))
            """
        assert kernel.run(dedent(fill)) == "OSError"
        assert kernel.run(f"print(os.fstat(full.fileno()).st_size <= {MB})") == "True"


@pytest.mark.parametrize("how", ["message", "signal"])
def test_a_loop_is_interrupted(start, how):
    kernel = start()
    kernel.client.execute("print('begun', flush=True)\nwhile True: pass")
    assert wait_for(lambda: begun(kernel))
    if how == "message":
        kernel.manager.interrupt_kernel()
    else:
        kernel.manager.signal_kernel(signal.SIGINT)
    replies = iter(lambda: kernel.client.get_shell_msg(timeout=5)["content"], None)
    assert next(reply for reply in replies if "execution_count" in reply)["ename"] == (
        "KeyboardInterrupt"
    )
    # What was asked too soon after an error is not answered.
    assert wait_for(lambda: kernel.run("print('alive')") == "alive")


def begun(kernel):
    return "begun" in kernel.client.get_iopub_msg(timeout=5)["content"].get("text", "")


def test_stopping_leaves_neither_processes_nor_files(start):
    kernel = start()
    folder = Path(kernel.manager.ip).parents[1]
    assert sorted(path.name for path in folder.iterdir()) == ["kernel.json", "sockets"]
    daemon = """
        import os, subprocess
        if os.fork() == 0:
            os.setsid()
            subprocess.Popen(["sleep", "54321"], start_new_session=True)
            os._exit(0)
        """
    kernel.run(dedent(daemon))
    assert wait_for(lambda: running("sleep 54321"))
    kernel.stop()
    assert running("sleep 54321") == []
    assert not folder.exists()


def lives(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_the_kernel_dies_with_the_process_that_started_it(package, tmp_path, provisioner):
    code = f"""
        import time
        from pathlib import Path
        from tests.tito.sandbox.conftest import Kernel
        kernel = Kernel({provisioner!r}, Path({str(tmp_path)!r}), package={str(package)!r})
        kernel.run("import os, subprocess; subprocess.Popen(['sleep', '65432'])")
        print("running", flush=True)
        time.sleep(60)
        """
    command = [sys.executable, "-c", dedent(code)]
    root = Path(__file__).parents[3]
    # Killed like that it leaves its folder behind, which is to be found and has a short name.
    left = Path(tempfile.mkdtemp(prefix="t-", dir="/tmp"))
    env = {**os.environ, "TMPDIR": str(left)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, env=env) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"running\n"
        below = tree(parent.pid)[1:]
        assert len(below) >= 4 and running("sleep 65432")
        parent.kill()
    assert wait_for(lambda: not any(map(lives, below)))
    assert running("sleep 65432") == []
    shutil.rmtree(left)


def test_links_in_the_place_of_the_kernels_sockets_do_not_lead_out(start):
    folder = Path(tempfile.mkdtemp(prefix="t-", dir="/tmp"))
    folder.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "server"))
        server.listen()
        server.setblocking(False)
        kernel = start()
        swap = f"""
            import glob, os
            for path in glob.glob("/run/kernel/k-*"):
                os.unlink(path)
                os.symlink("{folder}/server", path)
            print(len(os.listdir("/run/kernel")))
            """
        assert kernel.run(dedent(swap)) == "5"
        kernel.client.stop_channels()
        kernel.client = kernel.manager.client()
        kernel.client.start_channels()
        kernel.client.wait_for_ready(timeout=10)
        assert kernel.run("print('still here')") == "still here"
        with pytest.raises(BlockingIOError):
            server.accept()
    shutil.rmtree(folder)


def test_a_sandbox_that_does_not_start_says_why(start, monkeypatch):
    joined = bubblewrap._joined
    monkeypatch.setattr(
        bubblewrap, "_joined", lambda args: joined([*args, "--ro-bind", "/no/such", "/no"])
    )
    with pytest.raises(TitoError, match="did not start a sandbox: .*/no/such"):
        start()


def break_start(monkeypatch, where: str, call: int = 1) -> None:
    """Let the start of a sandbox fail: bubblewrap itself, or a call of the system, by number."""
    if where == "bubblewrap":
        joined = bubblewrap._joined
        wrong = ["--ro-bind", "/no/such", "/no"]
        monkeypatch.setattr(bubblewrap, "_joined", lambda args: joined([*args, *wrong]))
        return
    module, name = {"Popen": subprocess, "pidfd_open": os, "readlink": os}[where], where
    original, calls = getattr(module, name), itertools.count(1)

    def refuse(*arguments, **more):
        # Links of the file system are read before anything is open.
        concerned = name != "readlink" or "/ns/" in str(arguments[0])
        if concerned and next(calls) >= call:
            raise OSError(errno.EMFILE, "Too many open files")
        return original(*arguments, **more)

    monkeypatch.setattr(module, name, refuse)


def held_by_this_process() -> tuple[int, list[int]]:
    """Count the open files of this process, and list the processes that it has started."""
    gc.collect()
    children = Path("/proc/self/task").glob("*/children")
    started = sorted(int(pid) for path in children for pid in path.read_text().split())
    return len(os.listdir("/proc/self/fd")), started


@pytest.mark.parametrize("where", ["bubblewrap", "Popen", "pidfd_open"])
def test_a_sandbox_that_does_not_start_leaves_nothing_open(start, monkeypatch, where):
    start().stop()  # what is made once, is made
    break_start(monkeypatch, where)
    found = []
    for _ in range(3):
        with pytest.raises((NotStartedError, OSError), match="did not start|Too many open files"):
            start()
        found.append(held_by_this_process())
    assert found[1:] == found[:-1]


def test_limits_without_a_sandbox_hold_for_the_kernel(start):
    kernel = start(level="limits", limits={"open_files": 200, "memory": 500 * MB})
    limits = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE))"
    assert kernel.run(limits) == "(200, 200)"
    kernel.client.execute("held = bytearray(600_000_000)\nimport time; time.sleep(60)")
    assert wait_for(lambda: kernel.provisioner.process.poll() is not None)
    assert "the limit is 500 MB" in kernel.provisioner.reason


def test_no_isolation_starts_a_plain_kernel(start):
    kernel = start(level="none")
    assert kernel.run("import os; print(os.getpid())") == str(kernel.provisioner.pid)
