"""More time for one student, and a student who left."""

import json
from datetime import datetime, timedelta

import pytest

from tests.tito.small_course import gradebook, mark_by_hand
from tito.course.roster import Person, Roster
from tito.errors import UsageError
from tito.gradebook import status, students

DUE = datetime(2026, 11, 20, 22)


@pytest.fixture
def extend(course, module):
    return lambda *arguments, **more: students.extend(course, module, *arguments, **more)


def test_extension_counts_before_and_after_grading(
    course, module, hand_in, grade, rows, set_due, extend
):
    set_due(DUE)
    for student in ("before", "after", "none"):
        hand_in(student, when=DUE + timedelta(hours=30))
    extend("before", 1)
    assert rows()["before"].status == "not graded"
    grade()
    with gradebook(course) as book:
        submission = book.find_submission(module.name, "before")
        assert submission.late_submission_penalty == 1.0, "6 hours are left of 30"
    assert extend("after", 2).isoformat() == "2026-11-22T22:00:00+00:00"
    found = {student: (row.penalty, row.extension.days) for student, row in rows().items()}
    assert found == {"before": (1.0, 1), "after": (0.0, 2), "none": (2.0, 0)}
    extend("after", 0)
    assert rows()["after"].penalty == 2.0


def test_extension_alone_is_no_submission(course, rows, extend):
    with gradebook(course) as book:
        book.add_student("ada")
    assert extend("ada", 3) is None, "there is no due date yet"
    ada = rows()["ada"]
    assert (ada.status, ada.needs_manual, ada.flags) == ("missing", (), ())
    assert status.modules(course)[0].to_grade_by_hand == 0


def test_extension_needs_a_student_of_the_roster(rows, extend):
    extend("ada", 3, roster=Roster((Person("ada"),)))
    assert rows()["ada"].extension == timedelta(3)
    with pytest.raises(UsageError, match=r"no student 'adda' in the class\. Did you mean ada\?"):
        extend("adda", 3)


def test_extension_names_the_gradebook_id(course, extend):
    with gradebook(course) as book:
        book.add_student("ada", email="ada@example.org")
    roster = Roster((Person("al", keys={"email": "ada@example.org"}),))
    with pytest.raises(UsageError, match="al is ada in the gradebook: name that"):
        extend("al", 3, roster)


def test_the_commands(hand_in, set_due, tito):
    set_due(DUE)
    hand_in("ada")
    due = "ada: 3 days more, due 2026-11-23 22:00 UTC"
    assert due in tito("extend", "08", "ada", "--days", "3").stdout
    assert "ada: has 3 days more" in tito("scores", "08").stdout
    assert "ada: put aside in modules/records/dropped/ada/" in tito("drop", "ada").stdout
    again = tito("drop", "ada")
    assert again.returncode == 2 and "no student 'ada'" in again.stderr


def test_a_student_who_left_is_gone_and_nothing_is_lost(course, module, hand_in, grade, rows):
    for student in ("ada", "ben"):
        hand_in(student)
    grade()
    mark_by_hand(course, "ada", "question-1", 4.5)
    aside = students.drop(course, "ada")
    assert list(rows()) == ["ben"]
    with gradebook(course) as book:
        assert [student.id for student in book.students] == ["ben"]
    assert grade().total == 1
    (kept,) = json.loads((aside / "marks.json").read_text())["assignments"]
    assert kept["cells"]["question-1"]["manual_score"] == 4.5
    assert kept["cells"]["test-double"]["auto_score"] == 4.0
    for place in ("submitted/ada/08_optimizers", "autograded/ada/08_optimizers"):
        assert (aside / "modules" / place / "optimizers_dev.ipynb").is_file()
    assert (aside / "modules" / "records" / module.name / "ada.json").is_file()


@pytest.mark.parametrize("name", ["..", "../ben", ".grading-x", ""])
def test_no_path_is_a_student(course, hand_in, name):
    hand_in("ben")
    with pytest.raises(UsageError, match="no student"):
        students.drop(course, name)
    assert (course.submitted / "ben").is_dir()
