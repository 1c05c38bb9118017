"""The results as a table, a judgement on the goals, and a picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Measured, ratio
from benchmarks.steps import BASELINE, BYTES_MOVED, COMPILED, SIZES, Size

#: By rule, size and threads, what was measured of each contender.
Results = dict[tuple[str, Size, int], dict[str, Measured]]

_LARGE, _MILLION, _TINY = Size(10**7, 1), Size(10**6, 1), Size(1_000, 100)


def step_tables(results: Results, bandwidths: dict[int, float]) -> str:
    """Return a markdown table for each rule, size and number of threads."""
    return "\n\n".join(
        f"### {_rule(rule)}, {size} tensor{'s' * (size.tensors > 1)}, {threads} "
        f"thread{'s' * (threads > 1)}\n\n"
        + "\n".join(_table(rule, size, bandwidths[threads], measured))
        for (rule, size, threads), measured in results.items()
    )


def _rule(rule: str) -> str:
    return "SGD, momentum 0.9" if rule == "SGD" else rule


def _table(rule: str, size: Size, bandwidth: float, measured: dict[str, Measured]) -> list[str]:
    lines = [
        "| | median | best | times torch fused | bandwidth | page faults | extra memory |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, one in measured.items():
        moved = BYTES_MOVED[rule] * size.parameters / one.best / bandwidth
        # A peak below a page or two per tensor is the interpreter's own noise.
        extra = one.extra_bytes / size.parameters if size.parameters >= 10**6 else None
        lines.append(
            f"| {name} | {_time(one.median)} | {_time(one.best)} "
            f"| {ratio(one, measured[BASELINE]):.2f} | {moved:.0%} | {one.faults:,.0f} "
            f"| {'' if extra is None else f'{extra:.2f} B/parameter'} |"
        )
    return lines


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} µs"


def goals(results: Results, trainings: dict[str, Measured], processes: dict[str, Measured]) -> str:
    """Return a table of what was to be reached, and what was."""
    sgd, adam = results["SGD", _LARGE, 1], results["Adam", _LARGE, 1]
    fused, hand = "ours fused", trainings["NumPy by hand"]
    rows = [
        ("SGD, 1e7: fused, times torch fused", ratio(sgd[fused], sgd[BASELINE]), 1.6, "at most"),
        ("Adam, 1e7: fused, times torch fused", ratio(adam[fused], adam[BASELINE]), 2.6, "at most"),
        (
            "Adam, 1e7: times faster than torch default",
            ratio(adam["torch default"], adam[fused]),
            3.5,
            "at least",
        ),
        *_compiled_goals(results),
        *(
            (
                f"import {name}: times numpy",
                ratio(processes[name], processes["numpy"]),
                1.2,
                "at most",
            )
            for name in ("tinytorch", "tinytorch.core.optimizers")
        ),
        *(
            (
                f"{rule}, 1,000 in 100: {name}, times faster than torch fused",
                ratio(results[rule, _TINY, 1][BASELINE], results[rule, _TINY, 1][name]),
                20.0,
                "at least",
            )
            for rule in ("SGD", "Adam")
            for name in ("ours fused", "ours, flat", "ours fused, flat")
        ),
        ("digits training, times NumPy by hand", ratio(trainings["ours"], hand), 5.0, "at most"),
        (
            "digits training, times PyTorch",
            ratio(trainings["ours"], trainings["PyTorch"]),
            3.0,
            "at most",
        ),
    ]
    lines = ["| | measured | goal | |", "|---|---:|---:|---|"]
    for name, value, goal, sense in rows:
        met = value <= goal if sense == "at most" else value >= goal
        lines.append(f"| {name} | {value:.2f} | {sense} {goal:g} | {'met' if met else 'missed'} |")
    return "\n".join(lines)


def _compiled_goals(results: Results) -> Iterator[tuple[str, float, float, str]]:
    """Yield what the compiled steps are to reach: name, value, goal, sense."""
    for rule, goal in {"SGD": 0.95, "Adam": 0.9}.items():
        for size, threads, most in ((_MILLION, 1, goal), (_LARGE, 1, goal), (_LARGE, 2, 1.1)):
            found = results[rule, size, threads]
            exponent = len(str(size.parameters)) - 1
            where = f"{rule}, 1e{exponent}, {threads} thread{'s' * (threads > 1)}"
            value = ratio(found[COMPILED], found[BASELINE])
            yield f"{where}: compiled, times torch fused", value, most, "at most"
        extra = results[rule, _LARGE, 1][COMPILED].extra_bytes / _LARGE.parameters
        yield f"{rule}, 1e7: compiled, extra bytes a parameter", extra, 0.01, "at most"
        tiny = results[rule, _TINY, 1]
        value = ratio(tiny[COMPILED], tiny["ours fused"])
        yield f"{rule}, 1,000 in 100: compiled, times in blocks", value, 1.05, "at most"


def time_table(measured: dict[str, Measured], baseline: str, parts: int = 1) -> str:
    """Return a table of times, each divided by `parts`, and of ratios."""
    lines = [f"| | median | best | times {baseline} |", "|---|---:|---:|---:|"]
    lines += [
        f"| {name} | {_time(one.median / parts)} | {_time(one.best / parts)} "
        f"| {ratio(one, measured[baseline]):.2f} |"
        for name, one in measured.items()
    ]
    return "\n".join(lines)


def draw(results: Results, path: Path) -> None:
    """Draw the ratios at one thread, a panel for each rule."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(2, 1, figsize=(9, 7), sharex=True, layout="constrained")
    for panel, rule in zip(panels, ("SGD", "Adam"), strict=True):
        shown = [size for size in SIZES if (rule, size, 1) in results]
        names = list(dict.fromkeys(n for size in shown for n in results[rule, size, 1]))
        for offset, name in enumerate(names):
            heights = [
                ratio(found[name], found[BASELINE]) if name in found else 0
                for found in (results[rule, size, 1] for size in shown)
            ]
            places = [i + (offset - len(names) / 2) * 0.8 / len(names) for i in range(len(shown))]
            panel.bar(places, heights, 0.8 / len(names), label=name, align="edge")
        panel.axhline(1, color="0.3", linewidth=0.8)
        panel.set(yscale="log", ylabel="time / torch fused", title=f"{_rule(rule)}, one thread")
        panel.set_xticks(range(len(shown)), [str(size) for size in shown])
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].legend(ncols=4, frameon=False, fontsize="small")
    figure.savefig(path, dpi=110)
    plt.close(figure)
