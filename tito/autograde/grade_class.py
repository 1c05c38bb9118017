"""Grade a class: what is new or has changed, on as many workers as there are, whatever happens."""

from __future__ import annotations

import itertools
import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from traitlets.config import Config

from tito.authoring import releases
from tito.authoring.releases import read_release
from tito.autograde import prepare
from tito.autograde.arrivals import Arrivals
from tito.autograde.audit import DIFFERS
from tito.autograde.driver import Driver
from tito.autograde.executor_config import ExecutorConfig
from tito.autograde.grading_run import GradingRun, Outcome
from tito.autograde.job import Job
from tito.autograde.limits import ExecuteSubmission
from tito.autograde.log import log_to
from tito.autograde.sample import Sample
from tito.autograde.worker import reason_of
from tito.course import Course, Module
from tito.course.course import problem_with_id
from tito.course.files import replace_text, written
from tito.course.gradebook import assignment_in, open_gradebook
from tito.course.times import zone_of
from tito.errors import UsageError
from tito.flags import classmates
from tito.gradebook import penalties, records
from tito.gradebook.result import Result
from tito.gradebook.result_store import ResultStore
from tito.gradebook.writer import GradebookWriter
from tito.submission import intake
from tito.text import printable

#: Holds, in the folder of records, the seed of a run that has not come to its end.
_UNFINISHED = ".unfinished"
#: So many changed cells of a source are named.
_NAMED = 5


Progress = Callable[[GradingRun], None]


def grade(
    course: Course,
    module: Module,
    students: Sequence[str] | None = None,
    force: bool = False,
    on_progress: Progress | None = None,
    seed: int | None = None,
    isolation: str | None = None,
    where: ExecutorConfig | None = None,
    whole: bool = False,
    watch: bool = False,
) -> GradingRun:
    """Grade the submissions of a module that are new or have changed.

    A run that was ended, in whatever way, is resumed by the next one.

    Parameters
    ----------
    course, module
        Submissions are in ``course.submitted/STUDENT/module.name``.
    students : sequence of str, optional
        Only these.
    force : bool
        Grade unchanged submissions too.
    on_progress : callable, optional
        Called with the run at its beginning and after each outcome.
    seed : int, optional
        Repeats the fresh inputs of an earlier run, whose records name it.
    isolation : str, optional
        The weakest isolation of students' code that is accepted; as configured by default.
    where : ExecutorConfig, optional
        On which machines; this one by default.
    whole : bool
        Run all cells, and grade again what was graded without some.
    watch : bool
        Go on with whatever is handed in, until an interrupt.

    Raises
    ------
    TitoError
        If nothing can be graded: no release, no such student, no isolation. What is wrong with one
        submission is in its outcome, and in its record.
    """
    began = monotonic()
    chosen = _choose(course, module, students)
    config = course.nbgrader_config()
    if isolation is not None:
        config.ExecuteSubmission.isolation = isolation
    prepare.check(course, module)
    found = prepare.isolation_here(course, module, config)
    folder = course.records_of(module)
    with written("the records of this run"):
        folder.mkdir(parents=True, exist_ok=True)
    name = f"grade-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}.log"
    run = GradingRun(folder / name, found.isolation, total=len(chosen))
    show = on_progress or (lambda run: None)
    with log_to(run.log) as log, open_gradebook(course, config) as book:
        assignment_in(book, module)
        run.seed = _seed(folder / _UNFINISHED) if seed is None else seed
        packed = partial(_pack, course, module, config, book, run.seed, found)
        run.notices += _unreleased(course, module)
        writer = GradebookWriter(book, module.name, module.notebook, config)
        grader = ClassGrader(course, module, writer, log, run, show, whole)
        where = replace(where or ExecutorConfig(), keeps_waiting=watch)
        try:
            grader.grade(chosen, force, where, packed, config if watch else None)
        except KeyboardInterrupt:
            log.warning("interrupted")
            run.interrupted = not watch or len(run.outcomes) < run.total
    run.outcomes.sort(key=lambda outcome: outcome.student)
    if not run.interrupted:  # then somebody waits for the end
        penalties.refresh(course, module)  # also where nothing but a due date has changed
        _look_at_the_class(course, module, bool(run.graded))
    run.seconds = round(monotonic() - began, 3)
    return run


def _unreleased(course: Course, module: Module) -> list[str]:
    """Say where the source is not the one that was released; marks are by the latter."""
    changed = releases.unreleased(course, module)
    if not changed:
        return []
    more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
    return [
        f"{module.source.name} was changed and not released: {', '.join(changed[:_NAMED])}{more}; "
        f"students have what 'tito release {module.name}' made before"
    ]


def _seed(unfinished: Path) -> int:
    """Return the seed of the run that is resumed, so that a class has one; else a new one."""
    with suppress(OSError, ValueError):
        return int(unfinished.read_text())
    return secrets.randbits(48)


def _pack(*arguments: Any) -> bytes:
    return prepare.assignment(*arguments).packed()


def _look_at_the_class(course: Course, module: Module, new_marks: bool) -> None:
    """Compare submissions if there are new marks, of this run or of one that did not get here."""
    unfinished = course.records_of(module) / _UNFINISHED
    with written("the comparison of the class"):
        releases.keep(course, module)  # nbgrader's own command may have made it
        if unfinished.exists() or new_marks:
            classmates.compare(course, module)
            unfinished.unlink(missing_ok=True)


def _choose(course: Course, module: Module, students: Sequence[str] | None) -> list[str]:
    found = course.students(module)
    if students is None:
        return found
    for student in students:
        if student not in found:
            folder = course.submitted / student / module.name
            raise UsageError(
                f"no submission of {module.name} by {student}: there is no folder {folder}."
            )
    return [student for student in found if student in students]


class ClassGrader:
    """The submissions of a run, from the folder to the outcome."""

    def __init__(
        self,
        course: Course,
        module: Module,
        book: GradebookWriter,
        log: logging.Logger,
        run: GradingRun,
        show: Progress,
        whole: bool,
    ) -> None:
        self._course, self._module = course, module
        self._log, self._run, self._show = log, run, show
        self._released = read_release(course.released(module))
        self._release = releases.current(course, module)
        self._sample = Sample(course, module, self._release, run.seed, whole)
        self._store = ResultStore(course, module, book, self._release)
        self._times: dict[str, datetime | None] = {}
        self._zone = zone_of(course.nbgrader_config())

    def grade(
        self,
        students: Sequence[str],
        force: bool,
        where: ExecutorConfig,
        pack: Callable[[], bytes],
        watch: Config | None = None,
    ) -> None:
        """Grade all that is to be graded, after what an earlier run left; then what arrives."""
        finished = self._store.finish_earlier_run(self._log)
        if finished:
            self._log.info("entered what an earlier run had found: %s", ", ".join(finished))
        self._times = self._store.writer.times()
        self._show(self._run)
        arriving = self._arriving(watch, students) if watch else iter(())
        todo = [student for student in students if self._is_to_do(student, force)]
        if finished or todo:
            with written("the records of this run"):
                replace_text(self._run.log.parent / _UNFINISHED, str(self._run.seed))
        if not todo and watch is None:
            return
        where.warm_up(len(todo))
        packed = pack()
        with where.executor(len(todo), packed, self._tell) as executor:
            driver = Driver(executor, self._store, packed, self._log, self._report)
            driver.run(itertools.chain(self._jobs(todo), arriving))
            if again := self._to_do_whole(students):
                driver.run(self._jobs(again))

    def _jobs(self, students: Sequence[str]) -> Iterator[Job]:
        """Give the jobs of a run, some of which are graded both ways."""
        files = filter(None, map(self._read, students))
        return (Job.of(file, self._sample.cells_of(file)) for file in files)

    def _arriving(self, config: Config, students: Sequence[str]) -> Iterator[Job | None]:
        """Give the jobs of what is handed in from now on; None where there is none for now.

        These students' submissions, as they are now, are graded before.
        """
        limit = ExecuteSubmission(config=config).an_hour
        folder, name = self._course.submitted, self._module.name
        with written("the folder for submissions"):
            folder.mkdir(parents=True, exist_ok=True)  # nobody may have handed in yet
        arrivals = Arrivals(folder, name, limit, self._graded_at, self._tell, students)
        return self._jobs_of(arrivals)

    def _jobs_of(self, arrivals: Arrivals) -> Iterator[Job | None]:
        for student in arrivals:
            if student is None:
                yield None
                continue
            self._times = self._store.writer.times()
            if self._is_to_do(student, force=False):
                yield from self._jobs([student])

    def _graded_at(self, student: str) -> list[datetime]:
        record = self._record(student)
        if record is None:
            return []
        marks = (*(one["graded_at"] for one in record.earlier), record.graded_at)
        return [datetime.fromisoformat(when) for when in marks]

    def _to_do_whole(self, students: Sequence[str]) -> list[str]:
        """Return who is graded with all cells too, since somebody's marks depend on them."""
        if not any(one.audit.startswith(DIFFERS) for one in self._run.outcomes):
            return []
        again = [s for s in students if self._sample.is_shortened(self._record(s))]
        self._run.outcomes = [one for one in self._run.outcomes if one.student not in again]
        return again

    def _record(self, student: str) -> records.Record | None:
        return records.load(self._course, self._module, student)

    def _is_to_do(self, student: str, force: bool) -> bool:
        """Look whether a submission must be graded; if not, that is its outcome."""
        if problem := problem_with_id(student):
            reason = f"{student!r} cannot be a student's id: {problem}. Rename the folder."
            self._add(Outcome(student, "failed", reason))
            return False
        record = None if force else self._record(student)
        if record is None or record.status != "graded" or record.release != self._release:
            return True
        if self._sample.is_shortened(record):
            return True
        got = self._read(student)
        if got is None:
            return False
        changes = records.changes(record, got, self._times)
        if not changes and self._store.has_mark(student):
            self._add(Outcome(student, "skipped", flags=got.flags))
            return False
        if changes:
            earned = sum(cell["earned"] for cell in record.cells.values())
            before = f"{earned:g} points, {record.graded_at}, {record.submission[:12]}"
            self._log.info("%s: %s; the mark before: %s", student, changes, before)
        return True

    def _read(self, student: str) -> intake.SubmissionFile | None:
        """Read a submission; what cannot be read is an outcome."""
        folder = self._course.submitted / student / self._module.name
        try:
            return intake.read_file(
                folder,
                student,
                self._module.notebook,
                self._released,
                self._zone,
                self._module.siblings,
            )
        except intake.SubmissionError as error:
            problem, reason = error.problem, reason_of(error)
        except Exception as error:  # one submission never stops the class
            problem, reason = "", reason_of(error)
            self._log.exception("%s could not be read", student)
        failed = Result(student, "", "failed", reason=reason, problem=problem)
        self._store.record(failed)
        self._store.commit([failed])
        self._report(failed)
        return None

    def _report(self, result: Result) -> None:
        if result.audit.startswith(DIFFERS) and not self._sample.whole:
            because = f"{result.student}, {result.audit}"
            self._sample.end(because)
            self._tell(
                f"{because}: marks depend on cells that were left out, so all of this class are "
                "graded with all of their cells from now on, who had a mark before too"
            )
        status: Literal["graded", "failed"] = "graded" if result.status == "graded" else "failed"
        if status == "failed":
            self._log.error("%s could not be graded: %s", result.student, result.reason)
        flags = tuple(map(printable, result.flags))
        reason = printable(result.reason)
        left_out, seconds = len(result.left_out), result.seconds
        outcome = Outcome(result.student, status, reason, flags, seconds, left_out, result.audit)
        self._add(outcome)

    def _tell(self, notice: str) -> None:
        self._log.warning(notice)
        self._run.notices.append(notice)
        self._show(self._run)

    def _add(self, outcome: Outcome) -> None:
        self._run.outcomes.append(outcome)
        self._show(self._run)
