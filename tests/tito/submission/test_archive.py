"""Archives of instructors' own computers, and names that students choose."""

import io
import zipfile

import pytest

from tests.tito.submission.downloads import packed
from tito.errors import TitoError
from tito.submission import archive


@pytest.fixture
def written(tmp_path):
    """Write an archive of empty files: names as they are, flagged as UTF-8 or not."""

    def write(*names, encoding="utf-8", utf8_flag=True, **settings):
        class Info(zipfile.ZipInfo):
            def _encodeFilenameFlags(self):
                flags = self.flag_bits | 0x800 if utf8_flag else self.flag_bits & ~0x800
                return self.filename.encode(encoding), flags

        path = tmp_path / "class.zip"
        with zipfile.ZipFile(path, "w") as made:
            for name in names:
                info = Info("x")
                info.filename = info.orig_filename = name
                for key, value in settings.items():
                    setattr(info, key, value)
                made.writestr(info, b"")
        return path

    return write


def names_in(path):
    with archive.entries(path) as found:
        return [entry.name for entry in found]


WINDOWS = ["class\\ann\\x.ipynb", "class\\__MACOSX\\._y.ipynb", "class\\n.txt"]
CHOSEN = "ableann_11_1_a\\b.ipynb"
NAMES = {
    "backslashes of Windows": (WINDOWS, {}, ["class/ann/x.ipynb", "class/n.txt"]),
    "a chosen backslash": ([CHOSEN, "bo/x.ipynb"], {}, [CHOSEN, "bo/x.ipynb"]),
    "another": ([CHOSEN, "bakerbo_12_3_x.ipynb"], {}, [CHOSEN, "bakerbo_12_3_x.ipynb"]),
    "letters and marks": (["Jose\u0301 Mu\u0308ller/x.ipynb"], {}, ["José Müller/x.ipynb"]),
    "UTF-8 unflagged": (["Mu\u0308ller/x.ipynb"], {"utf8_flag": False}, ["Müller/x.ipynb"]),
    "old Windows": (
        ["Müller/x.ipynb"],
        {"encoding": "cp437", "utf8_flag": False},
        ["Müller/x.ipynb"],
    ),
}


@pytest.mark.parametrize(("names", "how", "read"), NAMES.values(), ids=NAMES)
def test_names_are_what_they_were_meant_to_be(written, names, how, read):
    assert names_in(written(*names, **how)) == read


@pytest.mark.parametrize("name", ["4.42.48\u202fPM.png", "a\u200db.ipynb", "\u202eb.ipynb"])
def test_invisible_characters_are_kept_and_control_characters_are_detected(written, name):
    assert names_in(written(name)) == [name]
    assert not archive.has_control_characters(name)
    for control in ("\x07", "\x9b", "\ud800", "\n"):
        assert archive.has_control_characters(name + control)


@pytest.mark.parametrize("kind", [0o120777, 0o010666])
def test_what_is_never_opened_stops_nothing(written, kind):
    settings = {"external_attr": kind << 16}
    assert names_in(written("ann/notes.pdf", **settings)) == ["ann/notes.pdf"]
    with pytest.raises(TitoError, match="a link|neither a file nor"):
        names_in(written("ann/x.ipynb", **settings))


def entry(data):
    return archive.Entry("work.zip", len(data), lambda: io.BytesIO(data))


def test_inner_archive_is_checked_too(written):
    (inside,) = entry(packed({"work/x.ipynb": b"{}"})).inside()
    assert (inside.name, inside.read(10)) == ("work/x.ipynb", b"{}")
    with pytest.raises(archive.UnreadableError, match="leads out"):
        entry(written("../x.ipynb").read_bytes()).inside()
