"""What the probe finds: nothing in the real sandbox, and each hole that is made on purpose."""

import os
from pathlib import Path

import pytest

import tinytorch
from tito.errors import TitoError
from tito.sandbox import Isolation, Settings, bubblewrap, choose, levels
from tito.sandbox.isolation_probe import IsolationProbe, ProbeOutput, judge

#: Of the module under test.
ANSWER = ["tinytorch.core.optimizers"]


@pytest.fixture
def secret(tmp_path):
    folder = tmp_path / "submissions"
    folder.mkdir()
    return folder


def test_the_sandbox_stops_everything(package, secret):
    isolation = choose(package=package, secret_folders=[secret])
    assert (isolation.level, isolation.leaks) == ("full", ())
    assert isolation.user == (os.getuid() or 65534)
    assert list(secret.iterdir()) == []


def without(*removed):
    """Take options, each with as many words as given, out of a sandbox's command."""

    def change(args):
        for first, words in removed:
            while first in args:
                at = args.index(first)
                args = args[:at] + args[at + words :]
        return args

    return change


def plus(*added):
    return lambda args: [*args, *added]


HOLES = {
    "network": (plus("--share-net"), "connects to the machine's servers"),
    "abstract sockets": (plus("--share-net"), "unix sockets by abstract name"),
    "read-only root": (without(("--remount-ro", 2)), "writes to /"),
    "folders": (without(("--size", 2)), "puts more than 2097152 bytes into /dev/shm"),
    "system calls": (without(("--seccomp", 2)), "makes the system calls"),
    "socket buffers": (without(("--seccomp", 2)), "makes the buffers of sockets larger"),
    "file locks": (without(("--seccomp", 2)), "locks files without a limit"),
    "first process": (lambda args: ["0555" if a == "0111" else a for a in args], "opens mem"),
    "environment": (plus("--setenv", "LEFT", "{token}"), "reads the environment"),
}


@pytest.mark.parametrize("hole", HOLES)
def test_the_probe_finds_a_hole(hole, secret, monkeypatch):
    change, expected = HOLES[hole]
    # In the machine's network the watchdog would count the machine's sockets.
    probe = IsolationProbe(True, Settings(sockets=100_000), None, [secret])
    joined = bubblewrap._joined

    def weakened(args):
        if "--unshare-all" in args:  # of root's two commands the inner one
            args = [probe.secret if arg == "{token}" else arg for arg in change(args)]
        return joined(args)

    monkeypatch.setattr(bubblewrap, "_joined", weakened)
    leaks = probe.leaks()
    assert any(expected in leak for leak in leaks), leaks


@pytest.mark.parametrize(
    ("limits", "leak"),
    [
        ("limit_processes", "starts more than 24 processes"),
        ("limit_command", "takes over process 2, which has no limits"),
    ],
)
def test_the_probe_finds_processes_without_limits(monkeypatch, limits, leak):
    monkeypatch.setattr(bubblewrap, limits, lambda settings: [])
    assert leak in IsolationProbe(True, Settings(), None, []).leaks()


def showing(path):
    """Return the options that show a folder, to whomever."""
    opened = (["--perms", "0755", "--dir", str(parent)] for parent in reversed(path.parents[:-1]))
    return [*sum(opened, []), "--ro-bind", str(path), str(path)]


@pytest.mark.parametrize("what", ["secret", "course"])
def test_the_probe_finds_a_folder_that_should_not_be_there(what, secret, monkeypatch):
    course = Path(tinytorch.__file__).parents[1]
    folder = {"secret": secret, "course": course}[what]
    joined = bubblewrap._joined
    monkeypatch.setattr(bubblewrap, "_joined", lambda args: joined([*args, *showing(folder)]))
    leaks = " ".join(IsolationProbe(True, Settings(), None, [secret], ANSWER).leaks())
    if what == "secret":
        assert f"reads files in {secret}" in leaks
    else:
        assert "imports tinytorch.core.optimizers" in leaks
        assert f"reads {course}/tinytorch/core/optimizers.py" in leaks


def test_the_answer_is_what_the_module_under_test_defines(tmp_path, secret):
    core = tmp_path / "package" / "tinytorch" / "core"
    core.mkdir(parents=True)
    for name in ("__init__.py", "optimizers.py", "schedules.py"):
        (core / name).touch()
    (core.parent / "__init__.py").touch()
    package = tmp_path / "package"
    assert IsolationProbe(True, Settings(), package, [], ["tinytorch.core.later"]).leaks() == ()
    leaks = IsolationProbe(True, Settings(), package, [], ["tinytorch.core.schedules"]).leaks()
    assert [leak for leak in leaks if "imports" in leak] == ["imports tinytorch.core.schedules"]


def test_limits_alone_are_never_taken_for_isolation():
    leaks = IsolationProbe(False, Settings(), None, [], ANSWER).leaks()
    found = " ".join(leaks)
    for part in ("other processes", "servers", "tinytorch.core.optimizers", "processes behind"):
        assert part in found
    assert "memory" not in found  # the watchdog needs no sandbox


def test_what_was_not_decided_counts_as_not_stopped():
    killed_early = ProbeOutput(out="[]\nnonsense\n", ended=True, reason=None, error="")
    found = list(judge(killed_early, left=killed_early))
    assert "reads_files was not decided" in found
    assert "takes memory without a limit" in found


@pytest.fixture
def weak(monkeypatch):
    def make(level, *leaks):
        found = Isolation(level, leaks)
        monkeypatch.setattr(levels, "examine", lambda **_: found)
        return found

    return make


@pytest.mark.parametrize("requested", [None, "full", "partial"])
def test_a_weaker_level_is_refused_with_its_leaks_and_the_option(weak, requested):
    weak("limits", "reads files in /home/ada")
    with pytest.raises(TitoError, match=r"(?s)files in /home/ada.*--isolation limits"):
        choose(requested)


@pytest.mark.parametrize(
    ("level", "requested"), [("limits", "limits"), ("limits", "none"), ("full", "none")]
)
def test_accepting_less_uses_what_there_is(weak, level, requested):
    assert weak(level, "reads files") is choose(requested)


def test_an_unknown_level_is_named_with_the_choices():
    with pytest.raises(TitoError, match="full, partial, user, limits, none, got 'some'"):
        choose("some")


def test_without_bubblewrap_the_message_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(levels, "find_bwrap", lambda: None)
    with pytest.raises(TitoError, match="apt-get install bubblewrap"):
        choose()


def test_a_sandbox_that_does_not_start_is_reported_with_what_bubblewrap_said(monkeypatch):
    joined = bubblewrap._joined
    monkeypatch.setattr(
        bubblewrap, "_joined", lambda args: joined([*args, "--ro-bind", "/no/such", "/no"])
    )
    isolation = levels.examine()
    assert isolation.level == "limits"
    assert "/no/such" in isolation.leaks[0]
