"""Downloads named as Canvas, Moodle and Gradescope name them, and some that nobody should open."""

import io
import os
import stat
import zipfile
from datetime import datetime

import pytest

from tests.tito.course.test_roster import CANVAS
from tests.tito.small_course import gradebook
from tests.tito.submission.downloads import (
    GOOD,
    GRACE,
    LATE,
    MOODLE,
    NB,
    OTHER,
    packed,
    with_time,
    zipped,
)  # fmt: skip
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
  - :name: Ada L.
    :sid: S1
    :email: other@example.org
  - :name: Grace H.
    :sid:
    :email: GRACE@example.org
  :created_at: 2026-11-20 14:22:32.365935000 -07:00
  :score: 1.0
  :results: !ruby/hash:ActiveSupport::HashWithIndifferentAccess
    tests: []
submission_2:
  :submitters:
  - :name: Nobody
    :sid: S99
    :email: n@example.org
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


def test_empty_folder_counts_as_missing(course, module, take):
    (course.submitted / "ada" / module.name).mkdir(parents=True)
    assert take({GOOD: NB}).collected == ["ada"]
    assert not (course.records / module.name / "earlier").exists()


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


CLEAR = {
    "Saturday, 5 December 2026, 11:59 PM": b"2026-12-05 23:59:00 UTC\n",
    "2026-12-05 23:59:00 +01:00": b"2026-12-05 22:59:00 UTC\n",
    "2026/12/05 23:59": b"2026-12-05 23:59:00 UTC\n",
    "25/12/2026 23:59": b"2026-12-25 23:59:00 UTC\n",
    "12/25/26 23:59": b"2026-12-25 23:59:00 UTC\n",
}
UNCLEAR = [
    "Freitag, 5. Dezember 2026, 23:59", "vendredi 5 décembre 2026, 23:59", "5/12/26",
    "05.12.2026 23:59", "23:59", "5 December", "Friday, 5 December 2026, 23:59 XYZ", "9" * 19,
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CLEAR.items())
def test_unambiguous_roster_time_is_used(take, stamp, text, expected):
    assert take({MOODLE: NB}, with_time(text)).unclear == {}
    assert stamp.read_bytes() == expected


@pytest.mark.parametrize("text", UNCLEAR)
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
    with (course.root / "nbgrader_config.py").open("a") as config:
        config.write('\nc.Exchange.timezone = "Europe/Berlim"\n')
    with pytest.raises(TitoError, match="timezone is 'Europe/Berlim'.*such as 'Europe/Berlin'"):
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


def entry(name, kind=0):
    info = zipfile.ZipInfo(name)
    info.external_attr = kind << 16
    return info


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        (entry("../../etc/cron.d/x_1_2_a.ipynb"), "leads out"),
        (entry("/tmp/x_1_2_a.ipynb"), "leads out"),
        (entry("C:/x_1_2_a.ipynb"), "leads out"),
        (entry("a\\..\\..\\x_1_2_a.ipynb"), "leads out"),
        (entry("x_1_2_a.ipynb", stat.S_IFLNK | 0o777), "is a link"),
        (entry("x_1_2_a.ipynb", stat.S_IFIFO | 0o666), "neither a file nor"),
    ],
)
def test_a_hostile_archive_is_refused_as_a_whole(course, take, tmp_path, info, reason):
    path = zipped(tmp_path, {GOOD: NB})
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


def test_false_archive_size_is_bounded():
    opened = archive.Entry("x", 10, lambda: io.BytesIO(bytes(100)))
    with pytest.raises(archive.UnreadableError, match="larger"):
        opened.read(50)


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
