"""Show the mutation score of the graded cells: `python -m tests.mutation [CELL ...]`."""

from __future__ import annotations

import argparse
import sys

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.mutation.run import TARGETS, Fate, Score, all_mutants, equivalents, run, scores


def main() -> int:
    """Judge all mutants, or those of some cells; return 1 if one survived that is not listed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("cells", nargs="*", metavar="CELL", help="solution cells; all by default")
    parser.add_argument("--workers", type=int, help="processes; one per core by default")
    arguments = parser.parse_args()
    unknown = set(arguments.cells) - set(TARGETS)
    if unknown:
        parser.error(f"CELL must be one of {', '.join(TARGETS)}, got {', '.join(sorted(unknown))}")
    population = [m for m in all_mutants() if m.cell in (arguments.cells or TARGETS)]
    console = Console()
    with Progress(console=console) as progress:
        judged = run(population, arguments.workers)
        fates = list(progress.track(judged, len(population), description="mutants"))
    console.print(table(fates))
    listed = equivalents()
    order = {mutant.key: position for position, mutant in enumerate(population)}
    alive = [f.mutant for f in fates if f.killer is None and f.mutant.key not in listed]
    for mutant in sorted(alive, key=lambda mutant: order[mutant.key]):
        console.print(f"survived: {mutant}", markup=False, soft_wrap=True, highlight=False)
    return 1 if alive else 0


def table(fates: list[Fate]) -> Table:
    """Lay out the scores by solution cell."""
    shown = Table("cell", *("mutants", "killed", "survived", "equivalent", "score"))
    for column in shown.columns[1:]:
        column.justify = "right"
    found = {cell: score for cell, score in scores(fates).items() if score.mutants}
    for cell, score in [*found.items(), ("all", sum(found.values(), Score(0, 0, 0)))]:
        counts = score.mutants, score.killed, score.survived, score.equivalent
        shown.add_row(cell, *map(str, counts), f"{score.value:.3f}")
    return shown


if __name__ == "__main__":
    sys.exit(main())
