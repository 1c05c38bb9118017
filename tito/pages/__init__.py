"""Pages for people: a student's feedback, and the overview of a class.

Made by Jinja templates beside this file. They hold everything they show and fetch nothing, so that
they can be mailed, unpacked and read on a phone without a network. No script runs in them, but in
a page for graders one of ours, which the page can be read without.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from tito.gradebook.scores import number

_TEMPLATES = Path(__file__).with_name("templates")
#: What a page may load: pictures and styles that stand in it. Scripts never, whoever wrote them.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@cache
def environment() -> jinja2.Environment:
    """Return the environment of the templates; what they are given is escaped."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    templates.globals["policy"] = POLICY
    templates.filters["number"] = number
    return templates


def scripted(name: str) -> dict[str, str]:
    """Return what a template of a page needs that may run a script of ours, and that one alone."""
    script = (_TEMPLATES / name).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return {
        "script": Markup(script),  # noqa: S704 - it is ours
        "policy": f"{POLICY}; script-src 'sha256-{digest}'",
    }
