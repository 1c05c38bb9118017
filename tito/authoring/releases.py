"""What was released: kept, so that each student is held to what that student had."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tito.authoring.source import read_notebook, read_source
from tito.course import Course, Module
from tito.course.cells import grade_id
from tito.course.check_modules import digest, texts_of
from tito.course.files import replace_text
from tito.errors import TitoError, UsageError

#: So many earlier releases go to each worker, the latest ones.
_MOST = 20
_SOURCE = "source.ipynb"


def current(course: Course, module: Module) -> str:
    """Return the digest of the release as it is now."""
    path = course.source_notebook(module)
    made = path.is_file()
    source = read_notebook(path) if made else read_source(module.source, course.checks(module))
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
    checks = course.checks(module)
    times = (path.stat().st_mtime for path in (module.source, *checks.rglob("*.py")))
    if not kept.is_file() or kept.stat().st_mtime >= max(times):
        return []
    source = read_source(module.source, checks)
    before, now = (_texts(nb) for nb in (nbformat.read(kept, 4), source))
    return [name for name in {**now, **before} if now.get(name) != before.get(name)]


def _texts(notebook: NotebookNode) -> dict[str, object]:
    """Return what a release is made of, by the name or the id of the cell."""
    cells: dict[str, object] = {
        grade_id(cell) or cell.get("id") or f"cell {number}": (
            cell.cell_type,
            cell.source,
            cell.metadata.get("nbgrader"),
        )
        for number, cell in enumerate(notebook.cells, 1)
    }
    return cells | {f"checks/{path}": text for path, text in texts_of(notebook).items()}


def _folder(course: Course, module: Module) -> Path:
    return course.records_of(module) / "releases"


def digest_of_release(released: bytes, source: NotebookNode) -> str:
    """Return the SHA-256 of what marks are given by.

    Parameters
    ----------
    released : bytes
        The notebook as students received it.
    source : NotebookNode
        The course's own: of that the code, where hidden tests and the solution are, and the
        modules of the checks. Its text gives no mark.
    """
    code = [cell.source for cell in source.cells if cell.cell_type == "code"]
    given_by = repr(code) + digest(texts_of(source))
    return hashlib.sha256(released + given_by.encode()).hexdigest()


def read_release(path: Path) -> NotebookNode:
    """Read the notebook that students received.

    Raises
    ------
    TitoError
        If there is none.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise TitoError(
            f"there is no release {path}; make it with 'tito release {path.parent.name}'"
        ) from error
    return _read_release(path, state.st_mtime_ns, state.st_size)


def refuse_other_languages(path: Path, notebook: NotebookNode) -> None:
    """Refuse a notebook of another language, which would run as Python, and give nobody a point."""
    kernel = notebook.metadata.get("kernelspec", {})
    named = kernel.get("language") or notebook.metadata.get("language_info", {}).get("name")
    if named and not named.lower().startswith(("python", "ipython")):
        raise UsageError(f"{path} is written in {named}, and these tools grade Python alone.")


@lru_cache(maxsize=4)
def _read_release(path: Path, mtime: int, size: int) -> NotebookNode:
    """Read and validate a release once for a whole class."""
    return read_notebook(path)
