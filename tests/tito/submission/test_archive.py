"""Archives of instructors' own computers, and names that students choose."""

import io
import zipfile

import pytest

from tito.errors import TitoError
from tito.submission import archive
from tito.text import printable


def written(tmp_path, names, utf8_flag=True, **settings):
    """Write an archive of empty files: names as they are, flagged as UTF-8 or not."""

    class Info(zipfile.ZipInfo):
        def _encodeFilenameFlags(self):
            flags = self.flag_bits | 0x800 if utf8_flag else self.flag_bits & ~0x800
            return self.filename.encode(), flags

    path = tmp_path / "class.zip"
    with zipfile.ZipFile(path, "w") as made:
        for name in names:
            info = Info("x")
            info.filename = info.orig_filename = name
            for key, value in settings.items():
                setattr(info, key, value)
            made.writestr(info, b"")
    return path


def names_in(path):
    with archive.entries(path) as found:
        return [entry.name for entry in found]


def test_backslashes_of_windows_are_slashes(tmp_path):
    path = written(tmp_path, ["class\\ann\\x.ipynb", "class\\__MACOSX\\._y.ipynb", "class\\n.txt"])
    assert names_in(path) == ["class/ann/x.ipynb", "class/n.txt"]


@pytest.mark.parametrize("other", ["bo/x.ipynb", "bakerbo_12_3_x.ipynb"])
def test_chosen_backslash_is_kept(tmp_path, other):
    assert names_in(written(tmp_path, ["ableann_11_1_a\\b.ipynb", other])) == [
        "ableann_11_1_a\\b.ipynb",
        other,
    ]


def test_backslashes_lead_out_of_no_archive(tmp_path):
    with pytest.raises(TitoError, match="leads out of the archive"):
        names_in(written(tmp_path, ["a\\..\\..\\x.ipynb"]))


@pytest.mark.parametrize("flag", [True, False])
def test_names_are_utf8_with_and_without_the_flag(tmp_path, flag):
    decomposed = "Jose\u0301 Mu\u0308ller/x.ipynb"
    assert names_in(written(tmp_path, [decomposed], utf8_flag=flag)) == ["José Müller/x.ipynb"]


def test_an_old_name_of_windows_stays_what_it_says(tmp_path):
    path = tmp_path / "class.zip"

    class Info(zipfile.ZipInfo):
        def _encodeFilenameFlags(self):
            return self.filename.encode("cp437"), self.flag_bits

    with zipfile.ZipFile(path, "w") as made:
        info = Info("x")
        info.filename = "Müller/x.ipynb"
        made.writestr(info, b"")
    assert names_in(path) == ["Müller/x.ipynb"]


@pytest.mark.parametrize("name", ["4.42.48\u202fPM.png", "a\u200db.ipynb", "\u202eb.ipynb"])
def test_invisible_characters_are_escaped(tmp_path, name):
    assert names_in(written(tmp_path, [name])) == [name]
    assert not archive.has_control_characters(name)
    assert printable(name).isascii() and "\\u20" in printable(name)


def test_control_characters_are_detected():
    for name in ("a\x07.ipynb", "a\x9b.ipynb", "a\ud800.ipynb", "a\n.ipynb"):
        assert archive.has_control_characters(name)
        assert printable(name).isprintable() and printable(name) != name
    assert printable("José 語.ipynb") == "José 語.ipynb"


@pytest.mark.parametrize("kind", [0o120777, 0o010666])
def test_what_is_never_opened_stops_nothing(tmp_path, kind):
    settings = {"external_attr": kind << 16}
    assert names_in(written(tmp_path, ["ann/notes.pdf"], **settings)) == ["ann/notes.pdf"]
    with pytest.raises(TitoError, match="a link|neither a file nor"):
        names_in(written(tmp_path, ["ann/x.ipynb"], **settings))


def test_inner_archive_is_checked_too(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as made:
        made.writestr("work/x.ipynb", b"{}")
    data = inner.getvalue()
    entry = archive.Entry("work.zip", len(data), lambda: io.BytesIO(data))
    (inside,) = entry.inside()
    assert (inside.name, inside.read(10)) == ("work/x.ipynb", b"{}")
    hostile = written(tmp_path, ["../x.ipynb"]).read_bytes()
    entry = archive.Entry("work.zip", len(hostile), lambda: io.BytesIO(hostile))
    with pytest.raises(archive.UnreadableError, match="leads out"):
        entry.inside()
