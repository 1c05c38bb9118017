"""What a worker does: grade one submission, a function of bytes to bytes.

A worker keeps what the submissions of a run share: the assignment, laid out in a private folder,
and a zygote. Students' code runs in a sandbox of its own for each of them.
"""

from __future__ import annotations

import atexit
import copy
import gc
import hashlib
import io
import json
import logging
import os
import shutil
import socket
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4.rwbase import strip_transient
from nbgrader.nbgraderformat import MetadataValidator
from traitlets.config import Config

from tito.autograde import steps
from tito.autograde.execute_here import ExecuteHere, KernelLostError
from tito.autograde.job import Assignment, Job, difference, fingerprint, unpacked
from tito.course.cells import answers_of, flags
from tito.course.folders import make_folder
from tito.errors import NotStartedError, TitoError
from tito.gradebook.result import Result
from tito.kernels import isolation
from tito.kernels.forking import end_zygotes, zygote_for
from tito.scoring import reference
from tito.submission import intake

_LOG_SHOWN = 20_000
#: So many new objects are looked through at once; a submission makes some hundred thousand.
_GARBAGE = 20_000
#: How often a submission is begun: a kernel may be killed by somebody else.
_ATTEMPTS = 3
#: What a kernel or a sandbox that somebody killed leads to, at whatever moment.
_MAY_PASS = (KernelLostError, NotStartedError, RuntimeError, OSError)
#: A worker of Dask outlives runs, and each run has a workplace of its own. Two are kept, since two
#: instructors may grade on one cluster at once: with one, a worker would make it anew, with a warm
#: process, for each submission that is not of the same run as the one before.
_PLACES = 2
#: A worker of Dask may have several threads; kernels come from one zygote, one after the other.
_one_at_a_time = threading.Lock()
#: By the digest of the assignment, the one used last at the end.
_workplaces: dict[str, Workplace] = {}


def grade(packed: bytes, job: Job) -> Result:
    """Grade a submission.

    Parameters
    ----------
    packed : bytes
        The assignment, by :meth:`tito.autograde.job.Assignment.packed`.
    job : Job
        The submission.

    Returns
    -------
    Result
        Also where it cannot be graded, or not by this worker. What is raised is no fault of the
        submission's.
    """
    ours = fingerprint()
    about: dict[str, Any] = {"student": job.student, "digest": job.digest, "worker": this_worker()}
    if job.version != ours:
        reason = f"the worker {this_worker()} has another version: {difference(ours, job.version)}"
        return Result(status="refused", reason=reason, **about)
    began = monotonic()
    said = io.StringIO()
    with _one_at_a_time:
        try:
            place = workplace(packed)
        except (TitoError, OSError) as error:
            reason = f"the worker {this_worker()} cannot grade: {error}"
            return Result(status="refused", reason=reason, **about)
        made = _grade_or_say_why_not(place, job, _log_to(said))
    seconds = round(monotonic() - began, 3)
    return Result(
        **about, **made, timestamp=job.timestamp, seconds=seconds, log=said.getvalue()[:_LOG_SHOWN]
    )


def begin(packed: bytes) -> None:
    """Make ready what all submissions need.

    Parameters
    ----------
    packed : bytes
        The assignment.
    """
    place = workplace(packed)
    if place.found.forks:
        fonts = place.config.GradingKernelManager.font_cache
        zygote_for(place.package, Path(fonts) if fonts else None)
    gc.collect()
    gc.freeze()  # what is there stays; looking it through for garbage took a tenth of a second
    gc.set_threshold(_GARBAGE, *gc.get_threshold()[1:])


def reason_of(error: BaseException) -> str:
    """Say to the instructor what went wrong and what to do."""
    if isinstance(error, intake.SubmissionError):
        return f"{error.problem}. {error.remedy}"
    if isinstance(error, TitoError):
        return str(error)
    return f"grading failed, the log says more: {type(error).__name__}: {error}"


def this_worker() -> str:
    """Name this process, by its address where Dask runs it."""
    if "distributed.worker" in sys.modules:
        with suppress(ValueError):  # not in a task
            return sys.modules["distributed.worker"].get_worker().address
    return f"{socket.gethostname()}:{os.getpid()}"


def _log_to(stream: io.StringIO) -> logging.Logger:
    log = logging.Logger("tito.grade", logging.INFO)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    log.addHandler(handler)
    return log


class Workplace:
    """An assignment, laid out for the steps in a folder that only this process uses."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.digest = assignment.release_digest
        self.release = nbformat.reads(assignment.release, as_version=nbformat.current_nbformat)
        MetadataValidator().validate_nb(self.release)
        self.earlier = [
            nbformat.reads(one, nbformat.current_nbformat) for one in assignment.earlier
        ]
        self.folder = make_folder()
        try:
            self._lay_out()
        except BaseException:
            self.close()
            raise

    def _lay_out(self) -> None:
        assignment = self.assignment
        name, notebook = assignment.name, f"{assignment.notebook}.ipynb"
        package = self._write("package", {f"{name}/{p}": d for p, d in assignment.package.items()})
        sources = self._write("source", {f"{name}/{notebook}": assignment.source})
        fonts = self._write("fonts", assignment.fonts)
        reference.know(assignment.answers)
        self.config = Config(copy.deepcopy(dict(assignment.config)))
        self.config.ExecuteSubmission.update(
            packages=str(package), sources=str(sources), seed=assignment.seed
        )
        self.config.GradingKernelManager.font_cache = str(fonts) if assignment.fonts else ""
        self.found = self._isolate(self.package)

    @property
    def package(self) -> Path:
        """The folder of the package that ends before the module."""
        return self.folder / "package" / self.assignment.name

    def _write(self, folder: str, files: Any) -> Path:
        top = self.folder / folder
        top.mkdir()
        for inside, data in files.items():
            path = top / inside
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        for path in [top, *top.rglob("*")]:  # who runs students' code must be able to read them
            path.chmod(0o755 if path.is_dir() else 0o644)
        return top

    def _isolate(self, package: Path) -> isolation.IsolationReport:
        known = self.assignment.isolation.get(isolation.this_machine())
        if known is not None:
            return known
        accepted = self.config.ExecuteSubmission.get("isolation", "full")
        source = nbformat.reads(self.assignment.source, as_version=nbformat.NO_CONVERT)
        return isolation.find(accepted, package, (self.folder,), answers_of(source))

    def close(self) -> None:
        """End the zygotes of its package, and delete the folder, which holds the solutions."""
        end_zygotes(self.package)
        shutil.rmtree(self.folder, ignore_errors=True)


def workplace(packed: bytes) -> Workplace:
    """Return the workplace of an assignment, made once in a process; the oldest one is closed.

    No submission is being graded in one that is closed: this process grades one at a time.
    """
    digest = hashlib.sha256(packed).hexdigest()
    place = _workplaces.pop(digest, None)
    if place is None:
        while len(_workplaces) >= _PLACES:
            _workplaces.pop(next(iter(_workplaces))).close()
        place = Workplace(unpacked(packed))
    _workplaces[digest] = place  # the last one used is the last to go
    return place


def close_workplaces() -> None:
    """Close all workplaces of this process."""
    while _workplaces:
        _workplaces.popitem()[1].close()


def _grade_or_say_why_not(place: Workplace, job: Job, log: logging.Logger) -> dict[str, Any]:
    try:
        return _grade(place, job, log)
    except MemoryError:
        raise  # a worker elsewhere may have more
    except Exception as error:  # whatever a student's file or code brings about
        log.error("%s could not be graded\n%s", job.student, traceback.format_exc())
        problem = error.problem if isinstance(error, intake.SubmissionError) else ""
        about = {"flags": job.flags, "reason": reason_of(error), "problem": problem}
        return {"status": "failed", **about}


def _grade(place: Workplace, job: Job, log: logging.Logger) -> dict[str, Any]:
    made = steps.steps_of(place.config, log)
    (execute,) = [step for step in made if isinstance(step, ExecuteHere)]
    execute.found = place.found
    for attempt in range(1, _ATTEMPTS + 1):
        execute.forgiving = attempt < _ATTEMPTS and not execute.died_alone
        try:
            submitted = intake.parse(job.data, job.student, job.filename)
            nb, resources = steps.run(made, submitted, _resources(place, job))
            break
        except intake.SubmissionError:
            raise
        except _MAY_PASS as error:
            if attempt == _ATTEMPTS:
                raise
            log.warning("%s; begun again", error)
    ours = resources["tinytorch"]
    return {
        "status": "graded",
        "release": place.digest,
        # Not nbformat's writer: what it indents, json writes in Python and not in C.
        "notebook": json.dumps(strip_transient(nb), ensure_ascii=False),
        "scores": ours["scores"],
        "comments": ours["comments"],
        "questions": ours["questions"],
        "cells": _plain(nb.metadata.tinytorch.verdicts),
        "seed": nb.metadata.tinytorch.seed,
        "isolation": _plain(nb.metadata.tinytorch.isolation),
        "flags": tuple(flags(nb)),
    }


def _resources(place: Workplace, job: Job) -> dict[str, Any]:
    ids = {
        "assignment": place.assignment.name,
        "notebook": place.assignment.notebook,
        "student": job.student,
    }
    ours = {
        "release": place.release,
        "earlier": place.earlier,
        "flags": job.flags,
        "filename": job.filename,
        "assignment": place.assignment,
    }
    return {"nbgrader": ids, "tinytorch": ours, "metadata": {}}


def _plain(value: Any) -> Any:
    """Return plain dictionaries and lists."""
    if isinstance(value, (dict, NotebookNode)):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


atexit.register(close_workplaces)
atexit.register(end_zygotes)
