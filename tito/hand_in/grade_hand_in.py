"""Grade one submission where it was handed in, in a container of its own.

It is run by ``run_autograder`` of the zip, as root, with its four arguments: the assignment, the
folder of the submission, the file of the results, and the host's name. Whatever happens, the file
says what.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import nbformat

from tito.autograde import retries
from tito.autograde.grade_submission import Context
from tito.autograde.job import Assignment, Job, unpacked
from tito.autograde.worker import WorkerContext, grade_in, reason_of
from tito.course.files import replace_text
from tito.gradebook.result import Result
from tito.hand_in.hand_in_results import HOSTS, Options
from tito.kernels.client import make_kernel
from tito.sandbox.settings import MB, Settings
from tito.scoring import check_plan
from tito.submission import intake
from tito.submission.intake import SubmissionError

#: Whose submission it is, the host knows.
_WHO = "this submission"
#: What this process takes of the memory of a container, and what a kernel has at least.
_GRADER_MEMORY, _LEAST_MEMORY = 400 * MB, 256 * MB
_CGROUP = Path("/sys/fs/cgroup")
_MEMORY_LIMITS = (_CGROUP / "memory.max", _CGROUP / "memory" / "memory.limit_in_bytes")
_MAX_FOLDERS = 1_000


def main(arguments: list[str]) -> None:
    """Grade, and write the results."""
    assignment, submission, results, host = arguments
    began = monotonic()
    result, options = Result(_WHO, "", "failed"), Options()
    try:
        options = Options(**json.loads(Path(assignment).with_name("options.json").read_text()))
        result = grade(Path(assignment), Path(submission), Path(results))
    except SubmissionError as error:
        result = replace(result, reason=reason_of(error), problem=error.problem)
    except Exception as error:  # the host must hear of it, and the student
        result = replace(result, reason=reason_of(error), log=traceback.format_exc())
    result = replace(result, seconds=round(monotonic() - began, 2))
    replace_text(Path(results), json.dumps(HOSTS[host](result, options), indent=1) + "\n")
    print(f"{result.status}: {results}", *filter(None, [result.reason]), sep="\n")


def grade(packed: Path, submission: Path, results: Path) -> Result:
    """Grade what lies in a folder.

    Raises
    ------
    SubmissionError
        If there is no notebook, or none that can be meant.
    TitoError
        If students' code cannot be kept from the assignment and the results.
    """
    assignment = unpacked(packed.read_bytes())
    release = intake.parse(assignment.release, _WHO, f"{assignment.notebook}.ipynb")
    folder = folder_of(submission)
    file = intake.read_file(folder, _WHO, assignment.notebook, release, UTC)
    job = Job.of(file)
    seed = own_seed(assignment.seed, job.digest)
    own = replace(assignment, seed=seed, answers=_answers(assignment, seed))
    worker = WorkerContext(_with_secrets(own, packed.parent, results.parent))
    try:
        fonts = packed.with_name("fonts")  # made by setup.sh
        kernel = partial(
            make_kernel,
            worker.report,
            worker.package,
            fonts if fonts.is_dir() else None,
            settings=Settings(memory=memory_for_kernels()),
            grace=worker.context.limits.grace,
        )
        result = _tried_again(replace(worker.context, make_kernel=kernel), job)
        return replace(result, isolation=worker.report.isolation.as_json())
    finally:
        worker.close()


def own_seed(seed: int, digest: str) -> int:
    """Return the seed of a submission's fresh inputs: the same for the same file, and no other.

    Students hand in as often as they like, and their code can tell what it was asked.
    """
    text = f"{seed}/{digest}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:6])


def _answers(assignment: Assignment, seed: int) -> str:
    """Ask the reference; no student's code is there yet."""
    source = nbformat.reads(assignment.source, nbformat.NO_CONVERT)
    return check_plan.prepare(source, seed).answers


def _with_secrets(assignment: Assignment, *folders: Path) -> Assignment:
    """Let the probe look whether students' code reads or writes in these folders."""
    limits: dict[str, Any] = assignment.config["ExecuteSubmission"]
    limits["secret_folders"] = [str(folder) for folder in folders]
    return assignment


def _tried_again(context: Context, job: Job) -> Result:
    """Grade, and again where something came in between that may pass."""
    attempts = retries.Attempts()
    while True:
        result = grade_in(context, job)
        if result.status != "lost" or not attempts.may_try_again(_WHO, result.blame):
            return result
        job = replace(job, tolerated=attempts.tolerated(_WHO))


def folder_of(submission: Path) -> Path:
    """Return the folder that holds the notebooks: what was handed in as a zip has folders."""
    found = list(_with_notebooks(submission))
    if submission in found or not found:
        return submission
    if len(found) > 1:
        names = ", ".join(sorted(str(one.relative_to(submission)) for one in found))
        raise SubmissionError(
            _WHO,
            f"notebooks lie in several folders: {names}",
            "Keep the right one.",
        )
    return found[0]


def _with_notebooks(top: Path) -> Iterator[Path]:
    for count, (folder, folders, files) in enumerate(os.walk(top)):
        if count >= _MAX_FOLDERS:
            raise SubmissionError(_WHO, f"more than {_MAX_FOLDERS} folders", "Keep the notebook.")
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        if any(intake.notebook_name(name) and not name.startswith(".") for name in files):
            yield Path(folder)


def memory_for_kernels() -> int:
    """Return how much memory students' code may take: what the container leaves, up to the usual.

    Beyond it the system would end a process of its own choice.
    """
    given = Settings().memory
    for path in _MEMORY_LIMITS:
        with suppress(OSError, ValueError):  # "max"
            given = min(given, int(path.read_text()) - _GRADER_MEMORY)
    return max(given, _LEAST_MEMORY)


if __name__ == "__main__":
    main(sys.argv[1:])
