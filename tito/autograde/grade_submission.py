"""Grade one submission: read, rebuild, run, judge, result.

Read it from top to bottom. Nothing here knows of files, databases or workers: what a submission
needs comes in, what became of it goes out.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4.rwbase import strip_transient

from tito.autograde.audit import both_ways
from tito.autograde.job import Cells, Job
from tito.autograde.limits import ExecuteSubmission, LimitOutput
from tito.autograde.run_cells import NotebookRun
from tito.course.cells import (
    SourceCell,
    add_flag,
    answers_of,
    flags,
    grade_id,
    is_left_out,
    mark_left_out,
    questions,
    take_shown,
)
from tito.flags.suspicion import suspicions
from tito.gradebook.result import Result
from tito.kernels.budget import OutputBudget
from tito.kernels.frames import output_in
from tito.kernels.kernel_protocol import Kernel
from tito.sandbox.settings import Isolation
from tito.scoring.judging import Plan, Session
from tito.scoring.verdicts import Verdict, comments, judge, scores, write_verdicts
from tito.submission import intake, recognize
from tito.submission.leaving_out import LeftOut
from tito.submission.rebuild import rebuild_on, restore


@dataclass(frozen=True)
class Context:
    """What the submissions of a run have in common.

    Attributes
    ----------
    release : NotebookNode
        The notebook as students received it.
    earlier : sequence of NotebookNode
        The releases before it.
    digest : str
        What tells this release from others.
    cells : mapping of str to SourceCell
        What the gradebook holds, by name.
    kernelspec : mapping
        For the graded notebook's metadata.
    plan : Plan
        What graded cells are asked, and how the answers are judged.
    limits : ExecuteSubmission
        Of one submission.
    limit_output : LimitOutput
        What is kept of long outputs.
    make_kernel : callable
        Starts a kernel in a sandbox of its own.
    isolation : Isolation
        How that keeps students' code apart.
    """

    release: NotebookNode
    earlier: Sequence[NotebookNode]
    digest: str
    cells: Mapping[str, SourceCell]
    kernelspec: Mapping[str, Any]
    plan: Plan
    limits: ExecuteSubmission
    limit_output: LimitOutput
    make_kernel: Callable[[], Kernel]
    isolation: Isolation

    @cached_property
    def demonstrations(self) -> frozenset[str]:
        """The code that the releases give in cells without a name."""
        cells = itertools.chain(self.release.cells, *(one.cells for one in self.earlier))
        unnamed = (cell for cell in cells if cell.cell_type == "code" and not grade_id(cell))
        return frozenset(cell.source.strip() for cell in unnamed)


def grade_submission(job: Job, context: Context) -> Result:
    """Grade a submission.

    Raises
    ------
    SubmissionError
        If it cannot be graded: it is no notebook, or not one of this assignment.
    KernelLostError, NotStartedError, OSError
        If something came in between that may pass, so that it can be tried again.
    """
    nb = rebuild(read(job), job, context)
    needless = context.plan.leave_out(nb, context.demonstrations)

    def grade(cells: Cells) -> Result:
        one = copy.deepcopy(nb) if job.cells == "both" else nb
        return _grade(one, LeftOut() if cells == "all" else needless, job, context)

    return both_ways(grade) if job.cells == "both" else grade(job.cells)


def _grade(nb: NotebookNode, left_out: LeftOut, job: Job, context: Context) -> Result:
    """Grade a rebuilt notebook, without the cells that are left out."""
    show_as_handed_in(nb, left_out, context.limits.max_output)
    session = context.plan.begin(nb)
    run(nb, session, left_out, job, context)
    verdicts = judge(nb, session)
    return result(nb, verdicts, left_out, job, context)


def read(job: Job) -> NotebookNode:
    """Return the cells of a submission: type, text, nbgrader's metadata, attachments."""
    return intake.parse(job.data, job.student, job.filename)


def rebuild(submitted: NotebookNode, job: Job, context: Context) -> NotebookNode:
    """Return the release with the student's work in it, and flags of what a person should know."""
    releases = (context.release, *context.earlier)
    if not any(recognize.is_of(release, submitted) for release in releases):
        raise intake.SubmissionError(
            job.student,
            f"{job.filename}: no cell of the assignment is recognized in it, neither by nbgrader's "
            "metadata nor by what is in it",
            "Is it the right notebook? Ask for it as it was released, with the answers in it.",
        )
    nb = rebuild_on(context.release, submitted, context.earlier)
    noticed = nb.metadata.pop("tinytorch", {}).get("flags", [])
    given = {cell.source.strip() for one in releases for cell in one.cells}
    (answer, *_) = (*answers_of(context.release), "")
    for flag in (*job.flags, *noticed, *suspicions(nb, answer, given)):
        add_flag(nb, flag)
    if context.kernelspec:
        nb.metadata.kernelspec = nbformat.from_dict(context.kernelspec)
    restore(nb, context.cells)
    return nb


def show_as_handed_in(nb: NotebookNode, left_out: LeftOut, max_output: int) -> None:
    """Let cells that do not run show what they show in the student's file, within the limits."""
    budget = OutputBudget(max_output)
    for index, cell in enumerate(nb.cells):
        shown = take_shown(cell)
        if index in left_out.cells:
            budget.begin()
            outputs = filter(None, map(output_in, shown))
            cell.outputs = [kept for output in outputs if (kept := budget.keeps(output))]
            mark_left_out(cell)


def run(nb: NotebookNode, session: Session, left_out: LeftOut, job: Job, context: Context) -> None:
    """Run the cells in a sandbox; what they show, observations among it, goes into the notebook."""
    with closing(context.make_kernel()) as kernel:
        limits, needless = context.limits, left_out.cells
        NotebookRun(nb, kernel, session, limits, job.tolerated, needless).run()
    for cell in nb.cells:
        if cell.cell_type == "code":
            context.limit_output.shorten(cell)


def result(
    nb: NotebookNode,
    verdicts: Mapping[str, Verdict],
    left_out: LeftOut,
    job: Job,
    context: Context,
) -> Result:
    """Return what is entered and kept: scores, comments, the graded notebook, flags."""
    write_verdicts(nb, verdicts)
    cells = {
        name: {
            **verdict.report.data(),
            "wrong_on_fresh": list(verdict.suspicious),
            "judged": verdict.where,
        }
        for name, verdict in verdicts.items()
    }
    of_grading = {
        "verdicts": cells,
        "seed": context.plan.seed,
        "isolation": context.isolation.as_json(),
    }
    nb.metadata.setdefault("tinytorch", NotebookNode()).update(nbformat.from_dict(of_grading))
    return Result(
        **job.identity,
        status="graded",
        release=context.digest,
        # Not nbformat's writer: what it indents, json writes in Python and not in C.
        notebook=json.dumps(strip_transient(nb), ensure_ascii=False),
        scores=scores(nb, verdicts),
        comments=comments(nb),
        questions=questions(nb),
        cells=cells,
        seed=context.plan.seed,
        isolation=context.isolation.as_json(),
        flags=tuple(flags(nb)),
        left_out=tuple(cell.id for cell in nb.cells if is_left_out(cell)),
        whole=left_out.reason,
    )
