"""The mark of a hostile notebook is that of its wrong answers, and nothing else changes."""

import re
import shutil
import subprocess

import pytest

from tests.attacks.attack import ATTACKS
from tests.attacks.classroom import MODULE, TITO, honest
from tests.attacks.conftest import FAMILIES
from tinytorch.tito.grading.scores import Row

FULL = 170
#: What may be had of public answers that are the same on every input (True, None, a text).
CONSTANT = 40

each_attack = pytest.mark.parametrize(
    "attack", ATTACKS.values(), ids=[f"{a.family}-{a.name}" for a in ATTACKS.values()]
)
each_family = pytest.mark.parametrize("family", FAMILIES)


def points(row: Row) -> dict[str, float]:
    return {cell: value or 0.0 for cell, value in row.points.items()}


@each_attack
def test_the_mark_is_that_of_the_wrong_answers(graded, attack):
    found = graded(attack.family)
    row, control = found.rows[attack.student], found.rows[f"aa-{attack.base}"]
    assert control.status == "graded"
    assert row.status in attack.statuses, row.reason
    more = {
        cell: f"{got:g} instead of {points(control)[cell]:g}"
        for cell, got in points(row).items()
        if got > points(control)[cell]
    }
    if attack.ceiling:
        assert row.total <= control.total + attack.ceiling
    else:
        assert more == {}
    if not attack.may_lose and row.status == "graded":
        assert row.total >= control.total


@each_attack
def test_it_reaches_nothing(graded, attack):
    assert graded(attack.family).boasts.get(attack.name, []) == []


def test_attacks_are_many_and_each_says_its_idea():
    assert len(ATTACKS) >= 45
    assert {attack.family for attack in ATTACKS.values()} == set(FAMILIES)
    assert [attack.name for attack in ATTACKS.values() if not attack.idea.endswith(".")] == []
    assert {attack.ceiling for attack in ATTACKS.values()} <= {0, 10, CONSTANT}


@each_family
def test_honest_students_keep_their_marks(graded, family):
    found = graded(family)
    totals = {row.student: row.total for row in honest(found)}
    assert totals.pop("zz-perfect") == FULL
    assert totals.pop("aa-stubs", 0) == 0
    assert totals.pop("aa-gradient", 10) == 10
    assert 100 < totals.pop("aa-averaged", 150) < FULL
    assert all(0 <= total < 60 for total in totals.values()), totals


@each_family
def test_earlier_marks_and_the_maximum_stay(graded, family):
    before, after = graded(family).veteran
    assert before["max"] == 200
    assert after == before


@each_family
def test_no_mark_is_made_up(graded, family):
    found = graded(family)
    handed_in = {path.name for path in found.course.submitted.iterdir()}
    assert set(found.rows) == handed_in | {"veteran"}
    assert all(0 <= row.total <= 200 and row.penalty == 0 for row in found.rows.values())


@each_family
def test_the_run_goes_on_to_its_end(graded, family):
    found = graded(family)
    said = found.answer.stdout + found.answer.stderr
    summary = re.search(r"(\d+) graded, 0 unchanged, (\d+) not graded", found.answer.stdout)
    assert summary, said
    assert int(summary[1]) + int(summary[2]) == len(found.rows) - 1
    assert found.answer.returncode == (1 if int(summary[2]) else 0)
    assert "Traceback" not in said
    assert "\x1b[2J" not in said and "\x1b]" not in said


@each_family
def test_files_of_the_course_and_the_home_are_untouched(graded, family):
    found = graded(family)
    changed = {
        path: (found.before.get(path), found.after.get(path))
        for path in found.before.keys() | found.after.keys()
        if found.before.get(path) != found.after.get(path)
    }
    assert changed == {}


@each_family
def test_no_process_survives(graded, family):
    assert graded(family).processes == []


@each_family
def test_nothing_is_left_behind(graded, family):
    found = graded(family)
    assert found.files == []
    assert found.segments == []


@each_family
def test_nobody_comes_to_the_listener(graded, family):
    assert graded(family).visits == []


@pytest.mark.parametrize("family", ["handing_in"])
def test_no_script_reaches_the_page_of_feedback(graded, family, tmp_path):
    found = graded(family)
    name = "attack-scripts_for_the_page"
    if name not in found.rows:
        pytest.skip("scripts_for_the_page was not selected")
    root = tmp_path / "course"
    only = {"submitted", "autograded"}
    shutil.copytree(
        found.course.root,
        root,
        ignore=lambda top, names: {
            n for n in names if top.rsplit("/", 1)[-1] in only and n != name
        },
    )
    answer = subprocess.run([TITO, "feedback", MODULE], cwd=root, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    page = (root / "modules/feedback" / name / MODULE / "optimizers_dev.html").read_text()
    live = (
        r"<script[^>]*>[^<]*owned",
        r"<[a-z][^>]* on\w+=['\"]?/\*owned",
        r"<iframe[^>]*javascript:",
        r"href=['\"]?(?:javascript|data):",
    )
    scripts = [match[0] for pattern in live for match in re.finditer(pattern, page)]
    assert scripts == []
    assert "owned" in page
