"""What a cell may do and use, and how a kernel is lost."""

import os
import resource
import signal
from contextlib import closing
from textwrap import dedent
from time import monotonic, sleep

import pytest

from tito.sandbox.bubblewrap import limits_of
from tito.sandbox.settings import MB, Settings

from .conftest import WAYS, limits, make, text

#: Ignores whatever interrupts it.
DEAF = """
print("begun")
while True:
    try:
        while True: sum(range(1000))
    except BaseException:
        pass
"""


#: What the loop in a kernel does is the same however the kernel came to be.
forked_only = pytest.mark.parametrize("way", ["forked"])
OTHER_WAYS = ("started", "limits", "none")


def ended(lost) -> tuple[str, str, str]:
    return lost.ename, lost.reason, lost.blame


# Time -----------------------------------------------------------------------------------------


#: A cell, and the limit that stops it.
ENDLESS = [
    ("while True: pass", {"processor": 0.5}, "0.5 s of processor time"),
    ("import os; os.system('sleep 60')", {"wall": 0.5}, "0.5 s"),
    ("while True: print('x' * 5000)", {"processor": 0.5}, "0.5 s of processor time"),
    ("import time; time.sleep(60)", {"wall": 0.5}, "0.5 s"),
    ("import asyncio; await asyncio.sleep(60)", {"wall": 0.5}, "0.5 s"),
    ("import os; os.system('while :; do :; done')", {"processor": 0.5}, "0.5 s of processor"),
]


@pytest.mark.parametrize(
    ("way", "source", "given", "limit"),
    [("forked", *case) for case in ENDLESS]
    + [(way, *case) for way in OTHER_WAYS for case in ENDLESS[:2]],
)
def test_a_cell_is_stopped_at_its_limit_and_the_kernel_goes_on(start, source, given, limit):
    kernel = start()
    kernel.run("a = 1", limits())
    ran = kernel.run(source, limits(**given))
    assert ran.stopped.startswith(limit)
    assert text(kernel.run("a", limits())) == "1"


@forked_only
def test_a_task_that_outlives_its_cell_is_stopped_too(start):
    kernel = start()
    busy = "async def busy():\n    while True: pass\n"
    kernel.run(f"import asyncio\n{busy}t = asyncio.create_task(busy())", limits())
    lost = kernel.run("1", limits(processor=0.5))
    assert lost.ename == "KernelHung"
    kernel.restart()
    assert text(kernel.run("2", limits())) == "2"


@pytest.mark.parametrize("way", WAYS)
def test_a_cell_that_does_not_stop_costs_the_kernel_and_has_shown_what_it_printed(way):
    with closing(make(way, grace=0.5)) as kernel:
        lost = kernel.run(DEAF, limits(processor=0.5))
        what = "this cell took 0.5 s of processor time and could not be stopped"
        assert ended(lost) == ("KernelHung", what, "submission")
        assert text(lost) == "begun\n" and lost.has_begun and lost.processor >= 0.5
        kernel.restart()
        assert text(kernel.run("print('again')", limits())) == "again\n"


# Ends -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "end"),
    [
        *(("forked", end) for end in ("os.kill(os.getpid(), 9)", "os.closerange(0, 99)")),
        *((way, "os._exit(1)") for way in WAYS),
    ],
)
def test_a_kernel_that_dies_has_shown_what_it_displayed(start, end):
    kernel = start()
    lost = kernel.run(f"import os; print('a'); display('b'); {end}; import time", limits())
    what = "the kernel died while it ran this cell"
    assert ended(lost) == ("KernelDied", what, "unknown")
    assert text(lost) == "a\n'b'" and lost.has_begun


def test_a_death_is_seen_though_children_hold_the_socket(start):
    kernel = start()
    child = "import os, time\nif os.fork() == 0: time.sleep(60)\nelse: os._exit(1)"
    before = monotonic()
    assert kernel.run(child, limits()).ename == "KernelDied"
    assert monotonic() - before < 10


@forked_only
@pytest.mark.parametrize("end", ["exit()", "quit", "print('shown'); exit()"])
def test_a_cell_may_end_the_kernel_and_is_to_blame(start, end):
    kernel = start()
    lost = kernel.run(end, limits())
    assert ended(lost) == ("KernelEnded", "this cell ended the kernel", "submission")
    assert lost.execution_count == 1 and text(lost) == ("shown\n" if "shown" in end else "")
    assert kernel.run("1", limits()).has_begun is False


@forked_only
def test_a_kernel_that_dies_between_cells_has_not_begun_the_next(start):
    kernel = start()
    kernel.run("import os, threading; threading.Timer(0.2, os._exit, [1]).start()", limits())
    sleep(1)
    lost = kernel.run("print(1)", limits())
    assert (lost.ename, lost.has_begun, lost.outputs) == ("KernelDied", False, [])


def test_a_sandbox_that_is_killed_from_outside_is_the_machines_doing(start):
    kernel = start()
    os.kill(kernel.instance.watchdog.inner, signal.SIGKILL)
    lost = kernel.run("import time; time.sleep(20)", limits())
    assert (lost.ename, lost.blame) == ("KernelDied", "machine")


@forked_only
def test_a_child_that_comes_back_does_not_answer(start):
    kernel = start()
    fork = "import os; child = os.fork(); print('parent' if child else 'child')"
    ran = kernel.run(fork + "\nchild and os.waitpid(child, 0)[1] != 0", limits())
    assert "parent" in text(ran) and "child" in text(ran) and text(ran).endswith("False")
    assert text(kernel.run("print('one answer')", limits())) == "one answer\n"


# Output ---------------------------------------------------------------------------------------


@forked_only
def test_a_burst_of_output_is_there_to_its_last_character(start):
    kernel = start()
    ran = kernel.run("print('x' * 20_000_000, end='y')", limits())
    assert [one.text for one in ran.outputs] == ["x" * 20_000_000 + "y"]
    burst = "import os; os.system('head -c 20000000 /dev/zero | tr \"\\\\0\" x'); None"
    assert text(kernel.run(burst, limits())) == "x" * 20_000_000


@forked_only
def test_an_output_that_is_too_large_is_told_to_be(start):
    large = "display({'text/plain': 'x' * 13_000_000}, raw=True); print('on')"
    said = "[an output of 12 MB is too large and was dropped]\n"
    ran = start().run(large, limits())
    assert [(one.name, one.text) for one in ran.outputs] == [("stderr", said), ("stdout", "on\n")]


@forked_only
@pytest.mark.parametrize(
    "error", ["ValueError('x' * 13_000_000)", "type('N' * 13_000_000, (Exception,), {})"]
)
def test_a_cell_ends_with_its_error_however_large_that_is(start, error):
    ran = start().run(f"raise {error}", limits(wall=5))
    (shown,) = [one for one in ran.outputs if one.output_type == "error"]
    assert not ran.stopped and len(shown.ename) <= 1000 and len(shown.evalue) <= 1000


@forked_only
def test_what_a_thread_shows_behind_the_end_of_its_cell_does_no_harm(start):
    kernel = start()
    late = """
        import threading, time
        def late():
            for n in range(200): print(n, flush=True); time.sleep(0.001)
        threading.Thread(target=late).start()
        """
    kernel.run(dedent(late), limits())
    for n in range(20):
        ran = kernel.run(f"import time; time.sleep(0.01); {n}", limits())
        results = [one for one in ran.outputs if one.output_type == "execute_result"]
        assert [one.data["text/plain"] for one in results] == [str(n)]


@forked_only
def test_interrupts_in_the_midst_of_prints_leave_no_frame_unfinished(start):
    kernel = start()
    for n in range(5):
        ran = kernel.run("while True: display('x' * 100_000)", limits(processor=0.2))
        assert ran.stopped
        assert text(kernel.run(f"print({n})", limits())) == f"{n}\n"


# Limits ---------------------------------------------------------------------------------------

HELD = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        held = bytearray(100_000_000); time.sleep(60); os._exit(0)
time.sleep(60)
"""
FILES = "for n in range(2000): open(f'{n}', 'w').close()\nimport time; time.sleep(60)"
SOCKETS = "import socket, time; s = [socket.socketpair() for _ in range(40)]; time.sleep(60)"
LOCKS = """
import fcntl, time
file = open("locked", "wb")
for start in range(3000):
    fcntl.lockf(file, fcntl.LOCK_EX, 1, 2 * start)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("way", "source", "settings", "what"),
    [
        ("forked", HELD, {"memory": 300 * MB}, "MB of memory; the limit is 300 MB"),
        ("started", HELD, {"memory": 300 * MB}, "MB of memory; the limit is 300 MB"),
        ("forked", FILES, {"entries": 500}, "it made more than 500 files in a folder"),
        ("forked", SOCKETS, {}, "it opened more than 40 sockets"),
        ("started", SOCKETS, {}, "it opened more than 40 sockets"),
        ("forked", LOCKS, {}, "it locked more than 1000 ranges of files"),
    ],
    ids=["memory", "memory-started", "files", "sockets", "sockets-started", "locks"],
)
def test_the_watchdog_kills_for(start, source, settings, what):
    lost = start(**settings).run(source, limits())
    assert (lost.ename, lost.blame) == ("LimitHit", "submission")
    assert lost.reason.startswith("limit hit: ") and lost.reason.endswith(what)


def test_every_process_has_the_limits_of_the_settings(start):
    numbers = {number: limit for number, limit in limits_of(Settings()).values()}
    look = f"import resource; print([resource.getrlimit(n) for n in {list(numbers)}])"
    ours = {number: resource.getrlimit(number)[1] for number in numbers}
    least = [min(limit, ours[n]) if ours[n] >= 0 else limit for n, limit in numbers.items()]
    assert text(start().run(look, limits())) == f"{[(limit, limit) for limit in least]}\n"


def test_limits_without_a_sandbox_hold():
    with closing(make("limits", open_files=200, memory=500 * MB)) as kernel:
        look = "import resource; resource.getrlimit(resource.RLIMIT_NOFILE)"
        assert text(kernel.run(look, limits())) == "(200, 200)"
        lost = kernel.run("held = bytearray(600_000_000)\nimport time; time.sleep(60)", limits())
        assert lost.reason.endswith("the limit is 500 MB")


@forked_only
def test_pages_that_processes_share_are_counted_once(start):
    shared = """
        import os, time
        held = bytearray(150_000_000)
        for _ in range(5):
            if os.fork() == 0:
                time.sleep(0.5); os._exit(0)
        for _ in range(5): os.wait()
        print("done")
        """
    assert text(start(memory=400 * MB).run(dedent(shared), limits())) == "done\n"


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
    assert text(kernel.run(dedent(bomb), limits())) == "True\n"
    assert text(kernel.run("print('alive')", limits())) == "alive\n"


def test_folders_are_bounded(start):
    kernel = start(tmp_size=MB, shm_size=MB, home_size=MB)
    for folder in ("/tmp", "/dev/shm", "/home/student"):
        fill = f"""
            import os
            full = open({folder!r} + "/full", "wb", buffering=0)
            while True:
                full.write(bytes(100_000))
            """
        assert text(kernel.run(dedent(fill), limits())) == "OSError"
        size = f"os.fstat(full.fileno()).st_size <= {MB}"
        assert text(kernel.run(size, limits())) == "True"
