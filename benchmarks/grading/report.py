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


def text(found: dict[str, Any]) -> str:
    """Return the tables."""
    each, lines = found["students"], []
    lines.append(f"{each} submissions for each grader, {found['processors']} processors")
    head = f"{'':22}{'a minute':>10}{'steady':>8}{'CPU s each':>12}{'x raw cells':>13}"
    lines.append(f"{head}{'peak MB':>9}")
    for name, used in found["used"].items():
        cpu, steady = used["cpu"] / each, 60 * found["intervals"] / used["steady"]
        lines.append(
            f"{name:22}{60 * each / used['wall']:10.0f}{steady:8.0f}"
            f"{cpu:12.3f}{cpu / found['raw_cpu']:13.2f}{used['memory'] / 2**20:9.0f}"
        )
    # Nothing but the cells, on all processors: no grader of this class can be faster.
    bound = 60 * found["processors"] / found["raw_cpu"]
    lines.append(f"{'raw cells, forked':22}{'':10}{bound:8.0f}{found['raw_cpu']:12.3f}{1:13.2f}")
    (_, ours), *others = found["used"].items()
    for name, theirs in others:
        lines.append(
            f"throughput: {theirs['wall'] / ours['wall']:.1f} times that of {name} with start "
            f"and end, {theirs['steady'] / ours['steady']:.1f} times between first and last "
            "submission"
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
