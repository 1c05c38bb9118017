"""Lines of students' code, as flags show them."""

from __future__ import annotations

import textwrap

from tito.text import printable

_LONGEST = 80


def shown(line: str) -> str:
    """Shorten a line of a student's, and leave nothing in it that a terminal obeys."""
    text = line.strip()[: 4 * _LONGEST]
    return textwrap.shorten(printable(text), _LONGEST, placeholder=" ...")
