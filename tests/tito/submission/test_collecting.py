"""Downloads named as Canvas, Moodle and Gradescope name them, and some that nobody should open."""

import io
import os
import stat
import zipfile
from datetime import datetime

import pytest
from nbgrader.api import Gradebook

from tests.tito.course.test_roster import CANVAS, write
from tito.cli import cli
from tito.course import roster
from tito.errors import TitoError
from tito.submission import archive
from tito.submission.collect import collect

NB = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
OTHER = NB.replace(b"{}", b'{"a": 1}')
GOOD = "lovelaceada_12345_900_optimizers_dev.ipynb"
GRACE = "hoppergrace_12346_800_optimizers_dev.ipynb"
LATE = "lovelaceada_LATE_12345_900_optimizers_dev.ipynb"
MOODLE = "Ada Lovelace_77_assignsubmission_file_/optimizers_dev.ipynb"
CLASS = """\
student_id,name,email,canvas_id,moodle_id,sid
ada,Ada Lovelace,ada@example.org,12345,77,S1
grace,Grace Hopper,grace@example.org,12346,78,S2
jose,José Peña-Ruiz,jose@example.org,,,S3
twin-1,Sam Smith,sam1@example.org,12350,,S4
twin-2,Sam Smith,sam2@example.org,12351,,S5
"""


def zipped(tmp_path, files):
    path = tmp_path / "download.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return path


@pytest.fixture
def take(course, module, tmp_path):
    def run(source, text=CLASS, **more):
        source = zipped(tmp_path, source) if isinstance(source, dict) else source
        return collect(course, module, source, roster.read(write(tmp_path, text)), **more)

    return run


def files_of(course, module, student):
    folder = course.submitted / student / module.name
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def gradebook(course):
    return Gradebook(course.nbgrader_config().CourseDirectory.db_url)


def test_canvas(course, module, take):
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
    assert files_of(course, module, "ada") == {"optimizers_dev.ipynb": NB}
    assert files_of(course, module, "grace") == {"optimizers_dev.ipynb": NB}
    assert files_of(course, module, "jose") == {"my_1_2_work.ipynb": NB}
    assert report.duplicates == {"grace": "not taken: hoppergrace_12346_800_optimizers_dev.ipynb"}
    assert list(report.late) == ["ada"] and "not by how much" in report.late["ada"]
    # Namesakes are not guessed at, and neither is anybody else.
    assert set(report.unknown.values()) == {"stranger (5)", "anon_Ab1cD"}
    assert list(report.doubtful.values()) == ["smithsam (555): that could be twin-1 or twin-2"]
    assert report.refused["twin-1"].startswith("smithsam_12350_3_work.zip cannot be opened")
    assert report.refused["twin-1"].endswith("ask for optimizers_dev.ipynb itself")
    assert report.missing == ["twin-2"]


def test_moodle_folders_flat_names_groups_and_times(course, module, take):
    with gradebook(course) as book:
        book.update_or_create_assignment(module.name, duedate=datetime(2026, 11, 20, 22))
    text = CLASS.replace("sid\n", "sid,Last modified (submission)\n").replace(
        "77,S1", '77,S1,"Saturday, 21 November 2026, 1:30 AM"'
    )
    report = take(
        {
            "Ada Lovelace_77_assignsubmission_file_/optimizers_dev.ipynb": NB,
            "Ada Lovelace_77_assignsubmission_onlinetext_/onlinetext.html": b"<p>",
            "Group 1-Grace Hopper_1078_assignsubmission_file_optimizers_dev.ipynb": NB,
            "CS/José Peña-Ruiz_5_assignsubmission_file/sub/optimizers_dev.ipynb": NB,
        },
        text,
    )
    assert (report.scheme, report.collected) == ("moodle", ["ada", "grace", "jose"])
    assert report.late == {"ada": "by 3:30:00, 10 % of the points earned"}
    assert files_of(course, module, "ada") == {
        "optimizers_dev.ipynb": NB,
        "timestamp.txt": b"2026-11-21 01:30:00 UTC\n",
    }
    assert not report.refused and not report.unknown


def test_gradescope_with_a_group_and_times(course, module, take):
    metadata = b"""\
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
    report = take(
        {
            "assignment_8_export/submission_metadata.yml": metadata,
            "assignment_8_export/submission_1/optimizers_dev.ipynb": NB,
            "assignment_8_export/submission_2/optimizers_dev.ipynb": NB,
            "__MACOSX/assignment_8_export/._submission_metadata.yml": b"\0",
        }
    )
    assert (report.scheme, report.collected) == ("gradescope", ["ada", "grace"])
    assert files_of(course, module, "grace")["timestamp.txt"] == b"2026-11-20 21:22:32 UTC\n"
    assert list(report.unknown.values()) == ["Nobody (submission_2)"]


def test_replace_keeps_the_earlier_submission(course, module, take, tmp_path):
    name = GOOD
    assert take({name: NB}).collected == ["ada"]
    assert take({name: NB}).unchanged == ["ada"]
    later = take({name: OTHER})
    assert (
        list(later.conflicts) == ["ada"]
        and files_of(course, module, "ada")["optimizers_dev.ipynb"] == NB
    )
    assert take({name: OTHER}, supersede=True).collected == ["ada"]
    assert files_of(course, module, "ada")["optimizers_dev.ipynb"] == OTHER
    (earlier,) = (course.records / module.name / "earlier" / "ada").rglob("*.ipynb")
    assert earlier.read_bytes() == NB
    assert sorted(path.name for path in course.submitted.iterdir()) == ["ada"]


def test_a_folder_within_a_submission_is_not_lost(course, module, take):
    inner = course.submitted / "ada" / module.name / "from-mail"
    inner.mkdir(parents=True)
    (inner / "optimizers_dev.ipynb").write_bytes(OTHER)
    assert list(take({GOOD: NB}).conflicts) == ["ada"]
    assert (inner / "optimizers_dev.ipynb").read_bytes() == OTHER
    assert take({GOOD: NB}, supersede=True).collected == ["ada"]
    assert files_of(course, module, "ada") == {"optimizers_dev.ipynb": NB}
    (earlier,) = (course.records / module.name / "earlier" / "ada").rglob("*.ipynb")
    assert earlier.read_bytes() == OTHER and earlier.parent.name == "from-mail"


def test_empty_folder_counts_as_missing(course, module, take):
    (course.submitted / "ada" / module.name).mkdir(parents=True)
    assert take({GOOD: NB}).collected == ["ada"]
    assert not (course.records / module.name / "earlier").exists()


@pytest.mark.parametrize("supersede", [False, True])
def test_a_time_that_a_person_wrote_stays_and_counts(course, module, take, supersede):
    with gradebook(course) as book:
        book.update_or_create_assignment(module.name, duedate=datetime(2026, 11, 20, 22))
    assert "write the time into its timestamp.txt" in take({LATE: NB}).late["ada"]
    time = course.submitted / "ada" / module.name / "timestamp.txt"
    time.write_text("2026-11-21 01:30:00 UTC\n")
    again = take({LATE: NB}, supersede=supersede)
    assert (again.unchanged, again.conflicts, again.late) == (
        ["ada"],
        {},
        {"ada": "by 3:30:00, 10 % of the points earned"},
    )
    assert time.read_text() == "2026-11-21 01:30:00 UTC\n"


def test_written_time_moves_with_its_submission(course, module, take):
    take({LATE: NB})
    time = course.submitted / "ada" / module.name / "timestamp.txt"
    time.write_text("2026-11-21 01:30:00 UTC\n")
    later = take({LATE: OTHER}, supersede=True)
    assert "write the time into its timestamp.txt" in later.late["ada"]
    assert files_of(course, module, "ada") == {"optimizers_dev.ipynb": OTHER}
    (aside,) = (course.records / module.name / "earlier" / "ada").rglob("timestamp.txt")
    assert aside.read_text() == "2026-11-21 01:30:00 UTC\n"


def with_time(text):
    return CLASS.replace("sid\n", "sid,Last modified (submission)\n").replace(
        "77,S1", f'77,S1,"{text}"'
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Saturday, 5 December 2026, 11:59 PM", b"2026-12-05 23:59:00 UTC\n"),
        ("2026-12-05 23:59:00 +01:00", b"2026-12-05 22:59:00 UTC\n"),
        ("2026/12/05 23:59", b"2026-12-05 23:59:00 UTC\n"),
        ("25/12/2026 23:59", b"2026-12-25 23:59:00 UTC\n"),
        ("12/25/26 23:59", b"2026-12-25 23:59:00 UTC\n"),
    ],
)
def test_unambiguous_roster_time_is_used(course, module, take, text, expected):
    report = take({MOODLE: NB}, with_time(text))
    assert report.unclear == {}
    assert files_of(course, module, "ada")["timestamp.txt"] == expected


def test_a_time_zone_that_is_not_known_is_named(course, take):
    path = course.root / "nbgrader_config.py"
    path.write_text(path.read_text() + '\nc.Exchange.timezone = "Europe/Berlim"\n')
    with pytest.raises(TitoError, match="timezone is 'Europe/Berlim'.*such as 'Europe/Berlin'"):
        take({MOODLE: NB})


@pytest.mark.parametrize(
    "text",
    [
        "Freitag, 5. Dezember 2026, 23:59",
        "vendredi 5 décembre 2026, 23:59",
        "5/12/26",
        "05.12.2026 23:59",
        "23:59",
        "5 December",
        "Friday, 5 December 2026, 23:59 XYZ",
        "9999999999999999999",
    ],
)
def test_unclear_time_is_reported_until_written(course, module, take, text):
    report = take({MOODLE: NB}, with_time(text))
    assert (report.collected, report.late) == (["ada"], {})
    assert list(report.unclear) == ["ada"] and repr(text) in report.unclear["ada"]
    assert "timestamp.txt, as 2026-12-05 23:59:00 UTC" in report.unclear["ada"]
    assert files_of(course, module, "ada") == {"optimizers_dev.ipynb": NB}
    time = course.submitted / "ada" / module.name / "timestamp.txt"
    time.write_text("no date either")
    assert list(take({MOODLE: NB}, with_time(text)).unclear) == ["ada"]
    time.write_text("2026-12-05 23:59:00 UTC")
    again = take({MOODLE: NB}, with_time(text))
    assert (again.unchanged, again.unclear) == (["ada"], {})


def test_student_folders_enter_the_class(course, module, take, tmp_path):
    for place in ("ada/optimizers_dev.ipynb", "Grace Hopper/08_optimizers/x.ipynb", "jose.ipynb"):
        path = tmp_path / "folder" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(NB)
    report = take(tmp_path / "folder")
    assert (report.scheme, report.collected) == ("folders", ["ada", "grace", "jose"])
    take(tmp_path / "folder", CANVAS.replace("Ada", "Augusta"))
    with gradebook(course) as book:
        ada = book.find_student("ada")
        assert (ada.first_name, ada.email, ada.lms_user_id) == (
            *("Augusta", "ada@example.org", "12345"),
        )
        assert book.find_student("twin-2").last_name == "Smith"


def entry(name, **settings):
    info = zipfile.ZipInfo(name)
    for key, value in settings.items():
        setattr(info, key, value)
    return info


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        (entry("../../etc/cron.d/x_1_2_a.ipynb"), "leads out"),
        (entry("/tmp/x_1_2_a.ipynb"), "leads out"),
        (entry("C:/x_1_2_a.ipynb"), "leads out"),
        (entry("a\\..\\..\\x_1_2_a.ipynb"), "leads out"),
        (entry("x_1_2_a.ipynb", external_attr=(stat.S_IFLNK | 0o777) << 16), "is a link"),
        (entry("x_1_2_a.ipynb", external_attr=(stat.S_IFIFO | 0o666) << 16), "neither a file nor"),
    ],
)
def test_a_hostile_archive_is_refused_as_a_whole(course, take, tmp_path, info, reason):
    path = zipped(tmp_path, {GOOD: NB})
    with zipfile.ZipFile(path, "a") as made:
        made.writestr(info, NB)
    with pytest.raises(TitoError, match=f"was not opened: .* {reason}.*"):
        take(path)
    assert not course.submitted.exists()


def test_a_bomb_costs_nobody_but_its_owner(course, module, take, monkeypatch):
    report = take({GOOD: bytes(300_000_000), GRACE: NB})
    assert report.collected == ["grace"]
    assert report.refused == {"ada": f"{GOOD} is larger than 20 MB"}
    monkeypatch.setattr(archive, "MAX_ENTRIES", 2)
    with pytest.raises(TitoError, match="3 notebooks, more than 2"):
        take({f"{number}{GOOD}": NB for number in range(3)})


def test_large_or_damaged_file_stops_nobody_else(course, take, tmp_path):
    large = os.urandom(21_000_000)
    path = zipped(tmp_path, {GOOD: large, "hoppergrace_12346_1_optimizers_dev.ipynb": NB})
    report = take(path)
    assert report.collected == ["grace"] and "larger than 20 MB" in report.refused["ada"]
    damaged = zipped(tmp_path, {GOOD: NB * 9, "hoppergrace_12346_1_optimizers_dev.ipynb": NB})
    data = bytearray(damaged.read_bytes())
    data[len(GOOD) + 35] ^= 0xFF
    damaged.write_bytes(data)
    report = take(damaged)
    assert report.unchanged == ["grace"] and "is damaged" in report.refused["ada"]


def test_false_archive_size_is_bounded():
    opened = archive.Entry("x", 10, lambda: io.BytesIO(bytes(100)))
    with pytest.raises(archive.UnreadableError, match="larger"):
        opened.read(50)


@pytest.mark.parametrize("name", ["text.zip", "empty.zip"])
def test_what_is_no_archive_of_submissions_is_named(take, tmp_path, name):
    path = tmp_path / name
    if name == "text.zip":
        path.write_text("hello")
    else:
        zipped(tmp_path, {"readme.txt": b""}).rename(path)
    with pytest.raises(TitoError, match="neither a folder nor a zip|no notebook among its 1"):
        take(path)


def test_a_folder_with_a_link_is_refused(take, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "ada.ipynb").symlink_to("/etc/passwd")
    with pytest.raises(TitoError, match="is a link to /etc/passwd"):
        take(tmp_path / "folder")


def test_a_name_that_no_file_can_have_is_replaced(course, module, take):
    name = f"lovelaceada_12345_900_{'x' * 225}.ipynb"
    take({name: NB})
    assert files_of(course, module, "ada") == {"notebook-900.ipynb": NB}


def test_command_names_what_was_not_taken(course, module, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(course.root)
    (course.root / "roster.csv").write_text(CANVAS)
    files = {"lovelaceada_12345_1_optimizers_dev.ipynb": NB, "who_9_2_optimizers_dev.ipynb": NB}
    source = zipped(tmp_path, files)
    with pytest.raises(SystemExit) as ended:
        cli.main(["collect", "08", str(source)], prog_name="tito")
    assert ended.value.code == 1
    printed = capsys.readouterr().out
    assert "not in the roster: who_9_2_optimizers_dev.ipynb: who (9)" in printed
    assert "nothing from: grace" in printed
    assert "canvas: 1 collected, 0 unchanged, 1 not taken, 1 missing" in printed


def test_command_fails_for_an_unclear_time(course, module, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(course.root)
    (course.root / "roster.csv").write_text(with_time("5/12/26"))
    with pytest.raises(SystemExit) as ended:
        cli.main(["collect", "08", str(zipped(tmp_path, {MOODLE: NB}))], prog_name="tito")
    assert ended.value.code == 1
    assert "no time: ada: the roster says '5/12/26'" in capsys.readouterr().out


def test_a_class_that_nobody_named_is_asked_for(course, module, tmp_path, monkeypatch):
    monkeypatch.chdir(course.root)
    with pytest.raises(TitoError, match="name the class with --roster FILE"):
        cli.main(["collect", "08", str(zipped(tmp_path, {GOOD: NB}))], standalone_mode=False)
