"""What a cell can see and reach from where it runs: little, and the same in either kernel."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from textwrap import dedent

import pytest

from tests.tito.sandbox.starting import SLEEP, held_by_this_process, sleeping, wait_for
from tito.sandbox.watchdog import tree

from .conftest import limits, make, run, text

#: What a cell can see of where it runs.
SURROUNDINGS = [
    "import os, sys; os.getcwd(), os.getuid(), sys.argv, sys.flags, os.getpid(), os.getsid(0)",
    "[path for path in sys.path if not path or os.path.exists(path) and os.listdir(path)[1:]]",
    "open('helper.py', 'w').write('x = 1'); import helper; helper.x",
    "own = {'LD_LIBRARY_PATH'}  # of the interpreter\n"
    "[(name, os.environ[name]) for name in sorted({*os.environ} - own)]",
    "import threading; sorted(one.name for one in threading.enumerate())",
    "import resource as r; [r.getrlimit(n) for n in range(r.RLIM_NLIMITS)]",
    "import signal; [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)]",
    "lines = open('/proc/self/status').read().splitlines()\n"
    "[line for line in lines if line.startswith(('Cap', 'NoNew', 'Seccomp', 'Groups', 'Uid'))]",
    "[(line.split()[1], line.split()[2].split(',')[0]) for line in open('/proc/self/mounts')\n"
    " if not line.split()[1].startswith('/run/tito/')]  # where the started one's program lies",
    "get_ipython().ipython_dir, get_ipython().profile_dir.location",
    "sorted(name for name in sys.modules if 'tito' in name)",
    "%matplotlib inline\nimport matplotlib.pyplot as plt; plt.plot([1, 2]);",
    "%history -n",
    "1 / 0",
]


def test_a_forked_kernel_and_a_started_one_look_the_same():
    forked, started = run("forked", *SURROUNDINGS), run("started", *SURROUNDINGS)
    for ours, theirs, source in zip(forked, started, SURROUNDINGS, strict=True):
        assert ours.outputs == theirs.outputs, source


def test_cells_run_with_numpy_figures_and_the_package_but_not_the_reference(start):
    kernel = start()
    ones = "import numpy as np; print(np.ones((64, 64)) @ np.ones(64) @ np.ones(64))"
    assert text(kernel.run(ones, limits())) == "4096.0\n"
    figure = kernel.run("import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()", limits())
    assert "image/png" in figure.outputs[-1].data
    tensor = "from tinytorch.core.tensor import Tensor; print(Tensor(1.5).item())"
    assert text(kernel.run(tensor, limits())) == "1.5\n"
    for module in ("tinytorch.core.optimizers", "tito", "tito.kernels", "outputs"):
        assert text(kernel.run(f"import {module}", limits())) == "ModuleNotFoundError"


def test_nothing_of_the_instructors_is_in_sight(start, monkeypatch):
    monkeypatch.setenv("SECRET", "of the instructor")
    kernel = start()
    look = "import os; print('SECRET' in os.environ, len(os.environ) < 45)"
    assert text(kernel.run(look, limits())) == "False True\n"
    look = "print(os.listdir('/home'), os.getcwd())"
    assert text(kernel.run(look, limits())) == "['student'] /home/student/work\n"
    look = "print(sorted(p for p in os.listdir('/proc') if p.isdigit()))"
    assert text(kernel.run(look, limits())) == "['1', '2']\n"
    # Where the environment itself lies below /tmp, the way to it is there.
    way = [Path(sys.prefix).parts[2]] if sys.prefix.startswith("/tmp/") else []
    look = "print([name for name in os.listdir('/tmp') if name[0] != 'p'])"
    assert text(kernel.run(look, limits())) == f"{way}\n"


def test_a_kernel_holds_one_socket_and_it_leads_to_the_grader(start):
    look = """
        import os
        links = (os.readlink(path) for n in os.listdir("/proc/self/fd")
                 if os.path.lexists(path := f"/proc/self/fd/{n}"))
        kinds = [link.partition(":")[0] for link in links]
        # Beside those of the event loop's own, which are in the sandbox's list.
        known = "".join(open(f"/proc/net/{name}").read() for name in ("unix", "tcp"))
        links = (os.readlink(f"/proc/self/fd/{n}") for n in range(3, 64)
                 if os.path.lexists(f"/proc/self/fd/{n}"))
        print(len([one for one in links if one[:7] == "socket:" and one[8:-1] not in known]))
        """
    assert text(start().run(dedent(look), limits())) == "1\n"


def test_one_sandbox_leaves_nothing_to_the_next(start):
    leave = "import os\nfor f in ('~/.x', '/tmp/x', '/dev/shm/x', 'x.py'):\n"
    kernel = start()
    kernel.run(
        leave + "    open(os.path.expanduser(f), 'w').close()\nprint(os.listdir())", limits()
    )
    kernel.run("import builtins; builtins.left = 1", limits())
    kernel.restart()
    look = "    print(os.path.exists(os.path.expanduser(f)), end=' ')"
    assert text(kernel.run(leave + look, limits())) == "False False False False "
    assert text(kernel.run("left", limits())) == "NameError"


#: Opens what belongs to the first process, and signals it as far as that is allowed.
REACH = """
import os, signal, time, warnings
warnings.simplefilter("ignore")  # from Python 3.12 on a fork beside threads is warned of
opened = []
for name in ("mem", "fd/0", "fd/1", "environ", "maps", "root", "cwd", "oom_score_adj"):
    for flags in (os.O_RDWR, os.O_WRONLY) + (() if "oom" in name else (os.O_RDONLY,)):
        try:
            opened.append((name, os.open(f"/proc/1/{name}", flags | os.O_NONBLOCK)))
        except OSError:
            pass
for number in signal.Signals:
    os.kill(1, number)
if os.fork() == 0:  # a child that nobody waits for
    if os.fork():
        os._exit(0)
    time.sleep(0.1)
    os._exit(0)
time.sleep(0.3)
print(opened)
"""


def test_nothing_in_a_sandbox_reaches_or_ends_its_first_process(start):
    kernel = start()
    assert text(kernel.run(REACH, limits())) == "[]\n"
    assert text(kernel.run("1", limits())) == "1"


@pytest.mark.parametrize("way", ["forked", "started", "limits", "none"])
def test_closing_leaves_neither_processes_nor_files(way, tmp_path, monkeypatch):
    make(way).close()  # what is made once, is made
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = held_by_this_process()
    daemon = f"import subprocess; subprocess.Popen({SLEEP})"
    with closing(make(way)) as kernel:
        kernel.run(daemon, limits())
        assert wait_for(sleeping)
        locked = (
            "import os; os.mkdir('locked'); open('locked/x', 'w').close(); os.chmod('locked', 0)"
        )
        assert kernel.run(f"{locked}; os._exit(1)", limits()).ename == "KernelDied"
    assert held_by_this_process() <= before
    assert sleeping() == []
    assert list(tmp_path.iterdir()) == []


def lives(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_a_kernel_dies_with_the_process_that_began_it(way):
    code = f"""
        import time
        from tests.tito.kernels.conftest import limits, make
        kernel = make({way!r})
        kernel.run("import os, subprocess; subprocess.Popen({SLEEP})", limits())
        print("running", flush=True)
        time.sleep(60)
        """
    command = [sys.executable, "-c", dedent(code)]
    left = Path(tempfile.mkdtemp(prefix="t-", dir="/tmp"))
    env, root = {**os.environ, "TMPDIR": str(left)}, Path(__file__).parents[3]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, env=env) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"running\n"
        below = tree(parent.pid)[1:]
        assert len(below) >= 4 and sleeping()
        parent.kill()
    assert wait_for(lambda: not any(map(lives, below)))
    assert sleeping() == []
    shutil.rmtree(left)
