"""The small course, and downloads of its submissions."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tito.course.test_roster import write
from tests.tito.small_course import *  # noqa: F403 - its fixtures
from tests.tito.submission.downloads import CLASS, zipped
from tito.course import roster
from tito.submission.collect import Report, collect


@pytest.fixture
def take(course, module, tmp_path) -> Callable[..., Report]:
    """Collect a download: a path, or files by name."""

    def run(source: Path | dict[str, bytes], text: str = CLASS, **more) -> Report:
        source = zipped(tmp_path, source) if isinstance(source, dict) else source
        return collect(course, module, source, roster.read(write(tmp_path, text)), **more)

    return run


@pytest.fixture
def told(course, tito, tmp_path) -> Callable[..., tuple[int, str]]:
    """Collect by the command line; return its exit code and what it printed."""

    def run(files: dict[str, bytes], text: str = CLASS) -> tuple[int, str]:
        (course.root / "roster.csv").write_text(text)
        return tito("collect", "08", str(zipped(tmp_path, files)))[:2]

    return run


@pytest.fixture
def files_of(course, module) -> Callable[[str], dict[str, bytes]]:
    """Read what stands in a student's place."""
    place = course.submitted
    return lambda s: {p.name: p.read_bytes() for p in (place / s / module.name).iterdir()}


@pytest.fixture
def set_aside(course, module) -> Callable[[str], bytes]:
    """Read the one file of a name that a later submission of Ada's has superseded."""

    def read(name: str) -> bytes:
        (path,) = (course.records / module.name / "earlier" / "ada").rglob(name)
        return path.read_bytes()

    return read
