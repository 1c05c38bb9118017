"""``nbgrader autograde``, by the function that ``tito grade`` calls.

Named in ``nbgrader_config.py``. nbgrader goes through the submissions; each is graded, and its
marks entered, by :class:`GradeSubmission`, in the place of all steps of nbgrader's. A preprocessor
that an instructor adds there works on the graded notebook, and is nbgrader's alone: ``tito grade``
does not know of it.
"""

from __future__ import annotations

import logging
import secrets
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets.config import Config

from tito.authoring.releases import current, read_release
from tito.autograde import prepare
from tito.autograde.audit import DIFFERS
from tito.autograde.driver import Driver
from tito.autograde.executors import InlineExecutor
from tito.autograde.job import Job
from tito.autograde.limits import ExecuteSubmission
from tito.autograde.sample import Sample
from tito.course import Course, Module
from tito.course.gradebook import assignment_in, open_gradebook
from tito.course.times import zone_of
from tito.errors import TitoError
from tito.gradebook.result import Result
from tito.gradebook.result_store import ResultStore
from tito.gradebook.writer import GradebookWriter
from tito.submission import intake

Resources = dict[str, Any]

#: What the submissions of this process have in common, by what it is made of; the last one.
_made: dict[str, bytes] = {}
#: Which submissions are graded both ways, by the assignment as workers get it.
_samples: dict[bytes, Sample] = {}


class SubmissionExporter(NotebookExporter):
    """A notebook exporter for nbgrader's Autograde that leaves it to others to read the file.

    What students hand in need not be a notebook that nbformat reads, nor bear the released name.
    """

    def from_filename(
        self, filename: str, resources: Resources | None = None, **kw: Any
    ) -> tuple[NotebookNode, Resources]:
        """Hand on where a submission lies; read what came of it as any notebook."""
        # Autograde converts twice: the submission, then its own result of that.
        if resources is None or not getattr(self.parent, "_sanitizing", False):
            return super().from_filename(filename, resources, **kw)
        path = Path(filename)
        more = {"metadata": {"name": path.stem, "path": str(path.parent)}}
        return self.from_notebook_node(nbformat.v4.new_notebook(), {**resources, **more}, **kw)


def expect_released_name(*, notebooks: list[str], **_: Any) -> None:
    """Let nbgrader ask for the notebook by its released name, whatever the student called it.

    The ``pre_convert_hook`` of Autograde: it changes nbgrader's list of a submission's notebooks
    in place, and :class:`SubmissionExporter` then finds the file.
    """
    folder = Path(notebooks[0]).parent
    name = Course.find(folder).module(folder.name).notebook
    notebooks[:] = [str(folder / f"{name}.ipynb")]


class GradeSubmission(NbGraderPreprocessor):
    """Grade the submission in a folder, and enter its marks."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Return the graded notebook.

        Raises
        ------
        TitoError
            If the submission cannot be graded; nbgrader logs it and goes on with the others.
        """
        folder = Path(resources["metadata"]["path"])
        course = Course.find(folder)
        module = course.module(resources["nbgrader"]["assignment"])
        result = _grade(course, module, folder, resources["nbgrader"]["student"], self.config)
        if result.status != "graded":
            raise TitoError(f"{result.student}: {result.reason}")
        return nbformat.reads(result.notebook, nbformat.current_nbformat), resources


def _grade(course: Course, module: Module, folder: Path, student: str, config: Config) -> Result:
    """Grade one submission and enter what came of it, as a run over a class of one."""
    release = read_release(course.released(module))
    zone, siblings = zone_of(config), module.siblings
    file = intake.read_file(folder, student, module.notebook, release, zone, siblings)
    digest = current(course, module)
    results: list[Result] = []
    with open_gradebook(course, config) as book:
        assignment_in(book, module)
        packed = _assignment(course, module, digest, config, book)
        writer = GradebookWriter(book, module.name, module.notebook, config)
        store = ResultStore(course, module, writer, digest)
        log = logging.getLogger("tito.autograde")
        sample = _samples.setdefault(packed, Sample(course, module, digest, 0))
        job = Job.of(file, sample.cells_of(file))
        Driver(InlineExecutor(), store, packed, log, results.append).run([job])
    if results[0].audit.startswith(DIFFERS):
        sample.end(f"{student}, {results[0].audit}")
        log.warning(
            "%s: marks depend on cells that were left out; who was graded before is graded with "
            "all cells by 'tito grade %s'",
            student,
            module.name,
        )
    return results[0]


def _assignment(
    course: Course, module: Module, digest: str, config: Config, book: Gradebook
) -> bytes:
    """Return the assignment as workers get it, made once for all submissions."""
    key = f"{course.root} {module.name} {digest} {config!r}"
    if key not in _made:
        _made.clear()
        prepare.check(course, module)
        report = prepare.isolation_here(course, module, config)
        seed = ExecuteSubmission(config=config).seed
        seed = secrets.randbits(48) if seed is None else seed
        assignment = prepare.assignment(course, module, config, book, seed, report)
        _made[key] = assignment.packed()
    return _made[key]
