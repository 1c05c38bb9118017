"""The release of an assignment in a plain course of nbgrader's: what nbgrader makes of it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from tito.authoring import releases
from tito.authoring.release import generate
from tito.authoring.source import read_source
from tito.course import Course, Module
from tito.course.files import put_in_place


def release(course: Course, modules: Sequence[Module]) -> Path:
    """Make the release of an assignment, as ``nbgrader generate_assignment --force`` does.

    It comes into place when it is whole, and what was released before is kept.

    Raises
    ------
    TitoError
        If nbgrader refuses the source, or it is not Python; an earlier release stays in place.
    """
    for module in modules:
        releases.refuse_other_languages(module.source, read_source(module.source))
        releases.keep(course, module)
    course.release.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=course.release.parent) as scratch:
        fresh = generate(course, modules[0], Path(scratch))
        target = course.release / modules[0].name
        put_in_place(fresh, target, Path(scratch))
    for module in modules:
        releases.keep(course, module)
        releases.keep_source(course, module)
    return target
