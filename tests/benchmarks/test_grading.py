"""What the benchmark of grading makes of its measurements."""

import pytest

from benchmarks.grading.steady import Steady, steady_part
from benchmarks.grading.targets import Amdahl, Row, ratio, table
from benchmarks.grading.watch import queued


@pytest.mark.parametrize(
    ("measured", "more_is_better", "verdict"),
    [
        (2.0, True, "met"),
        (1.9, True, "missed"),
        (2.0, False, "met"),
        (2.1, False, "missed"),
        (None, True, "not measured"),
    ],
)
def test_a_target_that_is_reached_just_so_is_met(measured, more_is_better, verdict):
    assert Row("speed", measured, 2.0, more_is_better).verdict == verdict


def test_the_table_shows_what_was_measured_its_target_and_the_verdict():
    rows = [Row("speed", 3.456, 2, more_is_better=True), Row("memory of all", None, 0.6)]
    assert [line.split() for line in table(rows)] == [
        ["measured", "target"],
        ["speed", "3.46", ">=", "2", "met"],
        ["memory", "of", "all", "-", "<=", "0.6", "not", "measured"],
    ]


def test_a_ratio_to_what_was_not_measured_is_unknown():
    assert ratio(6.0, 4.0) == 1.5
    assert ratio(6.0, None) is None
    assert ratio(None, 4.0) is None


def test_the_model_explains_both_rates_and_bounds_more_processors():
    # 0.1 s that nobody shares and 0.3 s that all do.
    model = Amdahl.fitted(1 / 0.4, 1 / 0.25)
    assert (model.serial, model.shared) == pytest.approx((0.1, 0.3))
    assert model.rate(4) == pytest.approx(1 / 0.175)


def test_the_model_promises_no_more_than_all_processors_together():
    model = Amdahl.fitted(1.0, 2.5)
    assert model.serial == 0
    assert model.rate(16) == pytest.approx(16)


def test_the_steady_part_begins_behind_the_first_batch_and_ends_while_there_is_work():
    times = {"a": 0.0, "b": 0.01, "c": 1.0, "d": 2.0, "e": 3.0, "f": 4.0, "g": 5.0, "h": 6.0}
    steady = steady_part(times)
    assert steady == Steady(("c", "d", "e", "f"), 0.01, 4.0)
    assert steady.rate == pytest.approx(4 / 3.99)


def test_the_steady_part_begins_when_those_graded_both_ways_are_done():
    times = {name: float(second) for second, name in enumerate("abcdefgh")}
    assert steady_part(times, after=3.0) == Steady(("e", "f"), 3.0, 5.0)


def test_a_run_may_be_too_short_for_a_steady_part():
    assert steady_part({"a": 0.0, "b": 1.0}) is None


def test_cells_that_arrive_together_wait_for_a_free_processor():
    assert queued([3.0, 1.0, 1.0, 1.0], processors=2) == [3.0, 1.0, 2.0, 3.0]
