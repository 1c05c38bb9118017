"""What was measured, as text and as a picture."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any


def heading(students: int, whole: bool) -> str:
    """Return what the tables are about."""
    kind = "the whole chapter" if whole else "what is graded of the chapter"
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    day = f"{date.today():%-d %B %Y}"
    return f"# Grading a class of {students}\n\n{day}, {kind}; load at the end: {load}.\n"


def rate_of(used: dict[str, Any]) -> float:
    """Return how many submissions a second were graded in the steady part."""
    return used["intervals"] / used["steady"]


def text(found: dict[str, Any]) -> str:
    """Return the tables."""
    each, lines = found["students"], []
    lines.append(f"{each} submissions for each grader, {found['processors']} processors")
    lines.append(f"{'':20}{'with start and end':>26}{'steady':>28}")
    columns = f"{'a minute':>10}{'CPU s':>8}{'x raw':>8}"
    lines.append(f"{'':20}{columns}  {columns}{'peak MB':>9}")
    raw = found["raw_cpu"]
    for name, used in found["used"].items():
        whole = (60 * each / used["wall"], used["cpu"] / each)
        steady = (60 * rate_of(used), used["steady_cpu"] / used["intervals"])
        cells = "  ".join(
            f"{rate:10.0f}{cpu:8.3f}{cpu / raw:8.2f}" for rate, cpu in (whole, steady)
        )
        lines.append(f"{name:20}{cells}{used['memory'] / 2**20:9.0f}")
    # Nothing but the cells, on all processors: no grader of this class can be faster.
    bound = 60 * found["processors"] / raw
    lines.append(f"{'raw cells, forked':20}{'':28}{bound:10.0f}{raw:8.3f}{1:8.2f}")
    (_, ours), *others = found["used"].items()
    for name, theirs in others:
        lines.append(
            f"throughput: {theirs['wall'] / ours['wall']:.1f} times that of {name} with start "
            f"and end, {rate_of(ours) / rate_of(theirs):.1f} times in the steady part"
        )
    if others:
        lines.append(f"marks compared: {found['marks']}, different: {len(found['differences'])}")
        lines += [f"  {difference}" for difference in found["differences"]]
    total = sum(found["stages"].values())
    lines.append(f"\n{'one after the other, in one process':38}{'ms':>8}{'%':>6}")
    for stage, spent in found["stages"].items():
        lines.append(f"{stage:38}{spent:8.1f}{100 * spent / total:6.1f}")
    lines.append(f"{'together':38}{total:8.1f}")
    return "\n".join(lines)


def plot(found: dict[str, Any], path: Path) -> None:
    """Draw throughput, and where the time goes."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    each = found["students"]
    speeds = {name: 60 * each / used["wall"] for name, used in found["used"].items()}
    bars = left.bar(
        list(speeds), list(speeds.values()), color=["tab:blue", *2 * ["tab:gray"]][: len(speeds)]
    )
    left.bar_label(bars, fmt="%.0f")
    left.set_ylabel("submissions a minute")
    left.set_title(f"{each} submissions each, {found['processors']} processors")
    stages = list(found["stages"].items())[::-1]
    right.barh([name for name, _ in stages], [spent for _, spent in stages])
    right.set_xlabel("ms a submission, in one process")
    right.set_title("Where the time goes")
    figure.savefig(path, dpi=110)
    plt.close(figure)
