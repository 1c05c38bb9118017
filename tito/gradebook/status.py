"""Where each module of the course stands."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Grade, SubmittedAssignment, SubmittedNotebook

from tito.authoring.nbdev_export import export_notebook
from tito.authoring.source import read_source
from tito.course import Course, Module
from tito.course.course import problem_with_id
from tito.course.gradebook import open_gradebook, submissions_in
from tito.gradebook import records


@dataclass(frozen=True)
class ModuleStatus:
    """One module's state: "yes", "no" or "outdated", and counts of students."""

    module: str
    exported: str
    released: str
    submitted: int = 0
    #: Whose latest grading gave a mark, or none.
    graded: int = 0
    failed: int = 0
    #: Whose mark is of an earlier release.
    earlier: int = 0
    #: Who handed in something else since.
    changed: int = 0
    #: Whose answers wait for a person.
    to_grade_by_hand: int = 0
    #: Who has a page, and whose page is older than the mark.
    feedback: int = 0
    old_feedback: int = 0


def modules(course: Course) -> list[ModuleStatus]:
    """Return the state of every module."""
    return [_state(course, module) for module in course.modules]


def _state(course: Course, module: Module) -> ModuleStatus:
    students = course.students(module)
    gradings = {student: _grading(course, module, student) for student in students}
    pages = {
        path.parent.parent.name: path.stat().st_mtime
        for path in course.feedback.glob(f"*/{module.name}/{module.notebook}.html")
    }
    graded_at = {student: time for student, (_, time) in gradings.items() if time}
    return ModuleStatus(
        module=module.title,
        exported=exported(course, module),
        released=_released(course, module),
        submitted=len(students),
        graded=sum(status == "graded" for status, _ in gradings.values()),
        failed=sum(status == "failed" for status, _ in gradings.values()),
        earlier=len(records.stale(course, module, students)),
        changed=sum(_newest(course, module, name) > time for name, time in graded_at.items()),
        to_grade_by_hand=_to_grade_by_hand(course, module),
        feedback=len(pages),
        old_feedback=sum(pages.get(name, time) < time for name, time in graded_at.items()),
    )


def _grading(course: Course, module: Module, student: str) -> tuple[str, float]:
    """Return what the last grading of a submission came to, and when it was."""
    record = None if problem_with_id(student) else records.load(course, module, student)
    if record is None:
        return "", 0.0
    return record.status, records.path_of(course, module, student).stat().st_mtime


def _newest(course: Course, module: Module, student: str) -> float:
    """Return when a submission's files were last written."""
    folder = course.submitted / student / module.name
    try:
        return max((path.lstat().st_mtime for path in folder.iterdir()), default=0.0)
    except OSError:
        return 0.0  # what nobody may look into fails when it is graded


def exported(course: Course, module: Module) -> str:
    """Say whether the committed package holds exactly what the source gives; "-" if it is none."""
    if not module.exports:
        return "-"
    current = module.files_in(course.package)
    if not all(path.is_file() for path in current):
        return "no"
    # Laid out as the course is, since a module names its source by a relative path.
    with tempfile.TemporaryDirectory() as scratch:
        package = Path(scratch) / course.package.name
        named = Path(scratch) / module.source.relative_to(course.root)
        export_notebook(read_source(module.source), named, package)
        pairs = zip(module.files_in(package), current, strict=True)
        same = all(fresh.read_bytes() == path.read_bytes() for fresh, path in pairs)
    return "yes" if same else "outdated"


def _released(course: Course, module: Module) -> str:
    notebook = course.released(module)
    if not notebook.is_file():
        return "no"
    newer = notebook.stat().st_mtime >= module.source.stat().st_mtime
    return "yes" if newer else "outdated"


def _to_grade_by_hand(course: Course, module: Module) -> int:
    """Count the submissions with an answer that waits for a person."""
    url = course.nbgrader_config().CourseDirectory.get("db_url")
    if not url or (url.startswith("sqlite:///") and not Path(url[10:]).is_file()):
        return 0
    with open_gradebook(course) as book:
        submissions = submissions_in(book, module, SubmittedAssignment.id)
        grades = submissions.join(SubmittedAssignment.notebooks).join(SubmittedNotebook.grades)
        return grades.filter(Grade.needs_manual_grade).distinct().count()
