"""Make an assignment of a course ready for workers."""

from __future__ import annotations

from pathlib import Path

from nbgrader.api import Gradebook
from traitlets.config import Config

from tinytorch.tito.course import Course, Module
from tinytorch.tito.errors import TitoError
from tinytorch.tito.fleet.gradebook import MarkBook
from tinytorch.tito.fleet.isolation import Found, find, this_machine
from tinytorch.tito.fleet.job import Assignment
from tinytorch.tito.grading import converters, reference
from tinytorch.tito.grading.exam import exam_of
from tinytorch.tito.grading.exporter import read_release
from tinytorch.tito.grading.kernel import prepare_fonts

#: Sections of the configuration that concern the gradebook or folders, of which workers have none.
_NOT_FOR_WORKERS = ("CourseDirectory",)


def release_of(course: Course, module: Module) -> Path:
    """Return the notebook that students received."""
    return course.release / module.name / f"{module.notebook}.ipynb"


def isolation_here(course: Course, module: Module, config: Config) -> Found:
    """Probe this machine as the configuration demands; refuse where it gives less."""
    package = course.package_before(module)
    secret = tuple(map(Path, config.ExecuteSubmission.get("secret_folders", [])))
    return find(config.ExecuteSubmission.get("isolation", "full"), package, secret)


def check(course: Course, module: Module) -> None:
    """Refuse to begin where every submission would fail."""
    read_release(release_of(course, module))
    if not (course.package_before(module) / "tinytorch").is_dir():
        raise TitoError(
            f"the package before {module.name} is missing; "
            f"make it with 'tito release {module.name}'."
        )


def assignment(
    course: Course, module: Module, config: Config, book: MarkBook, seed: int, found: Found
) -> Assignment:
    """Collect what all submissions of a run have in common.

    Raises
    ------
    TitoError
        If the reference solution does not run.
    """
    source = course.notebooks / module.name / f"{module.notebook}.ipynb"
    exam_of(source, seed)  # asks the reference solution, once for all workers
    package = course.package_before(module)
    cells, kernelspec = book.source()
    sent = {name: value for name, value in config.items() if name not in _NOT_FOR_WORKERS}
    return Assignment(
        module.name,
        module.notebook,
        release_of(course, module).read_bytes(),
        source.read_bytes(),
        {str(p.relative_to(package)): p.read_bytes() for p in _files(package)},
        cells,
        kernelspec,
        seed,
        reference.known(),
        sent,
        _fonts(config),
        {this_machine(): found},
    )


def gradebook(course: Course, module: Module, config: Config) -> Gradebook:
    """Open the course's gradebook; close it after use."""
    where = converters.course_directory(course, module, "*", config)
    return Gradebook(where.db_url, where.course_id)


def _files(package: Path) -> list[Path]:
    found = sorted(path for path in package.rglob("*") if path.is_file())
    return [path for path in found if path.suffix != ".pyc"]


def _fonts(config: Config) -> dict[str, bytes]:
    folder = config.GradingKernelManager.get("font_cache", "")
    if not folder:
        return {}
    return {p.name: p.read_bytes() for p in prepare_fonts(Path(folder)).glob("fontlist-*.json")}
