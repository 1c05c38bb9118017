"""Lateness is one pure function, and a policy says what it costs."""

import math
from datetime import datetime, timedelta

import pytest
from dateutil.tz import gettz
from hypothesis import given
from hypothesis import strategies as st
from traitlets.config import Config

from tito.course.lateness import CoursePolicy, LatePolicy, extended, lateness

DAY = 24 * 60 * 60


@pytest.mark.parametrize(
    ("seconds", "percent"),
    [(0, 0), (900, 0), (901, 10), (DAY, 10), (DAY + 1, 20), (4 * DAY, 35), (7 * DAY + 1, 100)],
)
def test_each_day_begun_costs_its_percentage(seconds, percent):
    policy = LatePolicy(percent_per_day=10, grace_minutes=15, max_percent=35, last_day=7)
    assert policy.late_submission_penalty("ada", 80.0, seconds) == 0.8 * percent
    assert LatePolicy().late_submission_penalty("ada", 80.0, seconds) == 0


@pytest.mark.parametrize("name", ["percent_per_day", "grace_minutes", "max_percent", "last_day"])
def test_negative_settings_are_refused(name):
    with pytest.raises(Exception, match=name):
        LatePolicy(**{name: -1})


BERLIN = gettz("Europe/Berlin")
#: 23:59 in Berlin, in summer time and in winter time; a day later the clock has been changed.
BEFORE_WINTER, BEFORE_SUMMER = datetime(2026, 10, 24, 21, 59), datetime(2026, 3, 28, 22, 59)


def seconds_late(when, due, extension, zone):
    return lateness(when, due, extension, CoursePolicy(LatePolicy(), zone)).seconds


@pytest.mark.parametrize(
    ("due", "when", "days"),
    [
        (BEFORE_WINTER, datetime(2026, 10, 25, 22, 58), 1),  # 23:58 the next day, 24 h 59 min
        (BEFORE_WINTER, datetime(2026, 10, 25, 23, 0), 2),
        (BEFORE_SUMMER, datetime(2026, 3, 29, 21, 59), 1),  # 23:59 the next day, 23 h
        (BEFORE_SUMMER, datetime(2026, 3, 29, 22, 0), 2),
        (BEFORE_WINTER, datetime(2026, 10, 31, 22, 59), 7),  # 23:59 a week later
        (BEFORE_WINTER, datetime(2026, 10, 31, 23, 0), 8),
    ],
)
def test_a_day_ends_when_the_clock_shows_the_due_time(due, when, days):
    assert math.ceil(seconds_late(when, due, None, BERLIN) / DAY) == days


def test_less_than_a_day_is_elapsed_time():
    due = datetime(2026, 10, 25, 0, 30)  # 02:30, for the first time
    assert seconds_late(due + timedelta(minutes=40), due, None, BERLIN) == 40 * 60
    assert seconds_late(due, due, None, BERLIN) == 0
    assert seconds_late(None, due, None, BERLIN) == 0
    assert seconds_late(due, None, None, BERLIN) == 0


def test_extension_ends_at_the_same_clock_time():
    extension = timedelta(days=1, hours=2)
    assert extended(BEFORE_WINTER, extension, BERLIN) == datetime(2026, 10, 26, 0, 59)
    when = datetime(2026, 10, 26, 0, 59)
    assert seconds_late(when, BEFORE_WINTER, extension, BERLIN) == 0


@given(
    st.integers(0, 400 * 24 * 60),
    st.integers(0, 20 * 24 * 60),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
)
def test_clock_days_differ_from_24_hours_by_at_most_one(due, minutes, zone):
    due = datetime(2026, 1, 1) + timedelta(minutes=due)
    seconds = seconds_late(due + timedelta(minutes=minutes), due, None, gettz(zone))
    assert abs(seconds - minutes * 60) <= 3600
    assert zone != "UTC" or seconds == minutes * 60


def test_penalty_is_within_the_score():
    due, when = datetime(2026, 11, 20), datetime(2026, 11, 21)
    policy = CoursePolicy.of(Config({"AssignLatePenalties": {"plugin_class": StrictPolicy}}))
    assert lateness(when, due, None, policy).penalty("ada", 8.0) == 8.0
    assert lateness(due, due, None, policy).penalty("ada", 8.0) is None


class StrictPolicy(LatePolicy):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 2 * score
