"""What a worker does: grade one submission, a function of bytes to bytes.

A worker keeps what the submissions of a run share: the assignment, laid out in a private folder,
and a zygote. Students' code runs in a sandbox of its own for each of them.
"""

from __future__ import annotations

import atexit
import copy
import gc
import hashlib
import json
import shutil
import socket
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from os import getpid
from pathlib import Path
from time import monotonic

import nbformat
from traitlets.config import Config

from tito.autograde.grade_submission import Context, grade_submission
from tito.autograde.job import Assignment, Job, difference, fingerprint, unpacked
from tito.autograde.limits import ExecuteSubmission, LimitOutput
from tito.autograde.run_cells import KernelLostError
from tito.course.cells import answers_of
from tito.course.folders import make_folder, own_folder
from tito.errors import NotStartedError, TitoError
from tito.gradebook.result import Result
from tito.kernels import isolation
from tito.kernels.client import make_kernel
from tito.kernels.zygote_client import Zygote, end_zygotes, use_shared, zygote_for
from tito.sandbox.settings import Settings
from tito.scoring import judging
from tito.submission.intake import SubmissionError

_LOG_SHOWN = 20_000
#: So many new objects are looked through at once; a submission makes some hundred thousand.
_GARBAGE = 20_000
#: A worker of Dask outlives runs, and each run has a context of its own. Two are kept, since two
#: instructors may grade on one cluster at once: with one, a worker would make it anew, with a warm
#: process, for each submission that is not of the same run as the one before.
MAX_CONTEXTS = 2
#: A worker of Dask may have several threads; kernels come from one zygote, one after the other.
_one_at_a_time = threading.Lock()
#: By the digest of the assignment, the one used last at the end.
_contexts: dict[str, WorkerContext] = {}


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
    ours, name = fingerprint(), this_worker()
    refused = Result(**job.identity, status="refused", worker=name)
    if job.version != ours:
        versions = difference(ours, job.version)
        return replace(refused, reason=f"the worker {name} has another version: {versions}")
    began = monotonic()
    with _one_at_a_time:
        try:
            context = context_of(packed).context
        except (TitoError, OSError) as error:
            return replace(refused, reason=f"the worker {name} cannot grade: {error}")
        result = grade_in(context, job)
    return replace(result, seconds=round(monotonic() - began, 3), worker=name)


def grade_in(context: Context, job: Job) -> Result:
    """Grade a submission, or say why not: nothing that it brings about is raised."""
    failed = Result(**job.identity, status="failed", flags=job.flags)
    try:
        return grade_submission(job, context)
    except SubmissionError as error:
        return replace(failed, reason=reason_of(error), problem=error.problem)
    except KernelLostError as error:
        return replace(failed, status="lost", blame=error.blame, reason=reason_of(error))
    except (NotStartedError, OSError) as error:
        return replace(failed, status="lost", blame="machine", reason=reason_of(error))
    except MemoryError:
        raise  # a worker elsewhere may have more
    except Exception as error:  # whatever a student's file or code brings about
        said = traceback.format_exc()[-_LOG_SHOWN:]
        return replace(failed, reason=reason_of(error), log=said)


def reason_of(error: BaseException) -> str:
    """Say to the instructor what went wrong and what to do."""
    if isinstance(error, SubmissionError):
        return f"{error.problem}. {error.remedy}"
    if isinstance(error, (TitoError, KernelLostError)):
        return str(error)
    return f"grading failed, the log says more: {type(error).__name__}: {error}"


@contextmanager
def shared_zygote(packed: bytes) -> Iterator[Path | None]:
    """Start the zygote of all workers of this machine; give where it is, None where none can be."""
    assignment = unpacked(packed)
    report = assignment.isolation.get(isolation.this_machine())
    with own_folder() as folder, ExitStack() as open_ones:
        place: Path | None = None
        if report is not None and report.forks:
            package = lay_out(folder / "package", assignment.package)
            fonts = lay_out(folder / "fonts", assignment.fonts) if assignment.fonts else None
            with suppress(NotStartedError):  # then each worker tries to have its own
                zygote = Zygote(Settings(), package, fonts, folder / "zygote")
                open_ones.enter_context(closing(zygote))
                place = folder / "zygote"
        yield place


def begin(packed: bytes, zygote: Path | None = None) -> None:
    """Make ready what all submissions need.

    Parameters
    ----------
    packed : bytes
        The assignment.
    zygote : Path, optional
        Where kernels are forked for all workers; by default each has a zygote of its own.
    """
    if zygote is not None:
        use_shared(zygote)
    ready = context_of(packed)
    if ready.report.forks:
        zygote_for(ready.package, ready.fonts)
    gc.collect()
    gc.freeze()  # what is there stays; looking it through for garbage took a tenth of a second
    gc.set_threshold(_GARBAGE, *gc.get_threshold()[1:])


def this_worker() -> str:
    """Name this process, by its address where Dask runs it."""
    if "distributed.worker" in sys.modules:
        with suppress(ValueError):  # not in a task
            return sys.modules["distributed.worker"].get_worker().address
    return f"{socket.gethostname()}:{getpid()}"


def lay_out(top: Path, files: Mapping[str, bytes]) -> Path:
    """Write files into a new folder, for whoever runs students' code to read; return it."""
    top.mkdir()
    for inside, data in files.items():
        path = top / inside
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for path in [top, *top.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return top


class WorkerContext:
    """An assignment, laid out in a folder that only this process uses.

    Attributes
    ----------
    folder : Path
        Where it lies.
    package : Path
        The package that ends before the module.
    fonts : Path or None
        matplotlib's list of fonts.
    report : IsolationReport
        How this machine isolates students' code.
    context : Context
        What grading a submission needs.
    """

    def __init__(self, assignment: Assignment) -> None:
        self.folder = make_folder()
        try:
            self._lay_out(assignment)
        except BaseException:
            self.close()
            raise

    def _lay_out(self, assignment: Assignment) -> None:
        self.package = lay_out(self.folder / "package", assignment.package)
        fonts = assignment.fonts
        self.fonts = lay_out(self.folder / "fonts", fonts) if fonts else None
        config = Config(copy.deepcopy(dict(assignment.config)))
        limits = ExecuteSubmission(config=config)
        source = nbformat.reads(assignment.source, nbformat.current_nbformat)
        self.report = assignment.isolation.get(isolation.this_machine()) or isolation.find(
            limits.isolation,
            self.package,
            (self.folder, *map(Path, limits.secret_folders)),
            answers_of(source),
        )
        if self.report.isolation.level == "user":
            self.folder.chmod(0o711)  # it holds nothing that students do not have
        release, *earlier = (
            nbformat.reads(one, nbformat.current_nbformat)
            for one in (assignment.release, *assignment.earlier)
        )
        self.context = Context(
            release,
            earlier,
            assignment.digest,
            {cell.name: cell for cell in assignment.cells},
            json.loads(assignment.kernelspec or "{}"),
            judging.prepare(
                assignment.judged_by,
                source,
                [release, *earlier],
                assignment.seed,
                assignment.answers,
            ),
            limits,
            LimitOutput(config=config),
            partial(make_kernel, self.report, self.package, self.fonts, grace=limits.grace),
            self.report.isolation,
        )

    def close(self) -> None:
        """End the zygotes of its package, and delete the folder."""
        end_zygotes(self.folder / "package")
        shutil.rmtree(self.folder, ignore_errors=True)


def context_of(packed: bytes) -> WorkerContext:
    """Return the context of an assignment, made once in a process; the oldest one is closed.

    No submission is being graded in one that is closed: this process grades one at a time.
    """
    digest = hashlib.sha256(packed).hexdigest()
    found = _contexts.pop(digest, None)
    if found is None:
        while len(_contexts) >= MAX_CONTEXTS:
            _contexts.pop(next(iter(_contexts))).close()
        found = WorkerContext(unpacked(packed))
    _contexts[digest] = found  # the last one used is the last to go
    return found


def close_contexts() -> None:
    """Close all contexts of this process."""
    while _contexts:
        _contexts.popitem()[1].close()


atexit.register(close_contexts)
