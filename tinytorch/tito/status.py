"""Where each module of the course stands."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry

from tinytorch.tito.course import Course, Module
from tinytorch.tito.export import export_notebook
from tinytorch.tito.source import read_source


@dataclass(frozen=True)
class ModuleStatus:
    """One module's state: words for the package and the release, counts of students."""

    module: str
    exported: str
    released: str
    submitted: int
    graded: int
    to_grade_by_hand: int
    feedback: int


def modules(course: Course) -> list[ModuleStatus]:
    """Return the state of every module."""
    return [_state(course, module) for module in course.modules]


def _state(course: Course, module: Module) -> ModuleStatus:
    return ModuleStatus(
        module=module.name,
        exported=_exported(course, module),
        released=_released(course, module),
        submitted=_count(course.submitted, module, "*.ipynb"),
        graded=_count(course.autograded, module, "*.ipynb"),
        to_grade_by_hand=_to_grade_by_hand(course, module),
        feedback=_count(course.feedback, module, "*.html"),
    )


def is_exported(course: Course, module: Module) -> bool:
    """Whether the committed package holds exactly what the source gives."""
    current = module.file_in(course.package)
    if not current.is_file():
        return False
    # Laid out as the course is, since a module names its source by a relative path.
    with tempfile.TemporaryDirectory() as scratch:
        package = Path(scratch) / course.package.name
        named = Path(scratch) / module.source.relative_to(course.root)
        export_notebook(read_source(module.source), named, package)
        return module.file_in(package).read_bytes() == current.read_bytes()


def _exported(course: Course, module: Module) -> str:
    if not module.file_in(course.package).is_file():
        return "no"
    return "yes" if is_exported(course, module) else "outdated"


def _released(course: Course, module: Module) -> str:
    notebook = course.release / module.name / f"{module.notebook}.ipynb"
    if not notebook.is_file():
        return "no"
    newer = notebook.stat().st_mtime >= module.source.stat().st_mtime
    return "yes" if newer else "outdated"


def _count(folder: Path, module: Module, pattern: str) -> int:
    """Count the students that have such a file for a module."""
    return len({path.parent for path in folder.glob(f"*/{module.name}/{pattern}")})


def _to_grade_by_hand(course: Course, module: Module) -> int:
    """Count the submissions with an answer that waits for a person."""
    url = course.nbgrader_config().CourseDirectory.get("db_url")
    if not url or (url.startswith("sqlite:///") and not Path(url[10:]).is_file()):
        return 0
    with Gradebook(url) as gradebook:
        try:
            submissions = gradebook.find_assignment(module.name).submissions
        except MissingEntry:
            return 0
        return sum(submission.needs_manual_grade for submission in submissions)
