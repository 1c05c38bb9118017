"""What was measured, as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.grading.graders import BEFORE, NBGRADER, OURS, Taken
from benchmarks.grading.meter import Used
from benchmarks.grading.regrade import Regraded
from benchmarks.grading.targets import Amdahl, Row, ratio, table


@dataclass(frozen=True)
class ClassTaken:
    """What grading a class took.

    Attributes
    ----------
    first : Used
        One submission, the first of the day.
    compared : mapping of str to Taken
        The same students, by grader.
    two, one : Taken
        More of them, by `tito grade` with all processors, and with one.
    bare_cpu : float
        Processor time of the bare cells that ran for a submission of the steady part of `two`.
    ways : counter of str
        Of those submissions: how many ran as far as they must, whole, and both ways.
    """

    first: Used
    compared: Mapping[str, Taken]
    two: Taken
    one: Taken
    bare_cpu: float
    ways: Counter[str]

    def start_and_end(self, name: str) -> float | None:
        """Return the processor time of a run that is not the submissions' own."""
        if (taken := self.compared.get(name)) is None:
            return None
        each = self.two.cpu_each if name == OURS else taken.cpu_each
        return None if each is None else taken.used.cpu - taken.students * each


def rows(whole: ClassTaken, short: ClassTaken, again: Regraded | None) -> list[Row]:
    """Return the table of targets."""
    ours, theirs = whole.compared[OURS], whole.compared[NBGRADER]
    before, each = whole.compared.get(BEFORE), ours.students
    against = "against nbgrader autograde"
    anew = again.known / again.needed_cells if again else None
    return [
        Row(
            f"whole notebooks, steady, {against}",
            ratio(whole.two.rate, theirs.rate), 15, True,
        ),
        Row(
            "the same, processor time of a submission, against before",
            ratio(whole.two.cpu_each, before.cpu_each if before else None), 0.12,
        ),
        Row(
            f"{each} whole notebooks, with start and end, {against}",
            theirs.used.wall / ours.used.wall, 5.5, True,
        ),
        Row(
            f"without demonstrations, steady, {against}",
            ratio(short.two.rate, short.compared[NBGRADER].rate), 8.5, True,
        ),
        Row(
            "processor time of a submission, steady, against its bare cells",
            ratio(whole.two.cpu_each, whole.bare_cpu), 1.6,
        ),
        Row("one graded anew, processor time, against jupyter execute", anew, 1.5),
        Row(
            f"start and end of a run of {each}, processor time, against before",
            ratio(short.start_and_end(OURS), short.start_and_end(BEFORE)), 0.25,
        ),
        Row(
            "peak memory, against before",
            ratio(ours.used.memory, before.used.memory if before else None), 0.6,
        ),
        Row("10,000: python -m benchmarks.grading.long", None, 1.05),
    ]  # fmt: skip


def text(whole: ClassTaken, short: ClassTaken, again: Regraded | None) -> str:
    """Return the tables."""
    lines = table(rows(whole, short, again))
    for what, taken in (("whole notebooks", whole), ("without demonstrations", short)):
        lines += ["", *_speeds(what, taken), *_scale(taken)]
    if again is not None:
        lines += [
            "",
            f"one graded anew: {again.known:.2f} s of processor time, {again.drawn:.2f} s where it "
            "is graded both ways;",
            f"jupyter execute: {again.needed_cells:.2f} s of the cells that must run, "
            f"{again.all_cells:.2f} s of all cells",
        ]
    return "\n".join(lines)


def _speeds(what: str, taken: ClassTaken) -> list[str]:
    columns = f"{'a minute':>10}{'CPU s':>8}"
    lines = [
        f"{what:34}{'with start and end':>18}{'steady':>20}{'start and':>13}",
        f"{'':34}{columns}  {columns}{'end, CPU s':>13}{'peak MB':>9}",
    ]
    runs, ends = {}, {}
    for grader, one in taken.compared.items():
        name = f"{grader}, {one.students}"
        runs[name], ends[name] = one, taken.start_and_end(grader)
    runs[f"{OURS}, {taken.two.students} more"] = taken.two
    runs[f"{OURS}, {taken.one.students} on 1 processor"] = taken.one
    for name, run in runs.items():
        all_ = f"{60 * run.students / run.used.wall:10.0f}{run.used.cpu / run.students:8.2f}"
        steady = f"{_shown(run.rate and 60 * run.rate, 10, 0)}{_shown(run.cpu_each, 8, 2)}"
        end = _shown(ends.get(name), 13, 1)
        lines.append(f"{name:34}{all_}  {steady}{end}{run.used.memory / 2**20:9.0f}")
    lines.append(f"{'bare cells that ran':34}{'':18}  {'':10}{taken.bare_cpu:8.2f}")
    ways = ", ".join(f"{count} {way}" for way, count in taken.ways.most_common())
    lines.append(f"in the steady part of the {taken.two.students} more: {ways}")
    first = taken.first
    lines.append(f"the first of the day: {first.wall:.1f} s, {first.cpu:.1f} s of processor time")
    return lines


def _shown(number: float | None, width: int, digits: int) -> str:
    return f"{'-' if number is None else f'{number:.{digits}f}':>{width}}"


def _scale(taken: ClassTaken) -> list[str]:
    if taken.one.rate is None or taken.two.rate is None:
        return []
    model = Amdahl.fitted(taken.one.rate, taken.two.rate)
    expected = ", ".join(f"{60 * model.rate(count):.0f} on {count}" for count in (4, 16))
    return [
        f"a submission takes {1000 * model.serial:.0f} ms that no processors share and "
        f"{1000 * model.shared:.0f} ms that they do; expected a minute: {expected}"
    ]
