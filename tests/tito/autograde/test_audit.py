"""That no mark depends on what is left out is tried on some of a class, and believed till then."""

from types import SimpleNamespace

import nbformat
import pytest

from tests.tito.small_course import RIGHT, marks_of, solve
from tito.autograde import sample as sampling
from tito.autograde.audit import both_ways
from tito.autograde.sample import Sample
from tito.gradebook.result import Result

#: It keeps a count where nobody sees it by the text: on an argument that is the function itself.
COUNTING = """
def note(function):
    function.calls = getattr(function, "calls", 0) + 1

def double(x):
    note(double)
    return 2 * x if double.calls < 2 else 0
"""


def result(cells: str, *earned: int, flags: tuple[str, ...] = ()) -> Result:
    parts = [{"earned": points} for points in earned]
    left_out = ("own-1",) if cells == "needed" else ()
    graded = {"test-x": {"parts": parts}}
    return Result("ada", "x", "graded", left_out=left_out, cells=graded, flags=flags)


def graded(*results: Result):
    """Grade with these results, one after the other; keep in `asked` which cells were to run."""
    given, asked = iter(results), []
    return asked, lambda cells: asked.append(cells) or next(given)


def test_equal_marks_are_those_of_the_short_way():
    asked, grade = graded(result("needed", 2, 0), result("all", 2, 0))
    found = both_ways(grade)
    assert (asked, found.audit, found.left_out) == (["needed", "all"], "equal", ("own-1",))


def test_other_marks_are_those_of_all_cells():
    _, grade = graded(result("needed", 2, 0), result("all", 0, 2), result("all", 0, 2))
    found = both_ways(grade)
    assert (found.audit, found.left_out) == ("differs: test-x", ())
    assert found.cells["test-x"]["parts"] == [{"earned": 0}, {"earned": 2}]


def test_marks_that_change_from_run_to_run_say_nothing_of_others():
    _, grade = graded(result("needed", 2), result("all", 0), result("all", 2))
    found = both_ways(grade)
    assert (found.audit, found.flags) == (
        "",
        ("marks differ from one run to the next: test-x",),
    )


@pytest.mark.parametrize(
    "flag",
    [
        "stopped after 30 s of processor time: a cell after sgd-class",
        "some cells were not run: the 300 s of a notebook were over",
    ],
)
def test_what_limits_ended_says_nothing_of_others(flag):
    first = ("stopped after 30 s of processor time: test-x",)
    short = result("needed", 2, flags=first)
    asked, grade = graded(short, result("all", 0, flags=(*first, flag)))
    found = both_ways(grade)
    assert (found.audit, found.left_out, asked) == ("", ("own-1",), ["needed", "all"])
    said = "limits end more where all cells run, and marks differ: test-x"
    assert (found.cells, found.flags) == (short.cells, (*first, said))


def test_what_limits_ended_both_ways_is_no_excuse():
    flags = ("stopped after 30 s of processor time: test-x",)
    runs = [result(cells, earned, flags=flags) for cells, earned in [("needed", 2), ("all", 0)]]
    assert both_ways(graded(*runs, runs[1])[1]).audit == "differs: test-x"


def test_where_nothing_is_left_out_once_is_enough():
    asked, grade = graded(result("all", 2))
    assert both_ways(grade).audit == "" and asked == ["needed"]


@pytest.fixture(autouse=True)
def _as_delivered(course, monkeypatch):
    monkeypatch.setattr(sampling, "AT_LEAST", 3)


@pytest.fixture
def sample(course, module):
    return Sample(course, module, "release", seed=1)


def file(student: str):
    return SimpleNamespace(student=student, digest=student)


def test_three_of_a_run_and_some_of_many_are_graded_both_ways(sample):
    chosen = [sample.cells_of(file(f"s{n}")) for n in range(1000)]
    assert chosen[:3] == ["both"] * 3
    assert 8 <= chosen[3:].count("both") <= 40  # one in fifty, drawn


def test_one_difference_has_all_graded_with_all_cells(
    course, grade, hand_in, released, record_of, monkeypatch
):
    monkeypatch.setattr(sampling, "AT_LEAST", 1)
    monkeypatch.setattr(sampling, "ONE_IN", 10**9)
    hand_in("bob")
    grade()
    assert record_of("bob").left_out and record_of("bob").audit == "equal"
    hand_in("ada", solve(nbformat.from_dict(released), {**RIGHT, "double-function": COUNTING}))
    hand_in("cy")
    run = grade()
    assert [one.student for one in run.graded] == ["ada", "bob", "cy"]
    assert "ada, differs: test-double: marks depend on cells that were left out" in run.notices[-1]
    assert not any(record_of(student).left_out for student in ("ada", "bob", "cy"))
    assert marks_of(course) == {"ada": (0.0, 6.0), "bob": (4.0, 6.0), "cy": (4.0, 6.0)}
    hand_in("dee")
    grade()
    assert record_of("dee").left_out == ()  # also in runs to come


def test_whole_grades_again_what_was_graded_without_some(grade, hand_in, record_of):
    hand_in("ada")
    grade()
    run = grade(whole=True)
    assert ([one.student for one in run.graded], record_of("ada").left_out) == (["ada"], ())
    assert not grade(whole=True).graded


def test_who_was_graded_both_ways_is_not_again(grade, hand_in, record_of):
    hand_in("ada")
    assert grade().graded[0].audit == "equal"
    assert [grade(force=True).graded[0].audit for _ in range(2)] == ["", ""]
    assert record_of("ada").audit == "equal"
