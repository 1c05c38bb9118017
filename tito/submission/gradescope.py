"""Gradescope's ``submission_metadata.yml``: who handed in which folder, and when.

It comes with an archive that anybody may have made. Nothing in it is taken for more than text, a
list or a mapping; its size, its depth and what stands for something else (an alias) are bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from tito.errors import TitoError
from tito.submission.archive import Entry

_MAX_BYTES = 20_000_000
#: Of texts, lists and mappings; a class of 500 with the results of its tests has some 200,000.
_MAX_EVENTS = 1_000_000
_MAX_DEPTH = 50
#: The fast one where there is one. Both take every scalar for a text, and no tag for a class.
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_NOTHING = ("", "~", "null")
_MAX_TEXT = 500


@dataclass(frozen=True)
class Submission:
    """What Gradescope says of a folder."""

    #: For each of a group "name", "sid" and "email"; "" where it is not said.
    submitters: tuple[dict[str, str], ...]
    #: When it was handed in, with its time zone, where that is said.
    when: datetime | None


class _OddError(ValueError):
    """Valid YAML that is not Gradescope's."""


def read_metadata(entry: Entry) -> dict[str, Submission]:
    """Return what the metadata say, by folder.

    Raises
    ------
    TitoError
        If they have another shape, or are made to take all memory or time.
    """
    data = entry.read(_MAX_BYTES)
    try:
        _check_events(yaml.parse(data, Loader=_LOADER))
        content = yaml.load(data, Loader=_LOADER)  # noqa: S506 - it makes no objects
        if not isinstance(content, dict):
            raise _OddError("it lists no submissions")
        return {key: _submission(key, about) for key, about in content.items()}
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, _OddError) as error:
        reason = " ".join(str(error).split())[:_MAX_TEXT]
        raise TitoError(
            f"{entry.name} is not Gradescope's metadata ({reason}). Export the submissions again."
        ) from error


def _check_events(events: Iterator[yaml.Event]) -> None:
    """Bound what is read before it is put together: an alias can stand for a whole tree."""
    depth, texts = 0, set()
    for count, event in enumerate(events):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH or count > _MAX_EVENTS:
            raise _OddError("it is nested too deep or too large")
        if isinstance(event, yaml.ScalarEvent) and event.anchor:
            texts.add(event.anchor)
        elif isinstance(event, yaml.CollectionStartEvent):
            texts.discard(event.anchor)
        elif isinstance(event, yaml.AliasEvent) and event.anchor not in texts:
            raise _OddError(f"the alias {event.anchor!r:.40} stands for more than a text")


def _submission(key: Any, about: Any) -> Submission:
    if not isinstance(key, str) or not isinstance(about, dict):
        raise _OddError(f"{key!r:.40} is not a submission")
    listed = about.get(":submitters") or []
    if not isinstance(listed, list):
        raise _OddError(f"the submitters of {key!r:.40} are not a list")
    submitters = tuple(
        {name: _text(key, person, f":{name}") for name in ("name", "sid", "email")}
        for person in listed
    )
    return Submission(submitters, _time(_text(key, about, ":created_at")))


def _text(key: str, about: Any, name: str) -> str:
    """Return a text that something says, "" where it says none."""
    value = about.get(name, "") if isinstance(about, dict) else None
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise _OddError(f"{name} of {key!r:.40} is not a short text")
    return "" if value in _NOTHING else value


def _time(text: str) -> datetime | None:
    """Read a time as YAML has it; a day alone, or a time without a zone, is no certain one."""
    if not SafeConstructor.timestamp_regexp.fullmatch(text):
        return None
    try:
        value = yaml.safe_load(text)
        certain = isinstance(value, datetime) and value.tzinfo is not None
        return value.astimezone(UTC) if certain else None
    except (ValueError, OverflowError):  # such as the 31st of February
        return None
