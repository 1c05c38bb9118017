"""The unit of work: what a worker needs to grade a submission, and what it gives back.

All of it is plain data, so that a worker needs no shared folder and no database.
"""

from __future__ import annotations

import hashlib
import pickle
import platform
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import tinytorch
import tito
from tito.course.cells import SourceCell
from tito.course.judged_by import JudgedBy
from tito.submission.intake import SubmissionFile
from tito.text import printable

#: Libraries whose other versions could give other marks or other outputs.
_LIBRARIES = ("ipykernel", "ipython", "matplotlib", "nbformat", "nbgrader", "numpy")

#: Which cells run: those that a mark can depend on, all, or first the ones and then the others.
Cells = Literal["needed", "all", "both"]


@dataclass(frozen=True)
class Assignment:
    """What the submissions of a run have in common.

    Attributes
    ----------
    name, notebook : str
        nbgrader's assignment and the notebook's name without suffix.
    release, source : bytes
        The notebook as students received it, and the course's own, with solutions.
    digest : str
        What tells this release from others.
    package : mapping of str to bytes
        What students' code finds: the course's package that ends before the module, or, below
        ``work``, what is to lie beside the notebook.
    cells : tuple of SourceCell
        The gradebook's cells.
    kernelspec : str
        The gradebook's kernelspec, as JSON.
    seed : int
        From which fresh inputs are drawn.
    answers : str
        What the reference solution gave for them; see :mod:`tito.scoring.reference`.
    config : mapping
        nbgrader's configuration: the steps and their limits.
    fonts : mapping of str to bytes
        matplotlib's list of fonts.
    earlier : tuple of bytes
        The notebooks of earlier releases, which students may have had.
    isolation : mapping of str to dict
        By machine: what isolation was found there; see :mod:`tito.kernels.isolation`.
    judged_by : {"parts", "asserts"}
        How graded cells are judged; see :mod:`tito.scoring.judging`.
    """

    name: str
    notebook: str
    release: bytes
    source: bytes
    digest: str
    package: Mapping[str, bytes]
    cells: tuple[SourceCell, ...]
    kernelspec: str
    seed: int
    answers: str
    config: Mapping[str, Any]
    fonts: Mapping[str, bytes] = field(default_factory=dict)
    earlier: tuple[bytes, ...] = ()
    isolation: Mapping[str, Any] = field(default_factory=dict)
    judged_by: JudgedBy = "parts"

    def packed(self) -> bytes:
        """Return it as bytes."""
        return zlib.compress(pickle.dumps(self), 1)


def unpacked(data: bytes) -> Assignment:
    """Return the assignment that was packed; only for bytes from the driver, which is trusted."""
    return pickle.loads(zlib.decompress(data))


@dataclass(frozen=True)
class Job:
    """One submission to grade.

    Attributes
    ----------
    student : str
        Whose.
    data : bytes
        The notebook's file.
    filename : str
        Its name, for messages.
    digest : str
        SHA-256 of `data`.
    flags : tuple of str
        What was noticed when the file was found.
    timestamp : str
        When it was handed in, or "".
    version : str
        The driver's :func:`fingerprint`.
    tolerated : frozenset of str
        By whose doing a kernel may be lost without the submission being begun again; see
        :class:`tito.kernels.kernel_protocol.Lost`.
    cells : {"needed", "all", "both"}
        Which cells run; see :mod:`tito.submission.leaving_out` and :mod:`tito.autograde.audit`.
    """

    student: str
    data: bytes
    filename: str
    digest: str
    flags: tuple[str, ...] = ()
    timestamp: str = ""
    version: str = ""
    tolerated: frozenset[str] = frozenset({"submission"})
    cells: Cells = "needed"

    @classmethod
    def of(cls, file: SubmissionFile, cells: Cells = "needed") -> Job:
        """Make the job of a file that was handed in."""
        stamp = f"{file.timestamp:%Y-%m-%d %H:%M:%S.%f}" if file.timestamp else ""
        name = printable(file.path.name)
        return cls(
            file.student,
            file.data,
            name,
            file.digest,
            file.flags,
            stamp,
            fingerprint(),
            cells=cells,
        )

    @property
    def identity(self) -> dict[str, Any]:
        """What a result has of its job."""
        return {"student": self.student, "digest": self.digest, "timestamp": self.timestamp}


@cache
def fingerprint() -> str:
    """Return what tells this version of the grader from others, for a worker to compare."""
    digest = hashlib.sha256()
    for module in (tinytorch, tito):
        folder = Path(module.__file__ or "").parent
        for path in sorted(folder.rglob("*.py")):
            name = f"{folder.name}/{path.relative_to(folder)}"
            digest.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    python = ".".join(platform.python_version_tuple()[:2])
    return f"course {digest.hexdigest()[:12]}, Python {python}, {libraries}"


def difference(theirs: str, ours: str) -> str:
    """Say in what another version's fingerprint differs from the one that is wanted."""
    pairs = zip(theirs.split(", "), ours.split(", "), strict=False)
    return "; ".join(f"{a} instead of {b}" for a, b in pairs if a != b) or f"{theirs}, not {ours}"
