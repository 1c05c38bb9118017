"""What real classes hand in: nobody takes another's place, and nobody stops the others."""

from datetime import datetime, timedelta

import pytest

from tests.tito.small_course import gradebook
from tests.tito.submission.downloads import (
    CLASS,
    GOOD,
    GRACE,
    LATE,
    MOODLE,
    NB,
    OTHER,
    packed,
    with_time,
)  # fmt: skip

OURS = {"optimizers_dev.ipynb": NB}
GRACES = {"grace/x.ipynb": NB}


def test_moodle_flat_names_do_not_mix_students(take, files_of):
    ada, grace = (f"{who}_assignsubmission_file_" for who in ("Ada Lovelace_77", "Grace Hopper_78"))
    doubtful = f"{ada}{grace}x.ipynb"
    report = take({f"{grace}optimizers_dev.ipynb": NB, doubtful: OTHER})
    assert report.collected == ["grace"] and files_of("grace") == OURS
    told = "Ada Lovelace (77) or Grace Hopper (78): its name holds those of several"
    assert report.doubtful == {doubtful: told}
    assert not report.is_clean and "ada" in report.missing


WORK = packed({"work/optimizers_dev.ipynb": NB, "work/data.csv": b"1"})
HAND_INS = {
    "text": ({"ada/optimizers_dev.ipynb.txt": NB, **GRACES}, OURS),
    "JSON": ({"ada/optimizers_dev.ipynb.json": NB, **GRACES}, OURS),
    "a plain name and another": (
        {"ada/optimizers_dev.ipynb": NB, "ada/optimizers_dev.ipynb.txt": OTHER, **GRACES},
        OURS,
    ),
    "an archive": ({"lovelaceada_12345_900_work.zip": WORK, GRACE: NB}, OURS),
    "an archive beside a notebook": (
        {"ada/x.ipynb": NB, "ada/old.zip": packed({"y.ipynb": OTHER}), **GRACES},
        {"x.ipynb": NB},
    ),
}


@pytest.mark.parametrize(("files", "taken"), HAND_INS.values(), ids=HAND_INS)
def test_one_notebook_is_taken_from_a_hand_in(take, files_of, files, taken):
    assert take(files).collected == ["ada", "grace"]
    assert files_of("ada") == taken


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
def test_what_cannot_be_unpacked_says_what_to_ask_for(take, name, data, reason):
    report = take({f"ada/{name}": data, **GRACES})
    assert report.collected == ["grace"]
    assert list(report.refused) == ["ada"] and reason in report.refused["ada"]


def test_control_character_refuses_one_file(told):
    code, printed = told({"ada/a\x07\x1b[2J.ipynb": NB, **GRACES})
    assert code == 1 and "1 collected" in printed
    assert "not taken: ada: ada/a\\x07\\x1b[2J.ipynb has control characters" in printed


def test_other_odd_names_and_other_files_stop_nothing(take):
    odd = ["ada/4.42.48\u202fPM.png", "grace/\u202ea\x07.png", "readme\x07.txt"]
    report = take({"ada/optimizers_dev\u202f2.ipynb": NB, **GRACES, **dict.fromkeys(odd, b"")})
    assert (report.collected, report.is_clean) == (["ada", "grace"], True)


def test_a_second_collect_lists_what_is_new(told):
    assert "late: ada" in told({LATE: NB})[1]
    code, printed = told({LATE: NB, GRACE: NB})
    assert code == 0
    assert "new: grace" in printed and "ada" not in printed.replace("roster", "")
    code, printed = told({GRACE: NB})
    assert "nothing from: jose, twin-1, twin-2" in printed and "new:" not in printed
    assert "canvas: 0 collected, 1 unchanged, 0 not taken, 3 missing" in printed


def test_the_columns_of_the_roster_are_told(told):
    columns = "number: 'student_id', 'sid', 'canvas_id', 'moodle_id'; name: 'name'"
    assert f"roster.csv: {columns}" in told({GOOD: NB})[1]


def test_collects_under_the_gradebook_id(course, told):
    told({GOOD: NB})
    _, printed = told({GOOD: OTHER, GRACE: NB}, CLASS.replace("\nada,", "\nal,"))
    assert "known: al is ada in the gradebook, by a number or an address" in printed
    assert "not taken: ada: another submission is in modules/submitted/ada" in printed
    with gradebook(course) as book:
        assert "al" not in {student.id for student in book.students}


def test_late_respects_extension_and_grace(course, module, take, set_due):
    set_due(datetime(2026, 12, 5, 22))
    soon = with_time("Saturday, 5 December 2026, 10:10 PM")
    assert take({MOODLE: NB}, soon).late == {"ada": "by 0:10:00, which costs nothing"}
    later = with_time("Monday, 7 December 2026, 10:10 AM")
    costs = "by 1 day, 12:10:00, 20 % of the points earned"
    assert take({MOODLE: NB}, later, supersede=True).late == {"ada": costs}
    with gradebook(course) as book, book.db.no_autoflush:
        book.add_submission(module.name, "ada", extension=timedelta(days=2))
    assert take({MOODLE: NB}, later).late == {}


def test_an_archive_of_nobody_in_the_roster_is_named(take):
    report = take({"ada/x.ipynb": NB, "stranger/work.zip": b"PK"})
    assert report.unknown == {"stranger/work.zip": "stranger"}
