import shutil

import pytest

from tests.tito.small_course import gradebook
from tito.commands import scores as command
from tito.course.roster import Person, Roster
from tito.errors import TitoError
from tito.gradebook import platforms, records, scores
from tito.gradebook.records import Record
from tito.gradebook.scores import Row


def test_table_has_everyone_and_cells_in_notebook_order(course, module, hand_in, rows):
    with gradebook(course) as book:
        book.add_student("roster only")
    hand_in("handed in")
    hand_in("failed", "{")
    records.save(course, module, Record("failed", "failed", reason="broken", flags=("a", "b")))
    assert [(row.student, row.status, row.reason) for row in rows().values()] == [
        ("failed", "failed", "broken"),
        ("handed in", "not graded", "run 'tito grade 08_optimizers'"),
        ("roster only", "missing", ""),
    ]
    nothing = {"test-double": 0.0, "test-triple": 0.0, "question-1": 0.0}
    assert rows()["roster only"].points == nothing and rows()["failed"].max == 15.0
    assert list(rows()["failed"].points) == list(nothing)


def test_without_a_release_there_are_no_scores(course, module):
    course.released(module).unlink()
    with pytest.raises(TitoError, match="tito release"):
        scores.table(course, module)


def test_a_record_that_cannot_be_read_is_none(course, module, record_of):
    path = records.path_of(course, module, "ada")
    path.parent.mkdir(parents=True)
    for text in ("{", "[]", '{"version": 99}', '{"version": 1, "flags": []}'):
        path.write_text(text)
        assert record_of("ada") is None


@pytest.fixture
def marked(hand_in, grade):
    """Ada and Ben were graded, with ten points each."""
    paths = {student: hand_in(student) for student in ("ada", "ben")}
    grade()
    return paths


@pytest.mark.parametrize("content", ["{}", None])
def test_replaced_submission_has_no_final_mark(course, module, marked, rows, content):
    if content is None:  # it is another one, which cannot even be read
        marked["ada"].unlink()
    else:
        marked["ada"].write_text(content)
    ada, ben = rows()["ada"], rows()["ben"]
    older = ("the mark is older: handed in anew",)
    assert (ada.status, ada.total, ada.flags) == ("not graded", 10.0, older)
    assert (ben.status, ben.reason, ben.flags) == ("graded", "", ())
    people = Roster((Person("ada"), Person("ben")))
    sheet = platforms.Sheet(course, module, [ada, ben], people, "Optimizers")
    assert [row.student for row, _ in sheet.final()] == ["ben"]
    told = "handed in anew, not graded yet: run 'tito grade 08_optimizers'"
    assert sheet.left_out() == {"ada": told}


def test_a_renamed_notebook_is_compared_too(hand_in, grade, rows):
    path = hand_in("ada", name="my homework.ipynb")
    grade()
    assert rows()["ada"].status == "graded"
    path.write_text(path.read_text() + "\n")
    assert rows()["ada"].status == "not graded"


def test_removed_submission_keeps_mark_and_flag(marked, rows):
    shutil.rmtree(marked["ada"].parent)
    ada = rows()["ada"]
    assert (ada.status, ada.total, ada.reason) == ("graded", 10.0, "")
    assert ada.flags == ("nothing is handed in any more; the mark is of what was",)


@pytest.fixture
def shown(tito, monkeypatch):
    """Show one row by the command, on a terminal of 80 columns; return its lines."""

    def run(row):
        monkeypatch.setattr(command.console, "_width", 80)
        monkeypatch.setattr(scores, "table", lambda *_: [row])
        return tito("scores", "08").stdout.splitlines()

    return run


def test_a_long_id_takes_no_room_from_the_marks(shown):
    points = {f"test-{number}": 10.0 for number in range(11)}
    student = "anna.with-a-long-name@student.university.example"
    lines = shown(Row(student, "graded", points, points, needs_manual=("test-0",)))
    lines = lines[next(n for n, line in enumerate(lines) if line.startswith("student")) + 1 :]
    assert lines[0].split()[1:] == [*["10"] * 11, "110+?"]
    assert "".join(line.split()[0] for line in lines[: lines.index("")]) == student


def test_what_is_taken_for_lateness_is_said(shown):
    row = Row("ada", "graded", {"test": 10.0}, {"test": 10.0}, penalty=2.5)
    assert "ada: late, which costs 2.5 points" in shown(row)
