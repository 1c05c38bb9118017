"""Rosters as the platforms export them."""

import pytest

from tito.course import roster
from tito.course.roster import Person, matched, with_gradebook_ids
from tito.errors import TitoError

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
WORKSHEET = "Identifier,Full name,Grade\nParticipant 101,Ann Able,\n"
GRADESCOPE = "First Name,Last Name,SID,Email\nAda,Lovelace,S1,ada@example.org\n"


def write(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "roster.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.fixture
def read(tmp_path):
    """Read a roster from its text."""
    return lambda text, encoding="utf-8", **more: roster.read(
        write(tmp_path, text, encoding), **more
    )


def test_moodle_and_gradescope(read):
    (ada,) = read(MOODLE).people
    assert (ada.student, ada.keys["moodle"], ada.name) == ("ada@example.org", "77", "Ada Lovelace")
    assert ada.submitted_at == ""
    (ada,) = read(GRADESCOPE).people
    assert (ada.student, ada.keys["email"], ada.name) == ("S1", "ada@example.org", "Ada Lovelace")


def test_canvas_export(read):
    found = read(CANVAS, "utf-8-sig")
    ada, grace = found.people
    assert (ada.student, ada.name, grace.student) == ("ada", "Ada Lovelace", "grace")
    assert (ada.keys["canvas"], ada.keys["sid"]) == ("12345", "S1")
    assert found.by_name("lovelaceada") == found.by_name("ada LOVELACE") == [ada]
    assert found.by_key("canvas", "12346") == [grace]
    assert found.by_key("email", "") == []


TEST_STUDENT = CANVAS + '"Student, Test",999,{},Group A,,0\n'
STUDENTS = {
    "student_id wins": ("student_id;Name;Email\nal;Ada Lovelace;ada@example.org\n", ["al"]),
    "lines without a name": ("student_id,name\nada,Ada\n ,\n,\n", ["ada"]),
    "Canvas's test student": (TEST_STUDENT.format(",5f1c0a"), ["ada", "grace"]),
    "somebody of that name": (TEST_STUDENT.format("S9,test"), ["ada", "grace", "test"]),
    "no numbers": (
        "Name,ID number,Email\nAnn Able,,a@x.org\nBo,7,b@x.org\n",
        ["a@x.org", "b@x.org"],
    ),
    "staff": ("Name,SID,Role\nAnn Able,1,Student\nT. Eacher,2,Instructor\n", ["1"]),
    "a separator": ("sep=;\nstudent_id;name\nann;Ann Able\n", ["ann"]),
    "empty lines": ("\n;;\n\nSTUDENT_ID;Name\nann;Ann Able\n", ["ann"]),
    "a quoted separator": ('"sep=;"\r\nstudent_id;name\r\nann;Ann Able\r\n', ["ann"]),
    "tabs": ("sep=\t\nstudent_id\tname\nann\tAnn Able\n", ["ann"]),
}


@pytest.mark.parametrize(("text", "students"), STUDENTS.values(), ids=STUDENTS)
def test_students_are_found(read, text, students):
    people = read(text).people
    assert [person.student for person in people] == students
    assert people[0].name in ("Ada", "Ada Lovelace", "Ann Able")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("what,ever\n1,2\n", "no column that names students; its columns are what, ever"),
        ("student_id\n", "names no student"),
        ('student_id,Name\nada,"Ada\ngrace,Grace\n', "is not CSV"),
        ("nr;name (first, last)\nada;Ada;ada@example.org\n", "no column that names students"),
        ("student_id\nada\nada\n", "names ada more than once"),
        ("student_id\n../ada\n", "'../ada' in column student_id cannot be an id"),
        ("student_id\n..\n", "cannot be an id"),
        ("", "no column"),
        ("SID,Name\n1,Ann Able\n,Bo B\n", r"a line \(Bo B\) has nothing in column SID.* Fill it"),
        ("student_id\nann\nAnn\n", "more than once"),
        ("student_id\njose\u0301\njos\u00e9\n", "more than once"),
        (WORKSHEET, "no column that names students; .*Add a column student_id"),
    ],
)
def test_what_is_no_roster_is_refused_with_a_reason(read, text, message):
    with pytest.raises(TitoError, match=message):
        read(text)


def test_for_an_export_a_worksheet_without_addresses_will_do(read):
    assert read(WORKSHEET, for_export=True).people[0].keys["moodle"] == "101"


def test_a_column_without_a_heading_is_nobody_s_key(read):
    text = ",student_id,Name\n0,ada,Ada Lovelace\n1,grace,Grace Hopper\n"
    ada = read(text).people[0]
    assert (ada.student, ada.name, set(ada.keys.values())) == ("ada", "Ada Lovelace", {""})


def test_another_encoding_is_refused_with_a_remedy(read):
    with pytest.raises(TitoError, match="not UTF-8 text .* Save it as"):
        read("student_id\nRené\n", "latin-1")


def test_a_spreadsheet_s_unicode_text_is_read(read):
    (jose,) = read("student_id\tname\r\njose\tJosé Müller\r\n", "utf-16").people
    assert jose.name == "José Müller"


def test_the_columns_that_were_recognized_are_told(read):
    found = read(MOODLE)
    assert found.recognized() == "number: 'Identifier'; name: 'Full name'; e-mail: 'Email address'"
    told = "number: 'student_id'; name: none; e-mail: none"
    assert read("student_id\nada\n").recognized() == told


def test_roster_ids_become_gradebook_ids(read):
    text = "student_id,email\nnew,new@x.org\nann2,ANN@x.org\nbo,bo@x.org\ncy2,a@x.org\n"
    ours = [
        *(Person("ann", keys={"email": "ann@x.org"}), Person("bo", keys={"email": "old@x.org"})),
        *(Person("cy", keys={"email": "a@x.org"}), Person("dee", keys={"email": "a@x.org"})),
    ]
    found, renamed, doubtful = with_gradebook_ids(read(text), ours)
    assert [person.student for person in found.people] == ["new", "ann", "bo"]
    assert renamed == {"ann2": "ann"}
    assert doubtful == {"cy2": "a number or an address is that of cy, dee"}


def test_two_lines_never_match_one_student(read):
    text = "student_id,email\nann,x@x.org\nann2,ann@x.org\n"
    ours = [Person("ann", keys={"email": "ann@x.org"})]
    found, renamed, doubtful = with_gradebook_ids(read(text), ours)
    assert [person.student for person in found.people] == ["ann"]
    assert (renamed, list(doubtful)) == ({}, ["ann2"])


def test_matched_by_key_never_by_namesake(read):
    text = (
        "Student,ID,SIS Login ID,Section\n"
        '"Able, Ann",1,aa1,A\n"Baker, Bo",2,bb2,A\n"Sim, Sam",3,ss3,A\n"Sim, Sam",4,ss4,A\n'
    )
    ours = [
        *(Person("aa1"), Person("bo", "Bo", "Baker"), Person("sam", "Sam", "Sim")),
        Person("x", keys={"canvas": "4"}),
    ]
    found = matched(ours, read(text))
    expected = {"aa1": "aa1", "bo": "bb2", "x": "ss4", "sam": "ss3"}
    assert {student: person.student for student, person in found.items()} == expected
    del ours[3]
    assert "sam" not in matched(ours, read(text))


def test_contradictory_key_and_name_match_nobody(read):
    text = "SIS Login ID,SIS User ID,Name\n6,5,Ada Lovelace\n5,6,Grace Hopper\n7,8,Ann Lee\n"
    ours = [Person("5", "Ada", "Lovelace"), Person("6", "Grace", "Hopper"), Person("7", "A", "Ray")]
    assert list(matched(ours, read(text))) == ["7"]


def test_moodle_participant_number_is_no_key(read):
    text = "Identifier,Full name,Email address\nParticipant 101,Bo Baker,bo@x.org\n"
    assert matched([Person("101")], read(text)) == {}
