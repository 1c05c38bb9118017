"""What real classes hand in: nobody takes another's place, and nobody stops the others."""

import io
import zipfile
from datetime import datetime, timedelta

import pytest

from tests.tito.course.test_roster import write
from tests.tito.submission.test_collecting import (
    CLASS,
    GOOD,
    GRACE,
    LATE,
    MOODLE,
    NB,
    OTHER,
    files_of,
    gradebook,
    with_time,
    zipped,
)
from tito.cli import cli
from tito.course import roster
from tito.errors import TitoError
from tito.submission.collect import collect


@pytest.fixture
def take(course, module, tmp_path):
    def run(files, text=CLASS, **more):
        people = roster.read(write(tmp_path, text))
        return collect(course, module, zipped(tmp_path, files), people, **more)

    return run


@pytest.fixture
def told(course, tmp_path, monkeypatch, capsys):
    """Collect by the command line; return its exit code and what it printed."""

    def run(files, text=CLASS):
        monkeypatch.chdir(course.root)
        (course.root / "roster.csv").write_text(text)
        with pytest.raises(SystemExit) as ended:
            cli.main(["collect", "08", str(zipped(tmp_path, files))], prog_name="tito")
        return ended.value.code, capsys.readouterr().out

    return run


def test_moodle_flat_names_do_not_mix_students(course, module, take):
    ada, grace = (f"{who}_assignsubmission_file_" for who in ("Ada Lovelace_77", "Grace Hopper_78"))
    doubtful = f"{ada}{grace}x.ipynb"
    report = take({f"{grace}optimizers_dev.ipynb": NB, doubtful: OTHER})
    assert report.collected == ["grace"]
    assert files_of(course, module, "grace") == {"optimizers_dev.ipynb": NB}
    assert report.doubtful == {
        doubtful: "Ada Lovelace (77) or Grace Hopper (78): its name holds those of several"
    }
    assert not report.is_clean and "ada" in report.missing


@pytest.mark.parametrize("name", ["optimizers_dev.ipynb.txt", "optimizers_dev.ipynb.json"])
def test_a_notebook_with_another_ending_is_one(course, module, take, name):
    assert take({f"ada/{name}": NB, f"grace/{name}": NB}).collected == ["ada", "grace"]
    assert files_of(course, module, "ada") == {"optimizers_dev.ipynb": NB}


def test_prefers_the_plain_notebook_ending(course, module, take):
    take(
        {"ada/optimizers_dev.ipynb": NB, "ada/optimizers_dev.ipynb.txt": OTHER, "grace/x.ipynb": NB}
    )
    assert files_of(course, module, "ada") == {"optimizers_dev.ipynb": NB}


def packed(files):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return inner.getvalue()


def test_an_archive_in_a_hand_in_is_unpacked(course, module, take):
    work = packed({"work/optimizers_dev.ipynb": NB, "work/data.csv": b"1"})
    assert take({"lovelaceada_12345_900_work.zip": work, GRACE: NB}).collected == ["ada", "grace"]
    assert files_of(course, module, "ada") == {"optimizers_dev.ipynb": NB}


def test_an_archive_beside_a_notebook_is_not_looked_into(course, module, take):
    take({"ada/x.ipynb": NB, "ada/old.zip": packed({"y.ipynb": OTHER}), "grace/x.ipynb": NB})
    assert files_of(course, module, "ada") == {"x.ipynb": NB}


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("work.zip", b"PK", "cannot be opened"),
        ("work.zip", packed({"a.txt": b""}), "there is no notebook in work.zip"),
        ("work.zip", packed({"../a.ipynb": NB}), "leads out of the archive"),
        ("work.zip", packed({f"{n}.ipynb": NB for n in range(21)}), "21 notebooks"),
        ("work.zip", packed({"a.ipynb": bytes(30_000_000)}), "larger than 20 MB"),
        ("work.rar", b"Rar!", "work.rar is not a notebook; ask for optimizers_dev.ipynb itself"),
    ],
)
def test_what_cannot_be_unpacked_says_what_to_ask_for(course, take, name, data, reason):
    report = take({f"ada/{name}": data, "grace/x.ipynb": NB})
    assert report.collected == ["grace"]
    assert list(report.refused) == ["ada"] and reason in report.refused["ada"]


def test_control_character_refuses_one_file(told):
    code, printed = told({"ada/a\x07\x1b[2J.ipynb": NB, "grace/x.ipynb": NB})
    assert code == 1 and "1 collected" in printed
    assert "not taken: ada: ada/a\\x07\\x1b[2J.ipynb has control characters" in printed


def test_other_odd_names_and_other_files_stop_nothing(course, module, take):
    report = take(
        {
            "ada/optimizers_dev\u202f2.ipynb": NB,
            "ada/4.42.48\u202fPM.png": b"",
            "grace/\u202ea\x07.png": b"",
            "grace/x.ipynb": NB,
            "readme\x07.txt": b"",
        }
    )
    assert (report.collected, report.is_clean) == (["ada", "grace"], True)


def test_a_second_collect_lists_what_is_new(course, told):
    first = {"lovelaceada_LATE_12345_900_optimizers_dev.ipynb": NB}
    assert "late: ada" in told(first)[1]
    code, printed = told({**first, GRACE: NB})
    assert code == 0
    assert "new: grace" in printed and "ada" not in printed.replace("roster", "")
    code, printed = told({GRACE: NB})
    assert "nothing from: jose, twin-1, twin-2" in printed and "new:" not in printed
    assert "canvas: 0 collected, 1 unchanged, 0 not taken, 3 missing" in printed


def test_the_columns_of_the_roster_are_told(told):
    _, printed = told({GOOD: NB})
    assert (
        "roster.csv: number: 'student_id', 'sid', 'canvas_id', 'moodle_id'; name: 'name'" in printed
    )


def test_collects_under_the_gradebook_id(course, module, told):
    told({GOOD: NB})
    text = CLASS.replace("\nada,", "\nal,")
    code, printed = told({GOOD: OTHER, GRACE: NB}, text)
    assert "known: al is ada in the gradebook, by a number or an address" in printed
    assert "not taken: ada: another submission is in modules/submitted/ada" in printed
    with gradebook(course) as book:
        assert "al" not in {student.id for student in book.students}


def test_late_respects_extension_and_grace(course, module, take):
    with gradebook(course) as book:
        book.update_or_create_assignment(module.name, duedate=datetime(2026, 12, 5, 22))
    text = with_time("Saturday, 5 December 2026, 10:10 PM")
    assert take({MOODLE: NB}, text).late == {"ada": "by 0:10:00, which costs nothing"}
    text = with_time("Monday, 7 December 2026, 10:10 AM")
    assert take({MOODLE: NB}, text, supersede=True).late == {
        "ada": "by 1 day, 12:10:00, 20 % of the points earned"
    }
    with gradebook(course) as book, book.db.no_autoflush:
        book.add_submission(module.name, "ada", extension=timedelta(days=2))
    assert take({MOODLE: NB}, text).late == {}


def test_a_download_without_a_notebook_says_so(take):
    with pytest.raises(TitoError, match="no notebook among its 1 files"):
        take({"ada/a.pdf": b""})


def test_a_late_mark_without_a_time_is_asked_for(take):
    assert "not by how much" in take({LATE: NB}).late["ada"]


def test_an_archive_of_nobody_in_the_roster_is_named(take):
    assert take({"ada/x.ipynb": NB, "stranger/work.zip": b"PK"}).unknown == {
        "stranger/work.zip": "stranger"
    }
