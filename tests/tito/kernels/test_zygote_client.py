"""Forked kernels: as well isolated as started ones, and nothing of one is in the next."""

import os
import signal
from contextlib import closing
from pathlib import Path

import pytest

from tito.errors import NotStartedError, TitoError
from tito.kernels import fork_probe, zygote_client
from tito.kernels.fork_probe import ForkProbe
from tito.kernels.isolation import fork_is_isolated
from tito.kernels.zygote_client import (
    Zygote,
    ZygoteLostError,
    end_zygotes,
    use_shared,
    zygote_for,
)
from tito.sandbox import instance
from tito.sandbox.settings import Settings

from .conftest import limits, make, run, text


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
        monkeypatch.setattr(zygote_client.seccomp, "this_machine", lambda: None)
    elif sabotage == "no network namespace":
        kinds = {name: bit for name, bit in instance._NAMESPACES.items() if name != "net"}
        monkeypatch.setattr(instance, "_NAMESPACES", kinds)
    else:
        monkeypatch.setattr(zygote_client, "limits_of", lambda settings: {})
        monkeypatch.setattr(
            zygote_client.resource, "RLIMIT_NPROC", zygote_client.resource.RLIMIT_CORE
        )
    assert any(leak in found for found in ForkProbe(Settings()).leaks())


def test_a_fork_that_cannot_be_tried_is_not_trusted(monkeypatch):
    def leaks(self):
        raise TitoError("the zygote is gone")

    monkeypatch.setattr(fork_probe.ForkProbe, "leaks", leaks)
    fork_is_isolated.cache_clear()
    assert fork_is_isolated() is False
    fork_is_isolated.cache_clear()


def parents(pid: int) -> list[int]:
    """Return the parent of a process, its parent, and so on."""
    found: list[int] = []
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        found.append(pid)
    return found


def test_kernels_are_forks_of_one_process_each_in_its_own_namespaces():
    with closing(make("forked")) as first, closing(make("forked")) as second:
        pids = [kernel.instance.guest_pid for kernel in (first, second)]
        zygote = zygote_for(None, None).pid
        assert [parents(pid)[1] for pid in pids] == [zygote, zygote]
        for kind in ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts"):
            own = {os.readlink(f"/proc/{pid}/ns/{kind}") for pid in (zygote, *pids)}
            assert len(own) == 3, kind


def test_a_killed_zygote_costs_a_new_one_and_no_kernel():
    with closing(make("forked")) as first:
        zygote = zygote_for(None, None)
        os.kill(zygote.pid, signal.SIGKILL)
        zygote._process.wait()
        with closing(make("forked")) as second:
            shown = [text(kernel.run("print('on')", limits())) for kernel in (first, second)]
    assert shown == ["on\n", "on\n"]


@pytest.fixture
def shared(scratch):
    """A zygote that other processes share, as this one does here, and which it loses in the end."""
    end_zygotes()
    with closing(Zygote(Settings(), shared_at=scratch / "zygote")) as zygote:
        use_shared(scratch / "zygote")
        yield zygote
    end_zygotes()


def test_a_shared_zygote_serves_who_connects_until_it_is_lost(shared):
    with closing(make("forked")) as first:
        assert parents(first.instance.guest_pid)[1] == shared.pid
        with closing(make("forked")) as second:  # and its owner too
            assert parents(second.instance.guest_pid)[1] == shared.pid
        os.kill(shared.pid, signal.SIGKILL)
        shared._process.wait()
        with pytest.raises(ZygoteLostError):
            make("forked")
        with closing(make("forked")) as third:
            assert parents(third.instance.guest_pid)[1] == zygote_for(None, None).pid
        assert text(first.run("print('on')", limits())) == "on\n"


def test_without_a_shared_zygote_a_process_has_its_own(scratch):
    end_zygotes()
    use_shared(scratch / "nobody")
    with closing(make("forked")) as kernel:
        assert parents(kernel.instance.guest_pid)[1] == zygote_for(None, None).pid


def test_a_zygote_that_is_lost_while_it_forks_is_told_and_replaced(monkeypatch):
    os.kill(zygote_for(None, None).pid, signal.SIGSTOP)
    with monkeypatch.context() as patch:
        patch.setattr(zygote_client, "_FORK_SECONDS", 0.5)
        with pytest.raises(ZygoteLostError):
            make("forked")
    assert text(run("forked", "print('there')")[0]) == "there\n"


def test_a_kernel_that_cannot_become_one_says_why(monkeypatch):
    monkeypatch.setattr(zygote_client, "WORK", Path("/no/such/folder"))
    with pytest.raises(
        NotStartedError, match="kernel was not started: FileNotFoundError.*/no/such"
    ):
        make("forked")


def test_the_interpreter_of_the_machine_cannot_be_changed_through_proc():
    opened, name = run(
        "forked", "open('/proc/self/exe', 'r+b')", "import os; print(os.readlink('/proc/self/exe'))"
    )
    assert text(opened) in ("OSError", "PermissionError")
    assert text(name).startswith("/memfd:python")


def test_a_zygote_holds_nothing_of_its_owner(monkeypatch):
    monkeypatch.setenv("TITO_SECRET", "a secret")
    with closing(Zygote(Settings())) as made:
        assert "TITO_SECRET" not in Path(f"/proc/{made.pid}/environ").read_text()
        if os.geteuid() == 0:
            status = Path(f"/proc/{made.pid}/status").read_text()
            assert "Uid:\t65534\t65534\t65534\t65534" in status


#: The thread that reads what processes write gets its turn late, as on a busy machine.
LATE = """
import select, time
now = select.select
def late(*arguments):
    found = now(*arguments)
    time.sleep(0.3)
    return found
select.select = late
"""


@pytest.mark.parametrize(
    ("way", "before"),
    [("forked", "import select"), ("started", "import select"), ("forked", LATE)],
    ids=["forked", "started", "late"],
)
def test_what_a_process_wrote_is_shown_before_what_comes_after_it(way, before):
    echo = "import os; os.system('echo out; echo err >&2')"
    for ran in run(way, before, *[echo] * 10)[1:]:
        shown = [output.get("text") or output.data["text/plain"] for output in ran.outputs]
        assert shown == ["out\n", "err\n", "0"]
