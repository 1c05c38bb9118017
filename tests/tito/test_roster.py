"""Rosters as the platforms export them."""

import pytest

from tinytorch.tito import roster
from tinytorch.tito.errors import TitoError

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Optimizers (4711),Final Score
    Points Possible,,,,,200.00,(read only)
"Lovelace, Ada",12345,S1,ada,Group A,,0
"Hopper, Grace",12346,S2,grace,Group A,,0
"""
MOODLE = """\
Identifier,"Full name","Email address",Status,Grade,"Maximum Grade","Last modified (submission)"
"Participant 77","Ada Lovelace",ada@example.org,"Submitted for grading",,"200,00",-
"""
GRADESCOPE = "First Name,Last Name,SID,Email\nAda,Lovelace,S1,ada@example.org\n"


def write(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "roster.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_canvas_export(tmp_path):
    found = roster.read(write(tmp_path, CANVAS, "utf-8-sig"))
    ada = found.people[0]
    assert (ada.student, ada.name) == ("ada", "Ada Lovelace")
    assert (ada.keys["canvas"], ada.keys["sid"]) == ("12345", "S1")
    assert [person.student for person in found.people] == ["ada", "grace"]
    assert found.by_name("lovelaceada") == found.by_name("ada LOVELACE") == [ada]
    assert found.by_key("canvas", "12346") == [found.people[1]]
    assert found.by_key("email", "") == []


def test_moodle_worksheet(tmp_path):
    ada = roster.read(write(tmp_path, MOODLE)).people[0]
    assert (ada.student, ada.keys["moodle"], ada.name) == ("ada@example.org", "77", "Ada Lovelace")
    assert ada.submitted_at == ""


def test_gradescope_roster(tmp_path):
    ada = roster.read(write(tmp_path, GRADESCOPE)).people[0]
    assert (ada.student, ada.keys["email"], ada.name) == ("S1", "ada@example.org", "Ada Lovelace")


def test_a_column_of_ones_own_decides_and_semicolons_are_read(tmp_path):
    text = "student_id;Name;Email\nal;Ada Lovelace;ada@example.org\n"
    assert roster.read(write(tmp_path, text)).people[0].student == "al"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("what,ever\n1,2\n", "no column that names students; its columns are what, ever"),
        ("student_id\n", "names no student"),
        ("student_id\nada\nada\n", "names ada more than once"),
        ("student_id\n../ada\n", "'../ada' in column student_id cannot be an id"),
        ("student_id\n..\n", "cannot be an id"),
        ("", "no column"),
    ],
)
def test_what_is_no_roster_is_refused_with_a_reason(tmp_path, text, message):
    with pytest.raises(TitoError, match=message):
        roster.read(write(tmp_path, text))


def test_lines_without_a_name_are_passed_over(tmp_path):
    found = roster.read(write(tmp_path, "student_id,name\nada,Ada\n ,\n,\n"))
    assert [person.student for person in found.people] == ["ada"]


def test_another_encoding_is_refused_with_a_remedy(tmp_path):
    with pytest.raises(TitoError, match="not UTF-8 text .* Save it as"):
        roster.read(write(tmp_path, "student_id\nRené\n", "latin-1"))
