"""Pages for people: a student's feedback, and the overview of a class.

Made by Jinja templates beside this file. They hold everything they show, run no script and fetch
nothing, so that they can be mailed, unpacked and read on a phone without a network.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2

#: What a page may load: pictures and styles that stand in it. Scripts never, whoever wrote them.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def number(value: float) -> str:
    """Write a mark with at most two decimals, as the pages and the platforms show it."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


@cache
def environment() -> jinja2.Environment:
    """Return the environment of the templates; what they are given is escaped."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.globals["policy"] = POLICY
    made.filters["number"] = number
    return made
