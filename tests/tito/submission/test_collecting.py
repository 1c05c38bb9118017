"""Downloads named as Canvas, Moodle and Gradescope name them, and some that nobody should open."""

import os
import stat
import zipfile
from datetime import datetime, timedelta

import pytest

from tests.tito.course.test_roster import CANVAS
from tests.tito.small_course import configure, gradebook
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
    zipped,
)
from tito.errors import TitoError
from tito.submission import archive

DUE = datetime(2026, 11, 20, 22)
LATER = "2026-11-21 01:30:00 UTC\n"
LATE_BY = {"ada": "by 3:30:00, 10 % of the points earned"}


def test_canvas(take, files_of):
    report = take(
        {
            "lovelaceada_LATE_12345_900_optimizers_dev-2.ipynb": NB,
            "lovelaceada_LATE_12345_901_notes.pdf": b"%PDF",
            "hoppergrace_12346_800_optimizers_dev.ipynb": OTHER,
            "hoppergrace_12346_801_optimizers_dev-1.ipynb": NB,
            "peñaruizjosé_99_700_my_1_2_work.ipynb": NB,
            "smithsam_555_1_optimizers_dev.ipynb": NB,
            "stranger_5_6_optimizers_dev.ipynb": NB,
            "anon_Ab1cD_66_optimizers_dev.ipynb": NB,
            "smithsam_12350_3_work.zip": b"PK",
        }
    )
    assert report.scheme == "canvas"
    assert report.collected == ["ada", "grace", "jose"]
    assert files_of("ada") == files_of("grace") == {"optimizers_dev.ipynb": NB}
    assert files_of("jose") == {"my_1_2_work.ipynb": NB}
    assert report.duplicates == {"grace": "not taken: hoppergrace_12346_800_optimizers_dev.ipynb"}
    assert list(report.late) == ["ada"] and "not by how much" in report.late["ada"]
    # Namesakes are not guessed at, and neither is anybody else.
    assert set(report.unknown.values()) == {"stranger (5)", "anon_Ab1cD"}
    assert list(report.doubtful.values()) == ["smithsam (555): that could be twin-1 or twin-2"]
    assert report.refused["twin-1"].startswith("smithsam_12350_3_work.zip cannot be opened")
    assert report.refused["twin-1"].endswith("ask for optimizers_dev.ipynb itself")
    assert report.missing == ["twin-2"]


def test_moodle_folders_flat_names_groups_and_times(take, files_of, set_due):
    set_due(DUE)
    files = {
        "Ada Lovelace_77_assignsubmission_file_/optimizers_dev.ipynb": NB,
        "Ada Lovelace_77_assignsubmission_onlinetext_/onlinetext.html": b"<p>",
        "Group 1-Grace Hopper_1078_assignsubmission_file_optimizers_dev.ipynb": NB,
        "CS/José Peña-Ruiz_5_assignsubmission_file/sub/optimizers_dev.ipynb": NB,
    }
    report = take(files, with_time("Saturday, 21 November 2026, 1:30 AM"))
    assert (report.scheme, report.collected) == ("moodle", ["ada", "grace", "jose"])
    assert (report.late, report.refused, report.unknown) == (LATE_BY, {}, {})
    assert files_of("ada") == {"optimizers_dev.ipynb": NB, "timestamp.txt": LATER.encode()}


GRADESCOPE = b"""\
submission_1:
  :submitters:
  - {":name": Ada L., ":sid": S1, ":email": other@example.org}
  - {":name": Grace H., ":sid": null, ":email": GRACE@example.org}
  :created_at: 2026-11-20 14:22:32.365935000 -07:00
submission_2:
  :submitters: [{":name": Nobody, ":sid": S99, ":email": n@example.org}]
  :created_at: 2026-11-20 10:00:00 Z
"""


def test_gradescope_with_a_group_and_times(take, files_of):
    report = take(
        {
            "assignment_8_export/submission_metadata.yml": GRADESCOPE,
            "assignment_8_export/submission_1/optimizers_dev.ipynb": NB,
            "assignment_8_export/submission_2/optimizers_dev.ipynb": NB,
            "__MACOSX/assignment_8_export/._submission_metadata.yml": b"\0",
        }
    )
    assert (report.scheme, report.collected) == ("gradescope", ["ada", "grace"])
    assert files_of("grace")["timestamp.txt"] == b"2026-11-20 21:22:32 UTC\n"
    assert list(report.unknown.values()) == ["Nobody (submission_2)"]


def test_replace_keeps_the_earlier_submission(course, take, files_of, set_aside):
    assert take({GOOD: NB}).collected == ["ada"]
    assert take({GOOD: NB}).unchanged == ["ada"]
    assert list(take({GOOD: OTHER}).conflicts) == ["ada"]
    assert files_of("ada") == {"optimizers_dev.ipynb": NB}
    assert take({GOOD: OTHER}, supersede=True).collected == ["ada"]
    assert files_of("ada") == {"optimizers_dev.ipynb": OTHER}
    assert set_aside("*.ipynb") == NB
    assert sorted(path.name for path in course.submitted.iterdir()) == ["ada"]


def test_a_folder_within_a_submission_is_not_lost(course, module, take, files_of, set_aside):
    inner = course.submitted / "ada" / module.name / "from-mail"
    inner.mkdir(parents=True)
    (inner / "optimizers_dev.ipynb").write_bytes(OTHER)
    assert list(take({GOOD: NB}).conflicts) == ["ada"]
    assert (inner / "optimizers_dev.ipynb").read_bytes() == OTHER
    assert take({GOOD: NB}, supersede=True).collected == ["ada"]
    assert files_of("ada") == {"optimizers_dev.ipynb": NB}
    assert set_aside("from-mail/*.ipynb") == OTHER


@pytest.fixture
def stamp(course, module):
    """Where Ada's time is written."""
    return course.submitted / "ada" / module.name / "timestamp.txt"


@pytest.mark.parametrize("supersede", [False, True])
def test_a_time_that_a_person_wrote_stays_and_counts(take, stamp, set_due, supersede):
    set_due(DUE)
    assert "write the time into its timestamp.txt" in take({LATE: NB}).late["ada"]
    stamp.write_text(LATER)
    again = take({LATE: NB}, supersede=supersede)
    assert (again.unchanged, again.conflicts, again.late) == (["ada"], {}, LATE_BY)
    assert stamp.read_text() == LATER


def test_written_time_moves_with_its_submission(take, stamp, files_of, set_aside):
    take({LATE: NB})
    stamp.write_text(LATER)
    later = take({LATE: OTHER}, supersede=True)
    assert "write the time into its timestamp.txt" in later.late["ada"]
    assert files_of("ada") == {"optimizers_dev.ipynb": OTHER}
    assert set_aside("timestamp.txt") == LATER.encode()


def test_unambiguous_roster_time_is_used(take, stamp):
    assert take({MOODLE: NB}, with_time("2026-12-05 23:59:00 +01:00")).unclear == {}
    assert stamp.read_bytes() == b"2026-12-05 22:59:00 UTC\n"


@pytest.mark.parametrize("text", ["Freitag, 5. Dezember 2026, 23:59", "5/12/26"])
def test_unclear_time_is_reported_until_written(take, stamp, files_of, text):
    report = take({MOODLE: NB}, with_time(text))
    assert (report.collected, report.late) == (["ada"], {})
    assert list(report.unclear) == ["ada"] and repr(text) in report.unclear["ada"]
    assert "timestamp.txt, as 2026-12-05 23:59:00 UTC" in report.unclear["ada"]
    assert files_of("ada") == {"optimizers_dev.ipynb": NB}
    stamp.write_text("no date either")
    assert list(take({MOODLE: NB}, with_time(text)).unclear) == ["ada"]
    stamp.write_text("2026-12-05 23:59:00 UTC")
    again = take({MOODLE: NB}, with_time(text))
    assert (again.unchanged, again.unclear) == (["ada"], {})


def test_a_time_zone_that_is_not_known_is_named(course, take):
    configure(course, 'c.Exchange.timezone = "Europe/Berlim"')
    with pytest.raises(TitoError, match="timezone is 'Europe/Berlim'"):
        take({MOODLE: NB})


def test_student_folders_enter_the_class(course, take, tmp_path):
    for place in ("ada/optimizers_dev.ipynb", "Grace Hopper/08_optimizers/x.ipynb", "jose.ipynb"):
        path = tmp_path / "folder" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(NB)
    report = take(tmp_path / "folder")
    assert (report.scheme, report.collected) == ("folders", ["ada", "grace", "jose"])
    take(tmp_path / "folder", CANVAS.replace("Ada", "Augusta"))
    with gradebook(course) as book:
        ada, known = book.find_student("ada"), ("Augusta", "ada@example.org", "12345")
        assert (ada.first_name, ada.email, ada.lms_user_id) == known
        assert book.find_student("twin-2").last_name == "Smith"


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("../../etc/cron.d/x_1_2_a.ipynb", 0, "leads out"),
        ("/tmp/x_1_2_a.ipynb", 0, "leads out"),
        ("C:/x_1_2_a.ipynb", 0, "leads out"),
        ("a\\..\\..\\x_1_2_a.ipynb", 0, "leads out"),
        ("x_1_2_a.ipynb", stat.S_IFLNK | 0o777, "is a link"),
        ("x_1_2_a.ipynb", stat.S_IFIFO | 0o666, "neither a file nor"),
    ],
)
def test_a_hostile_archive_is_refused_as_a_whole(course, take, tmp_path, name, kind, reason):
    path, info = zipped(tmp_path, {GOOD: NB}), zipfile.ZipInfo(name)
    info.external_attr = kind << 16
    with zipfile.ZipFile(path, "a") as made:
        made.writestr(info, NB)
    with pytest.raises(TitoError, match=f"was not opened: .* {reason}.*"):
        take(path)
    assert not course.submitted.exists()


@pytest.mark.parametrize("data", [bytes(300_000_000), os.urandom(21_000_000)], ids=["bomb", "big"])
def test_a_large_file_costs_nobody_but_its_owner(take, data):
    report = take({GOOD: data, GRACE: NB})
    assert report.collected == ["grace"]
    assert report.refused == {"ada": f"{GOOD} is larger than 20 MB"}


def test_a_damaged_file_costs_nobody_but_its_owner(take, tmp_path):
    data = bytearray(packed({GOOD: NB * 9, GRACE: NB}))
    data[len(GOOD) + 35] ^= 0xFF
    (tmp_path / "damaged.zip").write_bytes(data)
    report = take(tmp_path / "damaged.zip")
    assert report.collected == ["grace"] and "is damaged" in report.refused["ada"]


def test_an_archive_of_too_many_files_is_refused(take, monkeypatch):
    monkeypatch.setattr(archive, "MAX_ENTRIES", 2)
    with pytest.raises(TitoError, match="3 notebooks, more than 2"):
        take({f"{number}{GOOD}": NB for number in range(3)})


@pytest.mark.parametrize(
    ("data", "told"),
    [(b"hello", "neither a folder nor a zip"), (packed({"a.txt": b""}), "no notebook among its 1")],
)
def test_what_is_no_archive_of_submissions_is_named(take, tmp_path, data, told):
    (tmp_path / "some.zip").write_bytes(data)
    with pytest.raises(TitoError, match=told):
        take(tmp_path / "some.zip")


def test_a_folder_with_a_link_is_refused(take, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "ada.ipynb").symlink_to("/etc/passwd")
    with pytest.raises(TitoError, match="is a link to /etc/passwd"):
        take(tmp_path / "folder")


def test_a_name_that_no_file_can_have_is_replaced(take, files_of):
    take({f"lovelaceada_12345_900_{'x' * 225}.ipynb": NB})
    assert files_of("ada") == {"notebook-900.ipynb": NB}


def test_command_names_what_was_not_taken(told):
    code, printed = told({GOOD: NB, "who_9_2_optimizers_dev.ipynb": NB}, CANVAS)
    assert code == 1
    assert "not in the roster: who_9_2_optimizers_dev.ipynb: who (9)" in printed
    assert "nothing from: grace" in printed
    assert "canvas: 1 collected, 0 unchanged, 1 not taken, 1 missing" in printed


def test_command_fails_for_an_unclear_time(told):
    code, printed = told({MOODLE: NB}, with_time("5/12/26"))
    assert code == 1 and "no time: ada: the roster says '5/12/26'" in printed


def test_a_class_that_nobody_named_is_asked_for(tito, tmp_path):
    answer = tito("collect", "08", str(zipped(tmp_path, {GOOD: NB})))
    assert answer.returncode == 1 and "name the class with --roster FILE" in answer.stderr


# What real classes hand in: nobody takes another's place, and nobody stops the others.

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
    report = take({f"ada/{name}": data, "stranger/work.zip": b"PK", **GRACES})
    assert report.collected == ["grace"]
    assert list(report.refused) == ["ada"] and reason in report.refused["ada"]
    assert report.unknown == {"stranger/work.zip": "stranger"}


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
