"""Results that are known, and not yet in the gradebook.

Each is a file, written whole before anything is done with it and deleted when all is done. A run
that is killed in between is finished by the next one: entering a result twice is entering it once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tito.course.files import replace_text
from tito.gradebook.result import Result

_VERSION = 1


class Journal:
    """A folder of results, which is made where it is missing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, result: Result) -> None:
        """Keep a result; when this returns it survives a crash of the machine."""
        # In ASCII: one wide character would make all others take four bytes in memory.
        text = json.dumps({"version": _VERSION, **vars(result)})
        replace_text(self._path(result.student), text, synced=True)

    def remove(self, student: str) -> None:
        """Forget a result that has been entered."""
        self._path(student).unlink(missing_ok=True)

    def __iter__(self) -> Iterator[Result]:
        """Give the results that an earlier run left."""
        for path in sorted(self.folder.glob("*.json")):
            with suppress(ValueError, KeyError, TypeError):
                data = json.loads(path.read_text(encoding="utf-8"))
                if data.pop("version") == _VERSION:
                    lists = {name: tuple(data.get(name, ())) for name in ("flags", "left_out")}
                    yield Result(**{**data, **lists})

    def _path(self, student: str) -> Path:
        return self.folder / f"{student}.json"
