"""Run the tests of what has changed, in less than a minute: `python -m tests.check [REVISION]`.

Changed is what differs from where the branch left its upstream: commits, the working tree, new
files. Changed test files run as a whole. Behind them come the tests in the folder that mirrors a
changed file and those that import it, the nearest first, until the processor time is spent. Heavy
ones run only where they have changed themselves. What is left out is named: `make test` runs it.

grimp reads the imports. No plugin fits: pytest-testmon needs a database that a whole run under
coverage has written, and sees nothing in a subprocess or sandbox; pytest-picked knows changed test
files alone; pytest-impacted follows one package, in no order and without a bound.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import grimp
import pytest

from tito.course import Course

ROOT = Path(__file__).resolve().parents[1]
#: Seconds of the processor that the tests may take, children included, before no further begins.
BUDGET = 35.0
#: Whole classes, browsers, mutants, whole notebooks, many runs or seeds of one solution.
HEAVY = (
    *("tests/attacks", "tests/browser", "tests/mutation", "tests/submissions"),
    "tests/modules/test_notebooks.py",
    *(f"tests/solutions/test_{name}.py" for name in ("flakiness", "fresh_inputs", "luck")),
)
#: Where the tests of a folder are; the first line that fits counts.
MIRRORS = (
    ("modules/source", ("tests/modules", "tests/core", "tests/solutions")),
    ("tinytorch/checks", ("tests/checks", "tests/solutions")),
    ("tinytorch", ("tests",)),
    ("tito", ("tests/tito",)),
    ("tests", ("tests",)),
    ("docs", ("tests/docs",)),
)
#: The rank, among numbers of imports, of what imports nothing that has changed.
NO_IMPORT = 99


def changed(root: Path, base: str = "") -> list[str]:
    """Return the files that differ from a revision, or from where the branch left its upstream."""

    def git(*command: str) -> list[str]:
        answer = subprocess.run(["git", *command], cwd=root, capture_output=True, text=True)
        return answer.stdout.splitlines() if answer.returncode == 0 else []

    upstream = git("merge-base", "HEAD", "@{upstream}") or git("merge-base", "HEAD", "origin/main")
    (revision,) = [base] if base else upstream or ["HEAD"]
    differing = git("diff", "--name-only", "--no-renames", revision)
    return sorted({*differing, *git("ls-files", "--others", "--exclude-standard")})


def imports() -> grimp.ImportGraph:
    """Return who imports whom, where a test imports the conftest of each folder it is in."""
    graph = grimp.build_graph("tito", "tinytorch", "tests", cache_dir=None)
    for conftest in [name for name in graph.modules if name.endswith(".conftest")]:
        folder = conftest.removesuffix("conftest")
        for name in [n for n in graph.modules if n.startswith(folder) and n != conftest]:
            graph.add_import(importer=name, imported=conftest)
    return graph


def distances(graph: grimp.ImportGraph, module: str) -> dict[str, int]:
    """Return how many imports lie between a module and each of those that need it."""
    found, near = {module: 0}, [module]
    for name in near:
        further = graph.find_modules_that_directly_import(name) - found.keys()
        found |= dict.fromkeys(further, found[name] + 1)
        near += sorted(further)
    return found


def module_of(path: str) -> str:
    """Return the module that a file is, or that a chapter is exported to; "" for others."""
    for chapter in Course(ROOT).modules:
        if ROOT / path == chapter.source:
            return f"tinytorch.{chapter.exports_to}"
    name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return name if path.endswith(".py") else ""


def mirrors(path: str) -> Iterator[Path]:
    """Yield the folders in which the tests of a file are: of its own folder, or of one above."""
    for top, tests in MIRRORS:
        if path.startswith(f"{top}/"):
            below = Path(path).parent.relative_to(top)
            for folder in tests:
                exact = ROOT / folder / below
                yield next(f for f in (exact, *exact.parents) if any(f.glob("test_*.py")))
            return


def related(path: str, graph: grimp.ImportGraph) -> dict[Path, tuple[int, int]]:
    """Return the test files of a changed file, each with its rank: of its folder, of imports."""
    folders = [] if Path(path).match("test_*.py") else list(mirrors(path))
    module = module_of(path)
    reach = distances(graph, module) if module in graph.modules else {}
    top, inside = (
        Path(path).parts[0],
        path.startswith(("modules/", "tests/", "tinytorch/", "tito/")),
    )
    word = Path(path).name if inside else top
    found = {}
    for test in sorted((ROOT / "tests").rglob("test_*.py")):
        imported_as = ".".join(test.relative_to(ROOT).with_suffix("").parts)
        mirrored = folders.index(test.parent) if test.parent in folders else len(folders)
        if test.parent in folders and test.stem == f"test_{Path(path).stem}":
            found[test] = -1, 0
        elif imported_as in reach:
            found[test] = mirrored, reach[imported_as]
        elif test.parent in folders or f'"{word}"' in test.read_text():
            found[test] = mirrored, NO_IMPORT
    return found


def chosen(paths: Collection[str]) -> list[Path]:
    """Return the test files for changed files, in the order in which they should run."""
    own = [p for p in map(ROOT.joinpath, paths) if p.match("tests/**/test_*.py") and p.is_file()]
    graph, ranks = imports(), {}
    for path in paths:
        for test, rank in related(path, graph).items():
            ranks[test] = min(rank, ranks.get(test, rank))
    light = [test for test in ranks.keys() - set(own) if not is_heavy(test)]
    return own + sorted(light, key=lambda test: (ranks[test], test))


def is_heavy(test: Path) -> bool:
    """Whether a test file takes too long for a check."""
    return any(test.is_relative_to(ROOT / heavy) for heavy in HEAVY)


class Budget:
    """Run tests in the order of their files, and begin none when the processor time is spent.

    Parameters
    ----------
    files : list of Path
        In their order.
    always : collection of Path
        Those of them that run whatever they take.
    seconds : float
        Of the processor.
    """

    def __init__(self, files: list[Path], always: Collection[Path], seconds: float) -> None:
        self.rank = {path: number for number, path in enumerate(files)}
        self.always, self.seconds = always, seconds
        self.left_out: dict[Path, int] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self.rank[item.path])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if item.path not in self.always and sum(os.times()[:4]) > self.seconds:
            self.left_out[item.path] = self.left_out.get(item.path, 0) + 1
            pytest.skip("the processor time is spent: make test runs it")


def main(base: str = "") -> int:
    """Run the tests of what has changed; return pytest's exit code."""
    paths = changed(ROOT, base)
    files = chosen(paths)
    print(f"{len(paths)} files have changed; {len(files)} test files are about them")
    if not files:
        return 0
    heavy = ", ".join(name.removeprefix("tests/") for name in HEAVY)
    budget = Budget(files, {ROOT / path for path in paths}, BUDGET)
    code = pytest.main(["--quiet", "-r", "fE", *map(str, files)], plugins=[budget])
    for path, number in budget.left_out.items():
        print(f"left out: {path.relative_to(ROOT)}, {number} tests")
    print(f"make test runs the rest, and what is heavy: {heavy}")
    return int(code)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
