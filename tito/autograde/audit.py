"""Whether marks depend on what is left out, tried on some submissions of every run.

Which cells are left out is decided by the text of a submission, see
:mod:`tito.submission.leaving_out`, which cannot see everything. So some submissions are graded both
ways, and after one difference all of a class are graded with all of their cells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tito.autograde.job import Cells
from tito.autograde.run_cells import NOT_RUN, STOPPED
from tito.gradebook.result import Result

#: What is said of a submission whose marks were the same both ways.
EQUAL, DIFFERS = "equal", "differs: "


def both_ways(grade: Callable[[Cells], Result]) -> Result:
    """Grade a submission without what may be left out, and with it.

    Returns
    -------
    Result
        The short one where marks are equal, or where it is for limits that all cells earn something
        else: who loops for ever has no time left for what is graded. Otherwise the one of all
        cells; its `audit` says which cells differ. Where limits, or chance from one time to the
        next, may be why, a flag says so, and nothing follows for other submissions.
    """
    short = grade("needed")
    if not short.left_out:
        return short
    whole = grade("all")
    differing = _differing(short, whole)
    if not differing:
        return replace(short, audit=EQUAL)
    if any(flag.startswith((STOPPED, NOT_RUN)) for flag in {*whole.flags} - {*short.flags}):
        flag = f"limits end more where all cells run, and marks differ: {', '.join(differing)}"
        return replace(short, flags=(*short.flags, flag))
    if by_chance := _differing(whole, grade("all")):
        flag = f"marks differ from one run to the next: {', '.join(by_chance)}"
        return replace(whole, flags=(*whole.flags, flag))
    return replace(whole, audit=DIFFERS + ", ".join(differing))


def _differing(one: Result, other: Result) -> list[str]:
    """Name the cells of which some part earned something else."""
    return sorted(
        name
        for name in one.cells.keys() | other.cells.keys()
        if _earned(one, name) != _earned(other, name)
    )


def _earned(result: Result, name: str) -> list[int] | None:
    cell = result.cells.get(name)
    return cell and [part["earned"] for part in cell["parts"]]
