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


def test_student_id_column_wins(tmp_path):
    text = "student_id;Name;Email\nal;Ada Lovelace;ada@example.org\n"
    assert roster.read(write(tmp_path, text)).people[0].student == "al"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("what,ever\n1,2\n", "no column that names students; its columns are what, ever"),
        ("student_id\n", "names no student"),
        ('student_id,Name\nada,"Ada\ngrace,Grace\n', "is not CSV"),
        (
            "nr;name (first, last, title)\nada;Ada;ada@example.org\n",
            "no column that names students",
        ),
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


def test_a_column_without_a_heading_is_nobody_s_key(tmp_path):
    text = ",student_id,Name\n0,ada,Ada Lovelace\n1,grace,Grace Hopper\n"
    ada = roster.read(write(tmp_path, text)).people[0]
    assert (ada.student, ada.name, set(ada.keys.values())) == ("ada", "Ada Lovelace", {""})


def test_another_encoding_is_refused_with_a_remedy(tmp_path):
    with pytest.raises(TitoError, match="not UTF-8 text .* Save it as"):
        roster.read(write(tmp_path, "student_id\nRené\n", "latin-1"))


def people(tmp_path, text, **more):
    return roster.read(write(tmp_path, text), **more).people


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\nstudent_id;name\nann;Ann Able\n",
        "\n;;\n\nSTUDENT_ID;Name\nann;Ann Able\n",
        '"sep=;"\r\nstudent_id;name\r\nann;Ann Able\r\n',
        "sep=\t\nstudent_id\tname\nann\tAnn Able\n",
    ],
)
def test_skips_lines_before_headings(tmp_path, text):
    (ann,) = people(tmp_path, text)
    assert (ann.student, ann.name) == ("ann", "Ann Able")


def test_a_spreadsheet_s_unicode_text_is_read(tmp_path):
    path = tmp_path / "roster.csv"
    path.write_bytes("student_id\tname\r\njose\tJosé Müller\r\n".encode("utf-16"))
    assert roster.read(path).people[0].name == "José Müller"


def test_canvas_s_test_student_is_none(tmp_path):
    text = CANVAS + '"Student, Test",999,,5f1c0a,Group A,,0\n'
    assert [person.student for person in people(tmp_path, text)] == ["ada", "grace"]
    real = CANVAS + '"Student, Test",999,S9,test,Group A,,0\n'
    assert [person.student for person in people(tmp_path, real)] == ["ada", "grace", "test"]


def test_empty_number_column_falls_back_to_addresses(tmp_path):
    text = "First name,Last name,ID number,Email address\nAnn,Able,,ann@x.org\nBo,B,7,bo@x.org\n"
    assert [person.student for person in people(tmp_path, text)] == ["ann@x.org", "bo@x.org"]


def test_missing_number_is_reported(tmp_path):
    with pytest.raises(TitoError, match=r"a line \(Bo B\) has nothing in column SID.* Fill it in"):
        people(tmp_path, "SID,Name\n1,Ann Able\n,Bo B\n")


def test_worksheet_without_addresses_is_refused(tmp_path):
    text = "Identifier,Full name,Grade\nParticipant 101,Ann Able,\n"
    with pytest.raises(TitoError, match="no column that names students; .*Add a column student_id"):
        people(tmp_path, text)
    assert people(tmp_path, text, for_export=True)[0].keys["moodle"] == "101"


def test_the_columns_that_were_recognized_are_told(tmp_path):
    found = roster.read(write(tmp_path, MOODLE))
    assert found.recognized() == "number: 'Identifier'; name: 'Full name'; e-mail: 'Email address'"
    assert roster.read(write(tmp_path, "student_id\nada\n")).recognized() == (
        "number: 'student_id'; name: none; e-mail: none"
    )


def test_roster_ids_become_gradebook_ids(tmp_path):
    text = "student_id,email\nnew,new@x.org\nann2,ANN@x.org\nbo,bo@x.org\ncy2,a@x.org\n"
    ours = [
        *(Person("ann", keys={"email": "ann@x.org"}), Person("bo", keys={"email": "old@x.org"})),
        *(Person("cy", keys={"email": "a@x.org"}), Person("dee", keys={"email": "a@x.org"})),
    ]
    found, renamed, doubtful = with_gradebook_ids(roster.read(write(tmp_path, text)), ours)
    assert [person.student for person in found.people] == ["new", "ann", "bo"]
    assert renamed == {"ann2": "ann"}
    assert doubtful == {"cy2": "a number or an address is that of cy, dee"}


def test_two_lines_never_match_one_student(tmp_path):
    text = "student_id,email\nann,x@x.org\nann2,ann@x.org\n"
    ours = [Person("ann", keys={"email": "ann@x.org"})]
    found, renamed, doubtful = with_gradebook_ids(roster.read(write(tmp_path, text)), ours)
    assert [person.student for person in found.people] == ["ann"]
    assert (renamed, list(doubtful)) == ({}, ["ann2"])


def test_matched_by_key_never_by_namesake(tmp_path):
    text = (
        "Student,ID,SIS Login ID,Section\n"
        '"Able, Ann",1,aa1,A\n"Baker, Bo",2,bb2,A\n"Sim, Sam",3,ss3,A\n"Sim, Sam",4,ss4,A\n'
    )
    ours = [
        *(Person("aa1"), Person("bo", "Bo", "Baker"), Person("sam", "Sam", "Sim")),
        Person("x", keys={"canvas": "4"}),
    ]
    found = matched(ours, roster.read(write(tmp_path, text)))
    assert {student: person.student for student, person in found.items()} == {
        "aa1": "aa1",
        "bo": "bb2",
        "x": "ss4",
        "sam": "ss3",
    }
    del ours[3]
    assert "sam" not in matched(ours, roster.read(write(tmp_path, text)))


def test_contradictory_key_and_name_match_nobody(tmp_path):
    text = "SIS Login ID,SIS User ID,Name\n6,5,Ada Lovelace\n5,6,Grace Hopper\n7,8,Ann Lee\n"
    ours = [Person("5", "Ada", "Lovelace"), Person("6", "Grace", "Hopper"), Person("7", "A", "Ray")]
    assert list(matched(ours, roster.read(write(tmp_path, text)))) == ["7"]


def test_moodle_participant_number_is_no_key(tmp_path):
    text = "Identifier,Full name,Email address\nParticipant 101,Bo Baker,bo@x.org\n"
    assert matched([Person("101")], roster.read(write(tmp_path, text))) == {}


@pytest.mark.parametrize("ids", ["ann\nAnn", "jose\u0301\njos\u00e9"])
def test_ids_that_are_one_on_some_disks_are_refused(tmp_path, ids):
    with pytest.raises(TitoError, match="more than once"):
        people(tmp_path, f"student_id\n{ids}\n")


def test_staff_are_no_students(tmp_path):
    text = "Name,SID,Email,Role\nAnn Able,1,a@x.org,Student\nT. Eacher,2,t@x.org,Instructor\n"
    assert [person.student for person in people(tmp_path, text)] == ["1"]


def test_a_large_class_under_other_ids_is_found_whole(tmp_path):
    lines = [f"new{n},s{n}@x.org" for n in range(3000)]
    ours = [Person(f"old{n}", keys={"email": f"s{n}@x.org"}) for n in range(3000)]
    file = roster.read(write(tmp_path, "student_id,email\n" + "\n".join(lines)))
    assert len(with_gradebook_ids(file, ours)[1]) == len(matched(ours, file)) == 3000
