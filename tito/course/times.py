"""Times as people and programs write them: read where there is one reading, and not otherwise."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from itertools import product

from dateutil import parser
from dateutil.tz import datetime_ambiguous, datetime_exists, gettz, tzoffset
from traitlets.config import Config

from tito.errors import TitoError

#: How a time is written so that nobody has to guess.
EXAMPLE = "2026-12-05 23:59:00 UTC"

_CLOCK = re.compile(r"\d:\d\d")
_YEAR_FIRST = re.compile(r"\d{4}\D")
#: In the names of POSIX it is an hour behind, in the habit of people an hour ahead.
_TWO_SIGNS = re.compile(r"(UTC|GMT)\s*[+-]", re.IGNORECASE)
#: Of no two does a text without a date, or without a year, make the same.
_SOME_DAYS = (datetime(2000, 1, 1), datetime(2001, 2, 2))


def zone_of(config: Config) -> tzinfo:
    """Return the course's time zone, which is nbgrader's setting for its exchange.

    Raises
    ------
    TitoError
        If this machine does not know it.
    """
    name = config.Exchange.get("timezone", "UTC")
    zone = gettz(name)
    if zone is None:
        raise TitoError(
            f"c.Exchange.timezone is {name!r} in nbgrader_config.py, which this machine does not "
            "know; set it to a name such as 'Europe/Berlin'."
        )
    return zone


def read_time(text: str, zone: tzinfo) -> datetime | None:
    """Read a time that can be read in one way only.

    Left out are times without a date or a year, which the parser would take from today; months in
    other languages; 5/12/26, which is in May or in December; PST, which is a name on two
    continents; and the hour that a clock shows twice, or skips, when daylight saving changes. With
    the year first, it is ISO's order.

    Parameters
    ----------
    text : str
        A date with a year and a clock time.
    zone : tzinfo
        Where the clock stands if the text names no zone; the abbreviations of this zone are known.

    Returns
    -------
    datetime or None
        In UTC.
    """
    if not _CLOCK.search(text) or _TWO_SIGNS.search(text):
        return None
    orders = [(False, False)] if _YEAR_FIRST.match(text) else product((False, True), repeat=2)
    try:
        readings = {
            _reading(text, zone, day, day_first, year_first)
            for day_first, year_first in orders
            for day in _SOME_DAYS
        }
    except (ValueError, OverflowError):
        return None
    return readings.pop() if len(readings) == 1 else None


def _reading(text: str, zone: tzinfo, day: datetime, day_first: bool, year_first: bool) -> datetime:
    """Read a time in one way; a ValueError says that its zone leaves a doubt."""
    names: list[str | None] = []

    def zone_named(name: str | None, seconds: int | None) -> tzinfo:
        if seconds is not None:
            return tzoffset(None, seconds)
        names.append(name)
        return zone

    when = parser.parse(
        text, dayfirst=day_first, yearfirst=year_first, default=day, tzinfos=zone_named
    )
    name = names[0] if names else None
    if name is not None and when.tzname() != name:
        raise ValueError(f"{name} is not a name of the course's zone")
    if names and (not datetime_exists(when) or (name is None and datetime_ambiguous(when))):
        raise ValueError("the clock shows it twice or never")
    return when.astimezone(UTC)
