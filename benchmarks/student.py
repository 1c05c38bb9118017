"""Where a student waits: `python -m benchmarks.student`, a part of `make bench`.

From a save to the table of checks, beside an earlier build; and `tito test` of the whole notebook
beside its solution and graded cells alone. Each contender has a bundle installed for itself.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.measure import Measured, ratio
from tests.student import Machine

_ROOT = Path(__file__).resolve().parents[1]
_NOTEBOOK = "optimizers_dev.ipynb"
#: Only demonstrations need it.
_FIGURES = "setup-figures"
#: Nobody saves faster.
_SECONDS_BETWEEN_SAVES = 1
_TABLE_ENDS = re.compile(r"\d+ of \d+ points\n")
#: Run in a checkout, with a folder for a bundle, a machine and a notebook that is solved.
_SET_UP = """
import sys
from pathlib import Path
from tests.student import set_up
from tests.submissions.course import copy_course
from tests.submissions.notebook import Work
from tito.authoring.bundle import bundle

folder = Path(sys.argv[1])
(folder / "course").mkdir(parents=True)
course = copy_course(folder / "course")
module = course.module("08_optimizers")
machine = set_up(bundle(course, module), folder / "machine")
(machine.folder / "optimizers_dev.ipynb").write_text(Work(course, module).solve().text())
print(machine.folder, machine.environment, sep="\\n")
"""


@dataclass
class Desk:
    """A student's machine with the solved notebook, and how long they wait there."""

    machine: Machine
    saved: dict[str, list[float]] = field(default_factory=dict)
    tests: Measured = field(default_factory=Measured)

    def __post_init__(self) -> None:
        self.path = self.machine.folder / _NOTEBOOK
        self.notebook = json.loads(self.path.read_text())
        self.cells = {
            cell["metadata"]["nbgrader"]["grade_id"]: cell
            for cell in self.notebook["cells"]
            if cell["cell_type"] == "code" and "nbgrader" in cell["metadata"]
        }

    @property
    def solutions(self) -> list[str]:
        """The names of the solution cells."""
        return [n for n, cell in self.cells.items() if cell["metadata"]["nbgrader"]["solution"]]

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Have `tito test --watch` look at the notebook."""
        command = [str(self.machine.environment / "bin" / "tito"), "test", "--watch"]
        with subprocess.Popen(
            command,
            cwd=self.machine.folder,
            env=self.machine.variables,
            stdout=subprocess.PIPE,
            text=True,
        ) as self._watcher:
            try:
                self._table()
                yield
            finally:
                self._watcher.terminate()

    def save(self, name: str, number: int) -> None:
        """Change a cell in its last function, save as Jupyter does, and wait for the table."""
        cell = self.cells[name]
        before = "".join(cell["source"])
        last = before.rstrip().rpartition("\n")[2]
        indent = last[: len(last) - len(last.lstrip())]
        cell["source"] = f"{before.rstrip()}\n{indent}_ = {number}\n"
        draft = self.path.with_name("draft")
        draft.write_text(json.dumps(self.notebook))
        cell["source"] = before
        time.sleep(_SECONDS_BETWEEN_SAVES)
        begin = time.perf_counter()
        draft.replace(self.path)
        self._table()
        self.saved.setdefault(name, []).append(time.perf_counter() - begin)

    def _table(self) -> None:
        assert self._watcher.stdout is not None
        for line in self._watcher.stdout:
            if _TABLE_ENDS.fullmatch(line):
                return
        raise RuntimeError("tito test --watch has ended")

    def test(self) -> None:
        """Run `tito test`; keep the processor time of all its processes."""
        command = [str(self.machine.environment / "bin" / "tito"), "test"]
        with subprocess.Popen(
            command,
            cwd=self.machine.folder,
            env=self.machine.variables,
            stdout=subprocess.DEVNULL,
        ) as process:
            self.tests.seconds.append(_processor_seconds(process.pid))
            process.returncode = 0


def _processor_seconds(pid: int) -> float:
    """Wait for a process to succeed; return its processor time and that of its children."""
    _, status, used = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"process {pid} ended with status {status}")
    return used.ru_utime + used.ru_stime


def set_up(checkout: Path, folder: Path) -> Desk:
    """Give a checkout's bundle to a student, with this environment's libraries."""
    answer = subprocess.run(
        [sys.executable, "-c", _SET_UP, folder],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Desk(Machine(*map(Path, answer.stdout.splitlines()[-2:])))


def run_cells(cells: Mapping[str, dict]) -> float:
    """Run cells in a fork of this process, which is warm; return its processor time."""
    pid = os.fork()
    if pid == 0:
        namespace = {"__name__": "__main__"}
        with contextlib.redirect_stdout(io.StringIO()):
            for name, cell in cells.items():
                if name != _FIGURES:
                    exec(compile("".join(cell["source"]), name, "exec"), namespace)
        os._exit(0)
    return _processor_seconds(pid)


def measure(now: Desk, before: Desk, rounds: int) -> Measured:
    """Let all take turns; return what the cells took alone."""
    alone = Measured()
    with now.watched(), before.watched():
        for number in range(rounds):
            for name in now.solutions:
                for desk in (now, before) if number % 2 else (before, now):
                    desk.save(name, number)
    run_cells(now.cells)
    gc.freeze()  # as in grading's warm process
    for _ in range(rounds):
        alone.seconds.append(run_cells(now.cells))
        for desk in (now, before):
            desk.test()
    return alone


def report(now: Desk, before: Desk, alone: Measured) -> str:
    """Return the targets and what was measured, as Markdown."""
    lines = [
        "| a save of | table after | before | ratio |",
        "|---|---:|---:|---:|",
    ]
    for name in now.solutions:
        mine, theirs = Measured(now.saved[name]), Measured(before.saved[name])
        times = f"{mine.median * 1e3:.0f} ms | {theirs.median * 1e3:.0f} ms"
        lines.append(f"| {name} | {times} | {ratio(mine, theirs):.2f} |")
    every, earlier = (Measured(list(np.sum([*d.saved.values()], axis=0))) for d in (now, before))
    tests = f"{now.tests.median * 1e3:.0f} ms, before {before.tests.median * 1e3:.0f} ms"
    lines += [
        "",
        "| | measured | goal | |",
        "|---|---:|---:|---|",
        _goal("save to table, all solution cells: times before", ratio(every, earlier), 0.5),
        _goal(
            f"`tito test`, processor time ({tests}): times the cells alone "
            f"({alone.median * 1e3:.0f} ms)",
            ratio(now.tests, alone),
            1.3,
        ),
    ]
    return "\n".join(lines)


def _goal(name: str, value: float, most: float) -> str:
    verdict = "met" if value <= most else "missed"
    return f"| {name} | {value:.2f} | at most {most:g} | {verdict} |"


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(prog="benchmarks.student", description=__doc__)
    options.add_argument("--rounds", type=int, default=5, help="how often each is timed (5)")
    options.add_argument("--before", default="31be96b", help="commit of the earlier build")
    chosen = options.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        earlier = scratch / "earlier"
        earlier.mkdir()
        archive = subprocess.run(
            ["git", "archive", chosen.before], cwd=_ROOT, stdout=subprocess.PIPE, check=True
        )
        subprocess.run(["tar", "--extract"], cwd=earlier, input=archive.stdout, check=True)
        now, before = set_up(_ROOT, scratch / "now"), set_up(earlier, scratch / "before")
        print(report(now, before, measure(now, before, chosen.rounds)))


if __name__ == "__main__":
    main()
