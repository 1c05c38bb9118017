"""More time for one student, and a student who left."""

import json
from datetime import datetime, timedelta

import pytest
from nbgrader.api import Gradebook

from tito.autograde import grade_class
from tito.cli import cli
from tito.course.roster import Person, Roster
from tito.errors import UsageError
from tito.gradebook import scores, status, students

DUE = datetime(2026, 11, 20, 22)


def gradebook(course):
    return Gradebook(course.nbgrader_config().CourseDirectory.db_url)


def set_due(course, module, due=DUE):
    with gradebook(course) as book:
        book.update_or_create_assignment(module.name, duedate=due)


def row_of(course, module, student):
    return {row.student: row for row in scores.table(course, module)}[student]


def hand_in_late(hand_in, student, hours=30):
    folder = hand_in(student).parent
    (folder / "timestamp.txt").write_text(f"{DUE + timedelta(hours=hours)} UTC\n")


def test_extension_counts_before_and_after_grading(course, module, hand_in):
    set_due(course, module)
    for student in ("before", "after", "none"):
        hand_in_late(hand_in, student)
    students.extend(course, module, "before", 1)
    assert row_of(course, module, "before").status == "not graded"
    grade_class.grade(course, module)
    with gradebook(course) as book:
        submission = book.find_submission(module.name, "before")
        assert submission.late_submission_penalty == 1.0, "6 hours are left of 30"
    assert students.extend(course, module, "after", 2).isoformat() == "2026-11-22T22:00:00+00:00"
    rows = {row.student: row for row in scores.table(course, module)}
    assert {s: (r.penalty, r.extension.days) for s, r in rows.items()} == {
        **{"before": (1.0, 1), "after": (0.0, 2), "none": (2.0, 0)},
    }
    students.extend(course, module, "after", 0)
    assert row_of(course, module, "after").penalty == 2.0


def test_extension_alone_is_no_submission(course, module):
    with gradebook(course) as book:
        book.add_student("ada")
    assert students.extend(course, module, "ada", 3) is None, "there is no due date yet"
    ada = row_of(course, module, "ada")
    assert (ada.status, ada.needs_manual, ada.flags) == ("missing", (), ())
    assert status._to_grade_by_hand(course, module) == 0


def test_extension_needs_a_student_of_the_roster(course, module):
    students.extend(course, module, "ada", 3, roster=Roster((Person("ada"),)))
    assert row_of(course, module, "ada").extension == timedelta(3)
    with pytest.raises(UsageError, match=r"no student 'adda' in the class\. Did you mean ada\?"):
        students.extend(course, module, "adda", 3)


def test_extension_names_the_gradebook_id(course, module):
    with gradebook(course) as book:
        book.add_student("ada", email="ada@example.org")
    roster = Roster((Person("al", keys={"email": "ada@example.org"}),))
    with pytest.raises(UsageError, match="al is ada in the gradebook: name that"):
        students.extend(course, module, "al", 3, roster)


def test_the_commands(course, module, hand_in, monkeypatch, capsys):
    monkeypatch.chdir(course.root)
    set_due(course, module)
    hand_in("ada")
    cli.main(["extend", "08", "ada", "--days", "3"], standalone_mode=False)
    assert "ada: 3 days more, due 2026-11-23 22:00 UTC" in capsys.readouterr().out
    cli.main(["scores", "08"], standalone_mode=False)
    assert "ada: has 3 days more" in capsys.readouterr().out
    cli.main(["drop", "ada"], standalone_mode=False)
    assert "ada: put aside in modules/records/dropped/ada/" in capsys.readouterr().out
    with pytest.raises(UsageError, match="no student 'ada'"):
        cli.main(["drop", "ada"], standalone_mode=False)


def test_a_student_who_left_is_gone_and_nothing_is_lost(course, module, hand_in):
    for student in ("ada", "ben"):
        hand_in(student)
    grade_class.grade(course, module)
    with gradebook(course) as book:
        grade = book.find_grade("question-1", module.notebook, module.name, "ada")
        grade.manual_score = 4.5
        book.db.commit()
    aside = students.drop(course, "ada")
    assert [row.student for row in scores.table(course, module)] == ["ben"]
    with gradebook(course) as book:
        assert [student.id for student in book.students] == ["ben"]
    assert grade_class.grade(course, module).total == 1
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
