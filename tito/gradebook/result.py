"""What became of a submission: what a worker gives back, and what is entered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class SourceCell:
    """What the gradebook holds of a cell of an assignment; it is what is graded.

    Attributes
    ----------
    name, cell_type, source, checksum : str
        As in the gradebook.
    locked : bool
        Whether students may not change it.
    max_score : float or None
        What it is worth, if it is graded.
    """

    name: str
    cell_type: str
    locked: bool
    source: str
    checksum: str
    max_score: float | None = None


@dataclass(frozen=True)
class Result:
    """What became of a submission.

    Attributes
    ----------
    student, digest, timestamp : str
        As in the job.
    status : {"graded", "failed", "refused"}
        "refused" by a worker that must not grade it.
    release : str
        The digest of the release that it was graded against, if it was.
    notebook : str
        The graded notebook, as JSON.
    scores : dict of str to float or None
        By graded cell: the automatic score, None where a person marks.
    comments : dict of str to str or None
        By solution cell: the automatic comment.
    questions : dict of str to str
        By graded cell: the digest of what a mark by hand is given for.
    cells, seed, isolation, flags
        For the record.
    reason, problem : str
        Why it could not be graded, for the instructor and for the student.
    seconds : float
        How long it took.
    log : str
        What the steps had to say.
    worker : str
        Who did it.
    """

    student: str
    digest: str
    status: Literal["graded", "failed", "refused"]
    release: str = ""
    timestamp: str = ""
    notebook: str = ""
    scores: dict[str, float | None] = field(default_factory=dict)
    comments: dict[str, str | None] = field(default_factory=dict)
    questions: dict[str, str] = field(default_factory=dict)
    cells: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    isolation: dict[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    reason: str = ""
    problem: str = ""
    seconds: float = 0.0
    log: str = ""
    worker: str = ""
