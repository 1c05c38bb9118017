"""Lines of students' code, as flags show them."""

from __future__ import annotations

import textwrap

_LONGEST = 80


def shown(line: str) -> str:
    """Shorten a line of a student's, and leave nothing in it that a terminal obeys."""
    text = line.strip()[: 4 * _LONGEST]
    plain = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return textwrap.shorten(plain, _LONGEST, placeholder=" ...")
