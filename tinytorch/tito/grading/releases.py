"""What was released: kept, so that each student is held to what that student had."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tinytorch.tito.course import Course, Module
from tinytorch.tito.files import replace_text
from tinytorch.tito.fleet.job import digest_of_release
from tinytorch.tito.grading import records
from tinytorch.tito.grading.cells import grade_id
from tinytorch.tito.source import read_source

#: What is said of a mark that another release gave.
EARLIER = "graded with an earlier release"
#: So many earlier releases go to each worker, the latest ones.
_MOST = 20
_SOURCE = "source.ipynb"


def current(course: Course, module: Module) -> str:
    """Return the digest of the release as it is now."""
    path = course.source_notebook(module)
    if path.is_file():
        source = path.read_bytes()
    else:
        source = nbformat.writes(read_source(module.source)).encode()
    return digest_of_release(course.released(module).read_bytes(), source)


def keep(course: Course, module: Module) -> None:
    """Keep the release that is there now, if it is not kept yet."""
    path = course.released(module)
    if path.is_file():
        text = path.read_text(encoding="utf-8")
        name = hashlib.sha256(text.encode()).hexdigest()[:16]
        kept = _folder(course, module) / f"release-{name}.ipynb"
        if not kept.is_file():
            replace_text(kept, text)


def keep_source(course: Course, module: Module) -> None:
    """Keep the source of which a release has just been made."""
    text = course.source_notebook(module).read_text(encoding="utf-8")
    replace_text(_folder(course, module) / _SOURCE, text)


def earlier(course: Course, module: Module) -> list[bytes]:
    """Return the notebooks that were released before, the latest first."""
    now = course.released(module).read_bytes()
    kept = _folder(course, module).glob("release-*.ipynb")
    latest = sorted(kept, key=lambda path: path.stat().st_mtime, reverse=True)
    return [data for path in latest if (data := path.read_bytes()) != now][:_MOST]


def unreleased(course: Course, module: Module) -> list[str]:
    """Name the cells in which a source differs from the one that was released."""
    kept = _folder(course, module) / _SOURCE
    if not kept.is_file() or kept.stat().st_mtime >= module.source.stat().st_mtime:
        return []
    before, now = (_texts(nb) for nb in (nbformat.read(kept, 4), read_source(module.source)))
    return [name for name in {**now, **before} if now.get(name) != before.get(name)]


def _texts(notebook: NotebookNode) -> dict[str, object]:
    """Return what a release is made of, by the name or the id of the cell."""
    return {
        grade_id(cell) or cell.id: (cell.cell_type, cell.source, cell.metadata.get("nbgrader"))
        for cell in notebook.cells
    }


def stale(course: Course, module: Module, students: Sequence[str] | None = None) -> list[str]:
    """Return whose marks another release gave, of these students or of all."""
    if not course.released(module).is_file():
        return []
    now = current(course, module)
    graded = (record for record in records.load_all(course, module) if is_stale(record, now))
    return [r.student for r in graded if students is None or r.student in students]


def is_stale(record: records.Record, release: str) -> bool:
    """Whether a mark was given by another release than the one of this digest."""
    return record.status == "graded" and bool(record.release) and record.release != release


def _folder(course: Course, module: Module) -> Path:
    return course.records / module.name / "releases"
