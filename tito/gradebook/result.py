"""What became of a submission: what a worker gives back, and what is entered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Result:
    """What became of a submission.

    Attributes
    ----------
    student, digest, timestamp : str
        As in the job.
    status : {"graded", "failed", "refused", "lost"}
        "refused" by a worker that must not grade it; "lost" where it may be tried again.
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
    left_out : tuple of str
        The cells that did not run, by their ids in the graded notebook.
    whole : str
        Why none was left out, where that was looked at.
    audit : str
        "equal" where it was graded with all cells too, "differs: ..." where marks were others.
    reason, problem : str
        Why it could not be graded, for the instructor and for the student.
    seconds : float
        How long it took.
    log : str
        What the steps had to say.
    worker : str
        Who did it.
    blame : str
        By whose doing it was lost: "machine" or "unknown".
    """

    student: str
    digest: str
    status: Literal["graded", "failed", "refused", "lost"]
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
    left_out: tuple[str, ...] = ()
    whole: str = ""
    audit: str = ""
    reason: str = ""
    problem: str = ""
    seconds: float = 0.0
    log: str = ""
    worker: str = ""
    blame: str = ""

    @property
    def identity(self) -> dict[str, Any]:
        """Of which submission it is, and who graded it."""
        return {
            "student": self.student,
            "digest": self.digest,
            "timestamp": self.timestamp,
            "worker": self.worker,
        }
