"""One reader of times: what it takes for certain, and what it leaves to a person."""

from datetime import UTC, datetime

import pytest
from dateutil.tz import gettz
from traitlets.config import Config

from tito.course.times import read_time, zone_of
from tito.errors import TitoError

BERLIN = gettz("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-12-02 00:30:00 +0100", 23),
        ("2026-12-02 00:30 -05:00", 5),
        ("2026-12-02T00:30:00Z", 0),
        ("2026-12-02 00:30:00.123456 UTC", 0),
        ("Wednesday, 2 December 2026, 12:30 AM", 0),
        ("2026/12/02 00:30", 0),
        ("12/25/26 23:59", 23),
        ("25/12/2026 23:59", 23),
    ],
)
def test_one_reading_is_taken(text, hour):
    when = read_time(text, UTC)
    assert (when.hour, when.tzinfo) == (hour, UTC)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-12-02 01:30:00 PST", "2026-12-02 01:30:00 CEST", "2026-12-02 01:30 UTC+1"),
        *("03.12.2026 10:00", "5/12/26 10:00", "25/12/26 10:00", "10-11-12 10:00"),
        *("23:59", "5 December 23:59", "2026-12 23:59", "2026-12-02", "20261202", "1712102359"),
        *("2026-12-02 25:00 UTC", "2026-12-02 10:00 +99:00", "2. Dezember 2026, 10:00"),
        *("2026-12-02 10:00 UTC or so", "yesterday at 10:00", "", "\x00", "9" * 50),
    ],
)
def test_a_doubt_is_left_to_a_person(text):
    assert read_time(text, UTC) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-07-01 12:00", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2026-07-01 12:00 CEST", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2026-12-01 12:00 CEST", None),  # it is CET then
        ("2026-10-25 02:30", None),  # twice
        ("2026-10-25 02:30 CEST", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25 02:30 CET", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("2026-03-29 02:30", None),  # never
    ],
)
def test_the_course_s_own_clock_and_its_names_are_known(text, expected):
    assert read_time(text, BERLIN) == expected


def test_the_machine_s_own_zone_decides_nothing(monkeypatch):
    monkeypatch.setattr("time.tzname", ("PST", "PDT"))
    assert read_time("2026-12-02 01:30:00 PST", UTC) is None


def test_a_zone_that_is_not_known_is_named():
    with pytest.raises(TitoError, match="timezone is 'Europe/Berlim'.*such as 'Europe/Berlin'"):
        zone_of(Config({"Exchange": {"timezone": "Europe/Berlim"}}))
