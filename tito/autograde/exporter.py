"""Where nbgrader reads a notebook: submissions come in through :mod:`intake`.

Named in ``nbgrader_config.py``, so that plain ``nbgrader autograde`` and formgrader read a
submission as ``tito grade`` does.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode

from tito.authoring import releases
from tito.authoring.releases import read_release
from tito.course import Course
from tito.course.times import zone_of
from tito.submission import intake


class SubmissionExporter(NotebookExporter):
    """A notebook exporter for nbgrader's Autograde, tolerant where students' files need it.

    The release of the assignment, which :class:`~tito.submission.rebuild.Rebuild` needs,
    and what was noted while reading go into ``resources["tinytorch"]``.
    """

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Read a submission, under another name too, and run the preprocessors on it."""
        converter: Any = self.parent
        # Autograde converts twice: the submission, then, to run it, its own result of that.
        if resources is None or not getattr(converter, "_sanitizing", False):
            return super().from_filename(filename, resources, **kw)
        where, ids, path = converter.coursedir, resources["nbgrader"], Path(filename)
        folder = where.format_path(where.release_directory, ".", ids["assignment"])
        release = read_release(Path(folder, path.name))
        zone = zone_of(converter.config)
        submission = intake.receive(path.parent, ids["student"], path.stem, release, zone)
        more = {
            "metadata": {"name": path.stem, "path": str(path.parent)},
            "tinytorch": {
                "release": release,
                "earlier": _earlier_releases(folder),
                "flags": submission.flags,
                "filename": submission.path.name,
            },
        }
        return self.from_notebook_node(submission.notebook, {**resources, **more}, **kw)


@lru_cache(maxsize=4)
def _earlier_releases(folder: str) -> tuple[NotebookNode, ...]:
    """Read once for a class what was released before."""
    course = Course.find(Path(folder))
    found = releases.earlier(course, course.module(Path(folder).name))
    return tuple(nbformat.reads(one, nbformat.current_nbformat) for one in found)


def expect_released_name(*, notebooks: list[str], **_: Any) -> None:
    """Let nbgrader ask for the notebook by its released name, whatever the student called it.

    The ``pre_convert_hook`` of Autograde: it changes nbgrader's list of a submission's notebooks
    in place, and :class:`SubmissionExporter` then finds the file.
    """
    folder = Path(notebooks[0]).parent
    name = Course.find(folder).module(folder.name).notebook
    notebooks[:] = [str(folder / f"{name}.ipynb")]
