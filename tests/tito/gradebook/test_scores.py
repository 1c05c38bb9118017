import shutil

import pytest
from nbgrader.api import Gradebook
from rich.console import Console

from tito.autograde import grade_class
from tito.commands.scores import _print_notes, _table
from tito.course.roster import Person, Roster
from tito.errors import TitoError
from tito.gradebook import platforms, records, scores
from tito.gradebook.records import Record
from tito.gradebook.scores import Row


def test_table_has_everyone_and_cells_in_notebook_order(course, module, hand_in):
    url = course.nbgrader_config().CourseDirectory.db_url
    with Gradebook(url, "tinytorch-optimizers") as book:
        book.add_student("roster only")
    hand_in("handed in")
    hand_in("failed", "{")
    records.save(course, module, Record("failed", "failed", reason="broken", flags=("a", "b")))
    rows = scores.table(course, module)
    assert [(row.student, row.status, row.reason) for row in rows] == [
        ("failed", "failed", "broken"),
        ("handed in", "not graded", "run 'tito grade 08_optimizers'"),
        ("roster only", "missing", ""),
    ]
    assert list(rows[0].points) == ["test-double", "test-triple", "question-1"]
    assert rows[0].max == 15.0
    assert rows[2].points == {"test-double": 0.0, "test-triple": 0.0, "question-1": 0.0}


def test_without_a_release_there_are_no_scores(course, module):
    (course.release / module.name / f"{module.notebook}.ipynb").unlink()
    with pytest.raises(TitoError, match="tito release"):
        scores.table(course, module)


def test_a_record_that_cannot_be_read_is_none(course, module):
    path = records.path_of(course, module, "ada")
    path.parent.mkdir(parents=True)
    for text in ("{", "[]", '{"version": 99}', '{"version": 1, "flags": []}'):
        path.write_text(text)
        assert records.load(course, module, "ada") is None


@pytest.fixture
def marked(course, module, hand_in):
    """Ada and Ben were graded, with ten points each."""
    paths = {student: hand_in(student) for student in ("ada", "ben")}
    grade_class.grade(course, module)
    return paths


def by_student(course, module):
    return {row.student: row for row in scores.table(course, module)}


@pytest.mark.parametrize("content", ["{}", None])
def test_replaced_submission_has_no_final_mark(course, module, marked, content):
    if content is None:  # it is another one, which cannot even be read
        marked["ada"].unlink()
    else:
        marked["ada"].write_text(content)
    rows = by_student(course, module)
    ada = rows["ada"]
    assert (ada.status, ada.total, ada.flags) == (
        *("not graded", 10.0),
        ("the mark is older: handed in anew",),
    )
    assert (rows["ben"].status, rows["ben"].reason, rows["ben"].flags) == ("graded", "", ())
    people = Roster((Person("ada"), Person("ben")))
    sheet = platforms.Sheet(course, module, list(rows.values()), people, "Optimizers")
    assert [row.student for row, _ in sheet.final()] == ["ben"]
    assert sheet.left_out() == {
        "ada": "handed in anew, not graded yet: run 'tito grade 08_optimizers'"
    }


def test_a_renamed_notebook_is_compared_too(course, module, hand_in):
    path = hand_in("ada", name="my homework.ipynb")
    grade_class.grade(course, module)
    assert by_student(course, module)["ada"].status == "graded"
    path.write_text(path.read_text() + "\n")
    assert by_student(course, module)["ada"].status == "not graded"


def test_removed_submission_keeps_mark_and_flag(course, module, marked):
    shutil.rmtree(marked["ada"].parent)
    ada = by_student(course, module)["ada"]
    assert (ada.status, ada.total, ada.reason) == ("graded", 10.0, "")
    assert ada.flags == ("nothing is handed in any more; the mark is of what was",)


def test_a_long_id_takes_no_room_from_the_marks(capsys):
    points = {f"test-{number}": 10.0 for number in range(11)}
    student = "anna.with-a-long-name@student.university.example"
    row = Row(student, "graded", points, points, needs_manual=("test-0",))
    Console(width=80).print(_table([row]))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[1:] == [*["10"] * 11, "110+?"]
    assert "".join(line.split()[0] for line in lines[1:]) == student


def test_what_is_taken_for_lateness_is_said(capsys):
    row = Row("ada", "graded", {"test": 10.0}, {"test": 10.0}, penalty=2.5)
    _print_notes([row])
    assert capsys.readouterr().out == "ada: late, which costs 2.5 points\n"
