"""The log of a run: for people, beside the marks, and never a reason to stop."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tito.course.files import written
from tito.text import printable


class _LogFile(logging.FileHandler):
    """A log that cannot be written to stops nothing: marks cannot be either, and say so."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Go on."""

    def close(self) -> None:
        """Close the file, written or not."""
        with suppress(OSError):
            super().close()


class _Printable(logging.Formatter):
    """Writes lines that no terminal obeys which shows them."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        return printable(super().format(record), keep="\n\t")


@contextmanager
def log_to(path: Path) -> Iterator[logging.Logger]:
    """Make a logger that writes to a file and nowhere else."""
    log = logging.Logger("tito.grade", logging.INFO)
    with written("the log of this run"):
        handler = _LogFile(path, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(_Printable("%(asctime)s %(levelname)-7s %(message)s"))
    log.addHandler(handler)
    try:
        yield log
    finally:
        handler.close()
