"""Files that a command cannot write, and programs that take for ever: a message, no traceback."""

import subprocess

import pytest
from nbformat.v4 import new_notebook

from tito.errors import TitoError
from tito.kernels import fonts
from tito.scoring import reference

_LOOK = "Look at the path, at its permissions and at the room on its disk, and try again.\n"


@pytest.mark.parametrize(
    ("command", "path", "reason"),
    [
        ("scores", "no/dir/x.csv", "No such file or directory"),
        ("scores", "modules", "Is a directory"),
        ("overview", "settings.ini/x.html", "File exists"),
    ],
)
def test_a_path_that_cannot_be_written_is_named_with_the_reason(
    tito, hand_in, command, path, reason
):
    hand_in("ada", "{")
    name = path.partition("/x.html")[0]
    assert tito(command, "08", "--to", path)[::2] == (1, f"tito: {name}: {reason}. {_LOOK}")


@pytest.fixture
def hanging(monkeypatch):
    def run(command, **settings):
        raise subprocess.TimeoutExpired(command, settings["timeout"])

    monkeypatch.setattr(subprocess, "run", run)


def test_a_reference_that_hangs_is_told(hanging):
    with pytest.raises(TitoError, match="gave no expected values within 120 s. Does 'tito test'"):
        reference.expected_answers(new_notebook(), {})


def test_fonts_that_are_never_listed_are_told(hanging, tmp_path):
    with pytest.raises(TitoError, match="did not list the fonts of this machine within 120 s"):
        fonts.prepare_fonts(tmp_path / "fonts")
