"""The mark of a hostile notebook is that of its wrong answers, and nothing else changes."""

import re
import shutil
from pathlib import Path

import pytest

from tests.attacks.answers import points_for_constants, whole_source
from tests.attacks.attack import ATTACKS
from tests.attacks.classroom import SEED, honest
from tests.attacks.conftest import FAMILIES, rooms, seats
from tests.solutions.harness import assignment
from tests.solutions.test_fresh_inputs import FOR_CONSTANTS
from tito.course import Course
from tito.gradebook.scores import Row
from tito.pages import feedback

each_attack = pytest.mark.parametrize("seat", seats(), ids=str)
each_class = pytest.mark.parametrize("room", rooms(), ids="-".join)


def points(row: Row) -> dict[str, float]:
    return {cell: value or 0.0 for cell, value in row.points.items()}


@each_attack
def test_the_mark_is_that_of_the_wrong_answers(graded, seat):
    found, attack = graded(seat.room), seat.attack
    row, control = found.rows[attack.student], found.rows[f"aa-{attack.base}"]
    assert control.status == "graded"
    assert row.status in attack.statuses, row.reason
    assert "the log says more" not in row.reason, "the student is to hear what is wrong"
    more = {
        cell: f"{got:g} instead of {points(control)[cell]:g}"
        for cell, got in points(row).items()
        if got > points(control)[cell]
    }
    if attack.publishes or attack.gains:
        public = found.constant if attack.publishes else 0
        assert row.total <= control.total + public + attack.gains
        assert not attack.gains or "replaces " in found.why(row.student), "a person is to see it"
    else:
        assert more == {}, found.why(control.student)
    if not attack.may_lose and row.status == "graded":
        assert row.total >= control.total, found.why(row.student)


@each_attack
def test_it_reaches_nothing(graded, seat):
    assert graded(seat.room).boasts.get(seat.attack.name, []) == []


def test_attacks_are_many_and_each_says_its_idea():
    assert len(ATTACKS) >= 100
    again = {seat.attack.student for seat in seats() if seat.user == "somebody"}
    assert len(again) not in range(1, 40)
    assert sorted({attack.family for attack in ATTACKS.values()}) == FAMILIES
    assert [attack.name for attack in ATTACKS.values() if not attack.idea.endswith(".")] == []


def test_constants_earn_little_in_the_whole_chapter():
    most = FOR_CONSTANTS * sum(assignment("test-sgd").graded.values())
    assert points_for_constants(whole_source(Course.find(), MODULE), SEED) <= most


@each_class
def test_honest_students_keep_their_marks(graded, room):
    found = graded(room)
    totals = {row.student: row.total for row in honest(found)}
    assert totals.pop("zz-perfect") == found.full, found.why("zz-perfect")
    assert totals.pop("aa-stubs", 0) == 0
    assert totals.pop("aa-gradient", found.first) == found.first, found.why("aa-gradient")
    assert found.full / 2 < totals.pop("aa-averaged", found.full - 1) < found.full
    assert all(0 <= total < found.full / 3 for total in totals.values()), totals


@each_class
def test_earlier_marks_and_the_maximum_stay(graded, room):
    before, after = graded(room).veteran
    assert before["max"] == graded(room).full + 10  # and a written answer
    assert after == before


@each_class
def test_no_mark_is_made_up(graded, room):
    found = graded(room)
    handed_in = {path.name for path in found.course.submitted.iterdir()}
    assert set(found.rows) == handed_in | {"veteran"}
    assert all(0 <= row.total <= found.full and row.penalty == 0 for row in found.rows.values())


@each_class
def test_the_run_goes_on_to_its_end(graded, room):
    found = graded(room)
    said = found.answer.stdout + found.answer.stderr
    assert "Traceback" not in said
    assert "\x1b[2J" not in said and "\x1b]" not in said
    if room[0] == "nbgrader":  # it prints no summary
        assert found.answer.returncode == 0, said
        return
    summary = re.search(r"(\d+) graded, 0 unchanged, (\d+) not graded", found.answer.stdout)
    assert summary, said
    assert int(summary[1]) + int(summary[2]) == len(found.rows) - 1
    assert found.answer.returncode == (1 if int(summary[2]) else 0)
    assert "isolation: full" in said


@each_class
def test_files_of_the_course_and_the_home_are_untouched(graded, room):
    found = graded(room)
    assert dict(found.before.items() ^ found.after.items()) == {}


@each_class
def test_nothing_is_left_behind_and_nobody_came_to_the_listener(graded, room):
    found = graded(room)
    assert (found.left, found.visits) == ([], [])


MODULE = "08_optimizers"
LIVE = (
    r"<script[^>]*>[^<]*owned",
    r"<[a-z][^>]* on\w+=['\"]?/\*owned",
    r"<iframe[^>]*javascript:",
    r"href=['\"]?(?:javascript|data):",
)


@pytest.mark.parametrize("room", [rooms()[0]], ids="-".join)
def test_no_script_reaches_the_page_of_feedback(graded, room, tmp_path):
    found = graded(room)
    name = "attack-scripts_for_the_page"
    if name not in found.rows:
        pytest.skip("scripts_for_the_page was not selected")

    def others(top, names):
        return [n for n in names if Path(top).name in ("submitted", "autograded") and n != name]

    course = Course(shutil.copytree(found.course.root, tmp_path / "course", ignore=others))
    feedback.write(course, course.module(MODULE))
    page = (course.feedback / name / MODULE / "optimizers_dev.html").read_text()
    assert [match[0] for pattern in LIVE for match in re.finditer(pattern, page)] == []
    assert "owned" in page
