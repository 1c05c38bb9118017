"""What the guides say of limits, attempts, files and tests is what the code does."""

import ast
import re
from pathlib import Path

import pytest

from tinytorch.checks.observe import SECONDS_A_PART
from tito.autograde import cluster
from tito.autograde.limits import ExecuteSubmission
from tito.autograde.retries import ATTEMPTS, WORKER_STARTS
from tito.gradebook import writer
from tito.kernels import budget
from tito.sandbox import probe
from tito.sandbox.settings import GB, MB, Settings

ROOT = Path(__file__).resolve().parents[2]
BUILT = (ROOT / "docs" / "how_it_is_built.md").read_text()
SANDBOX = (ROOT / "docs" / "inside_the_sandbox.md").read_text()
GUIDE = (ROOT / "docs" / "instructors.md").read_text()
WALK = (ROOT / "CONTRIBUTING.md").read_text().partition("## One submission")[2].partition("##")[0]
LIMITS, CELLS = Settings(), ExecuteSubmission()


def rows(text: str) -> list[list[str]]:
    """Return the rows of all tables of a page, without their headings, as cells."""
    found = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row] for row in found]
    heads = [n - 1 for n, row in enumerate(cells) if set(row[0]) <= set("-:")]
    return [row for n, row in enumerate(cells) if n not in heads and n - 1 not in heads]


def row(text: str, start: str) -> list[str]:
    """Return the cells of the one row that begins so, after the first."""
    (found,) = (row for row in rows(text) if row[0].startswith(start))
    return found[1:]


@pytest.mark.parametrize(
    ("start", "who", "times"),
    [
        ("a worker is killed", "driver.py", f"{ATTEMPTS['worker']} attempts"),
        ("a kernel dies", "driver.py", f"{ATTEMPTS['unknown']} attempts"),
        ("a sandbox is killed", "driver.py", f"{ATTEMPTS['machine']} attempts"),
        ("a worker dies before", "executors.py", f"{WORKER_STARTS} in a row"),
        ("a cell takes its kernel", "run_cells.py", f"{CELLS.max_restarts} new kernels"),
        ("the gradebook is locked", "writer.py", f"for {writer.LOCK_TIMEOUT:g} s"),
        ("a Dask scheduler", "cluster.py", f"for {cluster.AWAY_SECONDS:g} s"),
    ],
)
def test_attempts(start, who, times):
    by, often, _ = row(BUILT, start)
    assert who in by and often.startswith(times)


FOLDERS = {LIMITS.home_size, LIMITS.tmp_size, LIMITS.shm_size, LIMITS.file_size}


@pytest.mark.parametrize(
    ("start", "limit"),
    {
        "memory of all": f"{LIMITS.memory // GB} GB, looked at every {LIMITS.interval * 1000:g} ms",
        "a process:": f"{LIMITS.address_space // GB} GB; {LIMITS.open_files}; "
        f"{LIMITS.cpu_seconds} s",
        "processes and": f"{LIMITS.processes}",
        "each of its": f"{max(FOLDERS) // MB} MB; {LIMITS.entries:,}",
        "sockets, with": f"{LIMITS.sockets}",
        "locked ranges": f"{LIMITS.locks:,}",
        "processor time": f"{SECONDS_A_PART:g} s; {CELLS.timeout:g} s; "
        f"{CELLS.submission_timeout:g} s",
        "the same by the clock": f"{CELLS.patience:g} times as long",
        "kernels": f"{CELLS.max_restarts} that it may lose",
        "text of": f"{CELLS.max_output:,} characters; {budget.PER_NOTEBOOK['text']} times as many",
        "figures of": f"{budget.PER_CELL['rich']} times as many as of text; "
        f"{budget.PER_NOTEBOOK['rich']} times",
    }.items(),
)
def test_limits(start, limit):
    assert row(SANDBOX, start)[0] == limit


def test_every_setting_of_a_submission_is_in_the_guide_with_its_default():
    said = {name.strip("`"): default for name, default, *_ in rows(GUIDE) if name[0] == "`"}
    traits = CELLS.trait_defaults(config=True)
    shown = {k: f"{v:g}" if isinstance(v, float) else str(v or "none") for k, v in traits.items()}
    assert said == shown


def test_all_folders_are_of_one_size():
    assert len(FOLDERS) == 1


def test_every_row_names_a_test_and_each_exists():
    for what, *_, tests in rows(SANDBOX):
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", tests)
        assert named, what
        for path, test in named:
            text = (ROOT / path).read_text()
            assert f"def {test}(" in text or f"\n# %% {test}:" in text, (path, test)


def test_the_tables_have_all_that_the_probe_tries():
    named = {name for row in rows(SANDBOX) for name in re.findall(r"`(\w+)`", row[2])}
    tried = {attempt.__name__ for attempt in probe.ATTEMPTS}
    assert named == {*tried, probe.takes_memory.__name__, probe.leaves_a_process.__name__}


@pytest.mark.parametrize(
    ("text", "above"), [(BUILT, "tito"), (SANDBOX, "")], ids=["built", "sandbox"]
)
def test_files_that_a_page_names_exist(text, above):
    names = re.findall(r"`((?:\w+/)+\w+\.py)`", text)
    assert names
    assert [n for n in names if not ((ROOT / n).exists() or (ROOT / above / n).exists())] == []


def test_methods_that_a_page_names_exist():
    named = set(re.findall(r"`([A-Z]\w+)\.(\w+)`", BUILT))
    trees = [
        ast.parse(path.read_text())
        for top in ("tito", "tinytorch")
        for path in (ROOT / top).rglob("*.py")
    ]
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    known = {(c.name, f.name) for c in classes for f in c.body if isinstance(f, ast.FunctionDef)}
    assert named and named <= known


def test_each_step_of_a_submission_names_a_file_and_what_is_in_it():
    assert len(rows(WALK)) >= 9
    for what, where in rows(WALK):
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", where)
        assert named, what
        for path, name in named:
            source = (ROOT / path).read_text()
            assert re.search(rf"^ *(def|class) {name}\b", source, re.MULTILINE), (path, name)
