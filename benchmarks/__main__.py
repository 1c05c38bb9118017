"""Run the benchmarks: `python -m benchmarks`, or `make bench`."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parent / "results"
_HOW = """## One step

At one thread, times are processor time, so that other work on the machine does not count; at two
threads, wall time. Median and best of the rounds; the ratio is the median of the ratios within a
round. Bandwidth: the bytes a step must at least move, over its best time, as a share of what
`a += b` reaches on 240 MB: {speeds}. Above 100 % the arrays stay in the cache, or more of them are
read at a time. Page faults: per step, in steady state. Extra memory: the peak of resident memory
during a step above that before it.

"ours fused" takes any parameters, gathers their gradients and works in blocks; "ours compiled" is
the same in one pass where a part is large; "flat" trains one `FlatParameters`, into whose gradient
array `backward` writes."""
BLOCKS = [2**exponent for exponent in range(14, 21)]


def main() -> int:
    """Measure, print the table, and write it with its picture."""
    options = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    options.add_argument("--rounds", type=int, default=15, help="how often each is timed (15)")
    options.add_argument("--largest", type=float, default=5e7, help="leave out sizes above (5e7)")
    options.add_argument("--output", type=Path, default=RESULTS, help="folder of the results")
    chosen = options.parse_args()
    if chosen.rounds < 1:
        options.error(f"--rounds must be at least 1, got {chosen.rounds}")
    if chosen.largest < 1e7:
        options.error(
            f"--largest must be at least 1e7, the size of the goals, got {chosen.largest}"
        )
    try:
        import numba
        import torch
    except ModuleNotFoundError as error:
        options.error(
            f"{error.name} is missing. Run 'make bench', or pip install '.[torch,compiled]'"
        )
    from tqdm import tqdm

    with tqdm(unit="round", dynamic_ncols=True, file=sys.stderr) as bar:
        text, draw = run(chosen.rounds, int(chosen.largest), bar)
    chosen.output.mkdir(parents=True, exist_ok=True)
    versions = f"PyTorch {torch.__version__}, numba {numba.__version__}"
    text = f"{_heading(versions)}\n\n{text}\n"
    (chosen.output / "steps.md").write_text(text)
    draw(chosen.output / "steps.png")
    print(text)
    print(f"Written: {chosen.output / 'steps.md'}, {chosen.output / 'steps.png'}", file=sys.stderr)
    return 0


def run(rounds: int, largest: int, bar: Any) -> tuple[str, Callable[[Path], None]]:
    """Return the report, and a function that draws the picture."""
    import torch

    from benchmarks import report, starting, steps, training
    from benchmarks.measure import bandwidth, interleave

    bandwidths, results = {}, {}
    sizes = [size for size in steps.SIZES if size.parameters <= largest]
    bar.total = rounds * (4 * len(sizes) + 3) + 2 * max(5, rounds // 3)
    for threads in (1, 2):
        clock = time.process_time if threads == 1 else time.perf_counter
        torch.set_num_threads(threads)
        bandwidths[threads] = max(bandwidth(clock))
        for size in sizes:
            for rule in ("SGD", "Adam"):
                bar.set_description(f"{rule}, {size}, {threads} thread(s)")
                found = steps.contenders(rule, size, threads)
                results[rule, size, threads] = interleave(found, rounds, bar.update, clock)
                del found
    torch.set_num_threads(1)
    bar.set_description("digits network")
    trainings = training.trainings()
    training.check_agreement({name: train() for name, train in trainings.items()})
    trained = interleave(trainings, max(5, rounds // 3), bar.update)
    bar.set_description("fresh processes")
    processes = starting.processes(max(5, rounds // 3), bar.update)
    chains = interleave(training.graph_chains(1000), rounds, bar.update)
    blocks = {rule: _block_sizes(rule, rounds, bar) for rule in ("SGD", "Adam")}
    speeds = ", ".join(f"{b / 1e9:.1f} GB/s ({n} thread(s))" for n, b in bandwidths.items())
    text = _text(results, bandwidths, speeds, trained, chains, blocks, processes)
    return text, lambda path: report.draw(results, path)


def _text(
    results: dict,
    bandwidths: dict,
    speeds: str,
    trained: dict,
    chains: dict,
    blocks: dict,
    processes: dict,
) -> str:
    """Return all tables, in the order of their weight."""
    from benchmarks import report

    tables = [f"{rule}\n\n{report.time_table(found, 'whole')}" for rule, found in blocks.items()]
    return "\n\n".join(
        [
            "## Goals, at one thread where nothing else is said",
            report.goals(results, trained, processes),
            _HOW.format(speeds=speeds),
            report.step_tables(results, bandwidths),
            "## Block size: 10,000,000 parameters in one tensor, one thread",
            *tables,
            "## Once a process, in processor time: imports; loops compiled, and read from the disk",
            report.time_table(processes, "numpy"),
            "## Training the digits network: 20 epochs, batches of 32",
            report.time_table(trained, "NumPy by hand"),
            "## One recorded operation: a product of four numbers",
            report.time_table(chains, "NumPy", parts=1000),
        ]
    )


def _block_sizes(rule: str, rounds: int, bar: Any) -> dict:
    """Time the fused step with blocks of different sizes."""
    from benchmarks import steps
    from benchmarks.measure import interleave
    from tinytorch.core import fused

    bar.set_description(f"{rule}, block sizes")
    found, usual = {}, fused.BLOCK
    try:
        for block in [*BLOCKS, 10**7]:
            fused.BLOCK = block
            name = "whole" if block == 10**7 else f"{block // 1024}K elements"
            found[name] = steps.fused_step(rule, 10**7)
    finally:
        fused.BLOCK = usual
    return interleave(found, rounds, bar.update)


def _heading(versions: str) -> str:
    processor = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.is_file():
        names = [line for line in information.read_text().splitlines() if "model name" in line]
        processor = names[0].split(":")[1].strip() if names else processor
    return (
        f"# Optimizer steps, {datetime.date.today().isoformat()}\n\n"
        f"{processor}; Python {platform.python_version()}, NumPy {np.__version__}, "
        f"{versions}. Made by `make bench`, with a load of {os.getloadavg()[0]:.1f} "
        f"on {os.cpu_count()} processors (1.0 is the bench itself)."
    )


if __name__ == "__main__":
    sys.exit(main())
