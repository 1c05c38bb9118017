"""Files for the platforms; what each importer reads stands in the sources of Canvas and Moodle."""

import csv
import json
import re
import subprocess
import sys
import zipfile
from contextlib import suppress
from dataclasses import replace

import pytest

from tests.conftest import ROOT
from tests.tito.course.test_roster import CANVAS, MOODLE, write
from tinytorch.checks.problem import Problem
from tinytorch.checks.report import PartVerdict, Report
from tito.commands._roster import people_of
from tito.course import roster
from tito.course.gradebook import open_gradebook
from tito.errors import TitoError
from tito.gradebook import platforms, records
from tito.gradebook.platforms import FORMATS, Sheet
from tito.gradebook.records import Record
from tito.gradebook.scores import Row

MAXIMA = {"test-sgd": 170.0, "question-1": 30.0}


def row(student, sgd=100.0, question=20.0, **more):
    return Row(student, "graded", {"test-sgd": sgd, "question-1": question}, MAXIMA, **more)


ROWS = [
    row("ada", penalty=12.005),
    row("grace", question=None, needs_manual=("question-1",)),
    Row("ken", "failed", dict.fromkeys(MAXIMA), MAXIMA, reason="=broken"),
    Row("linus", "missing", dict.fromkeys(MAXIMA, 0.0), MAXIMA),
    row("stranger"),
]


@pytest.fixture
def sheet(course, module, tmp_path):
    def make(text, rows=ROWS, **more):
        people = roster.read(write(tmp_path, text))
        return Sheet(course, module, rows, people, "Optimizers", **more)

    return make


@pytest.fixture
def written(sheet, tmp_path):
    """Write a platform's file; return what is said of it, and its lines."""

    def write_file(kind, text, rows=ROWS, **more):
        made = FORMATS[kind][0](sheet(text, rows, **more), tmp_path / "out.csv")
        with made.path.open(newline="", encoding="utf-8") as file:
            return made, list(csv.DictReader(file))

    return write_file


@pytest.fixture
def for_gradescope(sheet, tmp_path):
    """Write the folder for Gradescope; return what is said of it, and the marks by address."""

    def write_folder(text, rows=ROWS):
        made = platforms.write_gradescope(sheet(text, rows), tmp_path / "gradescope")
        with suppress(FileNotFoundError), zipfile.ZipFile(made.path / "autograder.zip") as archive:
            return made, json.loads(archive.read("marks.json"))
        return made, {}

    return write_folder


def test_csv_has_a_line_for_everyone_and_no_formula(written):
    made, lines = written("csv", CANVAS)
    assert [line["student"] for line in lines] == ["ada", "grace", "ken", "linus", "stranger"]
    assert lines[0]["total"] == "107.995" and lines[1]["question-1"] == ""
    assert lines[2]["reason"] == "'=broken"
    assert made.left_out == {}


def test_canvas_export_is_filled_with_final_marks(written):
    made, lines = written("canvas", CANVAS)
    assert made.path.read_text().splitlines()[0] == (
        "Student,ID,SIS User ID,SIS Login ID,Section,Optimizers (4711)"
    )
    assert lines[0] == {
        "Student": "    Points Possible",
        **dict.fromkeys(("ID", "SIS User ID", "SIS Login ID", "Section"), ""),
        "Optimizers (4711)": "200",
    }
    assert [(line["ID"], line["Optimizers (4711)"]) for line in lines[1:]] == [("12345", "108")]
    assert made.left_out == {
        "grace": "to be marked by hand: question-1",
        "ken": "=broken",
        "stranger": "not in the roster",
    }


def test_provisional_totals_are_written_when_asked_for(written):
    made, lines = written("canvas", CANVAS, provisional=True)
    assert [line["Optimizers (4711)"] for line in lines] == ["200", "108", "100"]


def test_canvas_without_its_export_gets_a_new_column(written):
    text = "student_id,first_name,last_name,canvas_id\nada,Ada,Lovelace,12345\n"
    _, lines = written("canvas", text)
    assert lines[1]["Student"] == "Lovelace, Ada" and lines[1]["ID"] == "12345"
    assert list(lines[1])[-1] == "Optimizers"


ADA = [row("ada@example.org")]


def test_moodle_gets_its_worksheet_back_filled_in(written):
    _, lines = written("moodle", MOODLE, ADA)
    assert list(lines[0]) == list(next(csv.reader([MOODLE.splitlines()[0]])))
    assert (lines[0]["Identifier"], lines[0]["Grade"]) == ("Participant 77", "120")


REFUSED = {
    **dict.fromkeys(
        ("1.000,00", "1,000.00", "1 000,00", " 1000.00 ", "1000"),
        r"maximum grade is 1000, the assignment's 200\. Set it",
    ),
    **{
        said: f"grade of ada@example.org is '{said}', which is no numb"
        for said in ("-", "Pass/Fail", "1.0.0")
    },
}


@pytest.mark.parametrize(("said", "told"), REFUSED.items())
def test_another_maximum_is_read_in_every_language_and_refused(written, said, told):
    with pytest.raises(TitoError, match=told):
        written("moodle", MOODLE.replace("200,00", said), ADA)


def test_moodle_without_worksheet(written):
    text = "student_id,Email,Name\nada,ada@example.org,Ada Lovelace\n"
    _, lines = written("moodle", text)
    names = {"First name": "Ada", "Last name": "Lovelace", "ID number": ""}
    assert lines == [{**names, "Email address": "ada@example.org", "Optimizers": "108"}]


PARTS = (
    PartVerdict("a", "A plain step.", 100, 100, None, ""),
    PartVerdict("b", "Velocity.", 70, 0, Problem("w", "1.9", "1.0"), "Think."),
)


@pytest.fixture
def gradescope(course, module, for_gradescope):
    """The folder for two students, of whom one has a final mark."""
    cells = {"test-sgd": Report("test-sgd", 170, PARTS).data()}
    records.save(course, module, Record("ada", "graded", cells=cells, seconds=2.5))
    made, _ = for_gradescope("student_id,Email\nada,Ada@Example.org\ngrace,grace@example.org\n")
    return made


def test_gradescope_gets_the_points_of_parts_and_what_failed(gradescope):
    results = json.loads((gradescope.path / "ada" / "results.json").read_text())
    assert results["score"] == 108.0 and results["execution_time"] == 2.5
    assert "12.005 points were taken for lateness" in results["output"]
    shown = [(t["number"], t["score"], t["max_score"]) for t in results["tests"]]
    assert shown == [("1.1", 100, 100), ("1.2", 0, 70), ("2", 20.0, 30.0)]
    assert results["tests"][1]["status"] == "failed"
    assert "expected: 1.9\ngot: 1.0\nhint: Think." in results["tests"][1]["output"]
    assert "grace" in gradescope.left_out and gradescope.students == 1


def test_gradescope_runs_the_autograder(gradescope, tmp_path):
    home = tmp_path / "autograder"  # the script beside its folders, the zip's content in source
    with zipfile.ZipFile(gradescope.path / "autograder.zip") as archive:
        archive.extractall(home / "source")
    (home / "run_autograder").write_bytes((home / "source" / "run_autograder").read_bytes())
    for email, score in (("ada@example.ORG", 108.0), ("grace@example.org", 0)):
        users = {"users": [{"email": email, "id": 1, "name": "A"}]}
        (home / "submission_metadata.json").write_text(json.dumps(users))
        subprocess.run([sys.executable, home / "run_autograder"], check=True)
        assert json.loads((home / "results" / "results.json").read_text())["score"] == score


def test_gradescope_leaves_out_missing_addresses(for_gradescope):
    text = "student_id,Email\nada,Ada@Example.org\nken,\n"
    made, marks = for_gradescope(text, [row("ada"), row("ken")])
    assert made.left_out == {"ken": "no e-mail address in the roster"} and made.students == 1
    assert sorted(path.name for path in made.path.iterdir()) == ["ada", "autograder.zip"]
    assert list(marks) == ["ada@example.org"]


def test_shared_address_gets_no_mark(for_gradescope):
    text = "student_id,Email\nada,a@example.org\nken,A@example.org\nzoe,z@example.org\n"
    rows = [row("ada"), row("ken"), row("zoe")]
    made, marks = for_gradescope(text, rows)
    told = "the roster has the address a@example.org 2 times"
    assert made.left_out == {"ada": told, "ken": told} and list(marks) == ["z@example.org"]
    made, _ = for_gradescope(text, rows[:2])
    assert not (made.path / "autograder.zip").exists(), "its marks are not final any more"


def test_gradescope_needs_addresses(for_gradescope, tmp_path):
    with pytest.raises(TitoError, match="no student has an e-mail address.*--roster FILE"):
        for_gradescope("student_id\nada\n", [row("ada")])
    assert not (tmp_path / "gradescope").exists()


def test_gradebook_replaces_a_missing_roster(course):
    with open_gradebook(course) as book:
        book.add_student("ada", first_name="Ada", email="a@b.c", lms_user_id="9")
    (ada,) = people_of(course, None).people
    assert (ada.student, ada.name) == ("ada", "Ada")
    assert (ada.keys["canvas"], ada.keys["email"]) == ("9", "a@b.c")


def test_students_match_by_any_key(written, course):
    with open_gradebook(course) as book:
        book.add_student("ada", first_name="A.", last_name="L.", email="Ada@example.org")
        book.add_student("g", lms_user_id="12346")
    _, lines = written("moodle", MOODLE, [row("ada")])
    assert lines[0]["Grade"] == "120"
    _, lines = written("canvas", CANVAS, [row("g")])
    assert [line["ID"] for line in lines] == ["", "12346"]


@pytest.mark.parametrize("kind", ["canvas", "moodle", "gradescope"])
def test_a_file_without_a_single_student_is_none(sheet, tmp_path, kind):
    path = tmp_path / "out"
    nobody = [row("stranger"), row("grace", question=None, needs_manual=("question-1",))]
    message = (
        r"not a single student would be in the file: not in the roster \(1\); to be marked by "
        r"hand: question-1 \(1\)\. They are stranger, grace .* roster has number: 'SIS Login ID'"
    )
    with pytest.raises(TitoError, match=message):
        platforms.write(kind, sheet(CANVAS, nobody), path)
    assert not path.exists()
    with pytest.raises(TitoError, match="no student has handed anything in"):
        platforms.write(kind, sheet(CANVAS, [ROWS[3]]), path)


@pytest.mark.parametrize(("title", "warned"), [("Final project", True), ("Optimizers", False)])
def test_a_title_that_canvas_ignores_is_warned_of(sheet, tmp_path, title, warned):
    made = platforms.write("canvas", replace(sheet(CANVAS), title=title), tmp_path / "out.csv")
    assert ("Canvas ignores a column" in made.warning) is warned


def test_marks_are_written_where_git_ignores_them(course, module, tito):
    with open_gradebook(course) as book:
        book.add_student("ada")
    assert "1 students: " in tito("scores", "08", "--format", "csv").stdout
    (made,) = (course.records / module.name / "exports").iterdir()
    assert made.name == "08_optimizers-csv.csv"
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert f"{course.records.relative_to(course.root)}/" in ignored
    assert re.search(r"^ada +- +- +- +missing", tito("scores", "08").stdout, re.MULTILINE)
