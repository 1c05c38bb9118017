"""Make an assignment of a course ready for workers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.nbgraderformat import MetadataValidator
from traitlets.config import Config

from tito.authoring import releases
from tito.authoring.releases import read_release
from tito.authoring.source import read_notebook
from tito.autograde.job import Assignment
from tito.autograde.limits import ExecuteSubmission
from tito.course import Course, Module, check_modules
from tito.course.cells import SourceCell, grade_id, is_autograded
from tito.course.files import written
from tito.course.gradebook import source_cells
from tito.errors import TitoError
from tito.kernels import isolation
from tito.kernels.fonts import font_lists, prepare_fonts
from tito.kernels.isolation import IsolationReport, this_machine
from tito.scoring import judging
from tito.scoring.judging import Plan

#: Sections of the configuration that concern the gradebook or folders, of which workers have none.
_NOT_FOR_WORKERS = ("CourseDirectory",)
#: Where what was found of this machine is kept, among the records.
_ISOLATION = ".isolation.json"


def isolation_here(course: Course, module: Module, config: Config) -> IsolationReport:
    """Return what isolation this machine gives; refuse where it is less than is demanded.

    It is probed, unless that was done today in the same circumstances.
    """
    package = course.package_before(module)
    limits = ExecuteSubmission(config=config)
    secret, answers = tuple(map(Path, limits.secret_folders)), module.answers
    kept, now = course.records / _ISOLATION, isolation.circumstances(package, secret, answers)
    report = isolation.kept_in(kept, now)
    if report is None:
        report = isolation.find(limits.isolation, package, secret, answers)
        with written("what isolation this machine gives"):
            course.records.mkdir(parents=True, exist_ok=True)
            isolation.keep_in(kept, now, report)
    return report


def check(course: Course, module: Module) -> None:
    """Refuse to begin where there is nothing to grade with; :func:`assignment` looks closer."""
    released = course.released(module)
    releases.refuse_other_languages(released, read_release(released))
    source = course.source_notebook(module)
    if not source.is_file():
        raise TitoError(f"{source} is missing; make it with 'tito export {module.name}'.")
    course.files_for_grading(module)


def assignment(
    course: Course,
    module: Module,
    config: Config,
    book: Gradebook,
    seed: int,
    report: IsolationReport | None = None,
) -> Assignment:
    """Collect what all submissions of a run have in common.

    Raises
    ------
    TitoError
        If the reference solution does not run, or another version of it was released.
    """
    source = course.source_notebook(module)
    notebook = read_notebook(source)
    release = read_release(course.released(module))
    # Asks the reference, where there is one to be asked, once for all workers.
    plan = judging.prepare(course.judged_by, notebook, [release], seed)
    cells, kernelspec = source_cells(book, module)
    _compare(course, module, plan, cells)
    sent = {name: value for name, value in config.items() if name not in _NOT_FOR_WORKERS}
    return Assignment(
        module.name,
        module.notebook,
        course.released(module).read_bytes(),
        source.read_bytes(),
        releases.current(course, module),
        course.files_for_grading(module),
        cells,
        kernelspec,
        seed,
        plan.answers,
        sent,
        _fonts(config),
        tuple(releases.earlier(course, module)),
        {this_machine(): report} if report else {},
        course.judged_by,
    )


def _compare(course: Course, module: Module, plan: Plan, cells: Sequence[SourceCell]) -> None:
    """Refuse where the source's graded cells are not those that were released.

    The release says which cells a submission has; what stands in them comes from the gradebook,
    since the release lacks hidden tests.
    """
    release = read_release(course.released(module))
    MetadataValidator().validate_nb(release)
    graded = filter(is_autograded, release.cells)
    held = {cell.name: cell.source.strip() for cell in cells}
    released = {name: held.get(name, "") for cell in graded if (name := grade_id(cell))}
    other = plan.differing(released)
    if not check_modules.is_made_with(release, plan.texts):
        other = other or ["the modules of their checks"]
    if other:
        raise TitoError(
            f"the graded cells of {module.name} that were released are not those of its source "
            f"any more: {', '.join(other)}. Release the source with 'tito release {module.name}', "
            "or take the change back, and grade again."
        )


def _fonts(config: Config) -> dict[str, bytes]:
    folder = ExecuteSubmission(config=config).fonts
    if not folder:
        return {}
    return font_lists(prepare_fonts(Path(folder)))
