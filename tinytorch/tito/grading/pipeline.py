"""Grade a class: one submission after the other, none of which can stop the others."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Literal

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from traitlets.config import Config

from tinytorch.tito.course import Course, Module
from tinytorch.tito.errors import TitoError
from tinytorch.tito.flags import classmates, evidence
from tinytorch.tito.grading import converters, intake, records
from tinytorch.tito.grading.cells import flags
from tinytorch.tito.grading.exam import exam_of
from tinytorch.tito.grading.execute import ExecuteSubmission
from tinytorch.tito.grading.exporter import known_ids, read_release
from tinytorch.tito.grading.records import Record
from tinytorch.tito.grading.transaction import all_or_nothing
from tinytorch.tito.sandbox import Isolation
from tinytorch.tito.sandbox.scratch import remove_tree

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Outcome:
    """What became of one submission in a run."""

    student: str
    status: Literal["graded", "skipped", "failed"]
    reason: str = ""
    flags: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass
class GradingRun:
    """What became of a class.

    Attributes
    ----------
    log : Path
        nbgrader's log of the run.
    isolation : Isolation
        What kept students' code apart from the machine.
    outcomes : list of Outcome
        One for each student, in the order of grading.
    """

    log: Path
    isolation: Isolation
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def graded(self) -> list[Outcome]:
        """Submissions that were graded."""
        return [outcome for outcome in self.outcomes if outcome.status == "graded"]

    @property
    def skipped(self) -> list[Outcome]:
        """Submissions that have not changed since they were graded."""
        return [outcome for outcome in self.outcomes if outcome.status == "skipped"]

    @property
    def failed(self) -> list[Outcome]:
        """Submissions that could not be graded."""
        return [outcome for outcome in self.outcomes if outcome.status == "failed"]


def grade(
    course: Course,
    module: Module,
    students: Sequence[str] | None = None,
    force: bool = False,
    on_progress: Progress | None = None,
    seed: int | None = None,
    isolation: str | None = None,
) -> GradingRun:
    """Grade the submissions of a module that are new or have changed.

    Parameters
    ----------
    course, module
        Submissions are in ``course.submitted/STUDENT/module.name``.
    students : sequence of str, optional
        Only these.
    force : bool
        Grade unchanged submissions too.
    on_progress : callable, optional
        Called with (done, total, student) before each submission and, with "", at the end.
    seed : int, optional
        Repeats the fresh inputs of an earlier run, whose records name it.
    isolation : str, optional
        The weakest isolation of students' code that is accepted; as configured by default.

    Raises
    ------
    TitoError
        If nothing can be graded: no release, no such student, no isolation. What is wrong with one
        submission is in its outcome, and in its record.
    """
    chosen = _choose(course, module, students)
    release = course.release / module.name / f"{module.notebook}.ipynb"
    config = course.nbgrader_config()
    if seed is not None:
        config.ExecuteSubmission.seed = seed
    if isolation is not None:
        config.ExecuteSubmission.isolation = isolation
    task = _Task(course, module, config, release)
    task.check()
    isolated = ExecuteSubmission(config=config).isolate(module.name)
    folder = course.records / module.name
    folder.mkdir(parents=True, exist_ok=True)
    run = GradingRun(folder / f"grade-{datetime.now(UTC):%Y%m%dT%H%M%S}.log", isolated)
    show = on_progress or (lambda done, total, student: None)
    with _log_to(run.log) as log:
        for done, student in enumerate(chosen):
            show(done, len(chosen), student)
            run.outcomes.append(_grade_one(task, student, force, log))
        show(len(chosen), len(chosen), "")
    if run.graded:
        classmates.compare(course, module)
    evidence.write(course, module)
    return run


def submitted(course: Course, module: Module) -> list[str]:
    """Return the students who handed something in for a module."""
    if not course.submitted.is_dir():
        return []
    folders = (path for path in course.submitted.iterdir() if not path.name.startswith("."))
    return sorted(path.name for path in folders if (path / module.name).is_dir())


def _choose(course: Course, module: Module, students: Sequence[str] | None) -> list[str]:
    found = submitted(course, module)
    if students is None:
        return found
    for student in students:
        if student not in found:
            folder = course.submitted / student / module.name
            raise TitoError(
                f"no submission of {module.name} by {student}: there is no folder {folder}."
            )
    return [student for student in found if student in students]


@dataclass(frozen=True)
class _Task:
    """What all submissions of a run have in common."""

    course: Course
    module: Module
    config: Config
    release: Path

    def check(self) -> None:
        """Refuse to begin where every submission would fail."""
        remedy = f"make it with 'tito release {self.module.name}'"
        read_release(self.release)
        if not (self.course.package_before(self.module) / "tinytorch").is_dir():
            raise TitoError(f"the package before {self.module.name} is missing; {remedy}.")
        source = self.course.notebooks / self.module.name / f"{self.module.notebook}.ipynb"
        exam_of(source, self.config.ExecuteSubmission.get("seed"))
        with self.gradebook() as gradebook:
            try:
                gradebook.find_notebook(self.module.notebook, self.module.name)
            except MissingEntry as error:
                raise TitoError(
                    f"the gradebook does not know {self.module.name}; {remedy}."
                ) from error

    def gradebook(self) -> Gradebook:
        """Open the gradebook; close it after use."""
        where = converters.course_directory(self.course, self.module, "*", self.config)
        return Gradebook(where.db_url, where.course_id)

    def digest(self) -> str:
        """Return what identifies the release."""
        return hashlib.sha256(self.release.read_bytes()).hexdigest()


def _grade_one(task: _Task, student: str, force: bool, log: logging.Logger) -> Outcome:
    """Grade a submission and note what came of it."""
    began = monotonic()
    problem = intake.problem_with_id(student)
    if problem:
        reason = f"{student!r} cannot be a student's id: {problem}. Rename the folder."
        return Outcome(student, "failed", reason)
    noted: tuple[str, ...] = ()
    try:
        known = known_ids(read_release(task.release))
        folder = task.course.submitted / student / task.module.name
        submission = intake.receive(folder, student, task.module.notebook, known)
        noted = submission.flags
        if not force and _is_unchanged(task, submission):
            return Outcome(student, "skipped", flags=noted)
        record = _autograde(task, submission, log)
    except Exception as error:  # whatever a student's file or code brings about
        log.exception("%s could not be graded", student)
        stale = _has_mark(task, student)
        record = Record(student, "failed", _reason(error), stale, noted, problem=_problem(error))
    notes = {
        "reason": intake.printable(record.reason),
        "problem": intake.printable(record.problem),
        "flags": tuple(map(intake.printable, record.flags)),
    }
    record = replace(record, **notes)  # type: ignore[arg-type]
    seconds = round(monotonic() - began, 3)
    graded_at = datetime.now(UTC).isoformat(timespec="seconds")
    records.save(
        task.course,
        task.module,
        Record(**{**vars(record), "seconds": seconds, "graded_at": graded_at}),
    )
    return Outcome(student, record.status, record.reason, record.flags, seconds)


def _reason(error: Exception) -> str:
    """Say to the instructor what went wrong and what to do."""
    if isinstance(error, intake.SubmissionError):
        return f"{error.problem}. {error.remedy}"
    if isinstance(error, TitoError):
        return str(error)
    return f"grading failed, the log says more: {type(error).__name__}: {error}"


def _problem(error: Exception) -> str:
    """Say to the student what is wrong with the file; nothing where the fault is not theirs."""
    return error.problem if isinstance(error, intake.SubmissionError) else ""


def _is_unchanged(task: _Task, submission: intake.Submission) -> bool:
    record = records.load(task.course, task.module, submission.student)
    graded = _place(task, submission.student) / f"{task.module.notebook}.ipynb"
    return (
        record is not None
        and record.status == "graded"
        and (record.submission, record.release) == (submission.digest, task.digest())
        and graded.is_file()
    )


def _place(task: _Task, student: str) -> Path:
    return task.course.autograded / student / task.module.name


def _has_mark(task: _Task, student: str) -> bool:
    return (_place(task, student) / f"{task.module.notebook}.ipynb").is_file()


def _autograde(task: _Task, submission: intake.Submission, log: logging.Logger) -> Record:
    """Let nbgrader grade a submission beside the earlier result, then put it in its place."""
    student = submission.student
    staged = staging_folder(task.course.records / task.module.name)
    with staged as staging, all_or_nothing(task.gradebook, task.module.name, student):
        where = converters.course_directory(
            task.course, task.module, student, task.config, autograded_directory=staging
        )
        converters.run(
            converters.AutogradeOne, where, task.config, log, timestamp=submission.timestamp
        )
        made = staging / student / task.module.name
        notebook = nbformat.read(made / f"{task.module.notebook}.ipynb", as_version=4)
        if submission.timestamp:
            # nbgrader compares it with the submission's to see whether there is a newer one.
            (made / "timestamp.txt").write_text(f"{submission.timestamp} UTC\n")
        put_in_place(made, _place(task, student), staging)
    return Record(
        student,
        "graded",
        flags=tuple(flags(notebook)),
        submission=submission.digest,
        release=task.digest(),
        cells=dict(notebook.metadata.tinytorch.verdicts),
        seed=notebook.metadata.tinytorch.seed,
        isolation=dict(notebook.metadata.tinytorch.isolation),
    )


@contextmanager
def staging_folder(parent: Path) -> Iterator[Path]:
    """Make a hidden folder for results that are not yet whole; delete it in the end."""
    folder = Path(tempfile.mkdtemp(dir=parent, prefix=".grading-"))
    try:
        yield folder
    finally:
        remove_tree(folder)


def put_in_place(made: Path, place: Path, staging: Path) -> None:
    """Move a folder into its place; the one that was there goes with the staging folder."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        os.rename(place, staging / "earlier")
    try:
        os.rename(made, place)
    except OSError:
        if (staging / "earlier").exists():
            os.rename(staging / "earlier", place)
        raise


@contextmanager
def _log_to(path: Path) -> Iterator[logging.Logger]:
    """Give nbgrader a logger that writes to a file and nowhere else."""
    log = logging.Logger("tito.grade", logging.INFO)
    handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
    log.addHandler(handler)
    try:
        yield log
    finally:
        handler.close()
