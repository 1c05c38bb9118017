"""Kernels of the grader's, in each way to begin one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from nbformat import NotebookNode

from tests.tito.sandbox.conftest import package  # noqa: F401 - a fixture
from tests.tito.small_course import scratch  # noqa: F401 - a fixture
from tito.kernels.client import make_kernel
from tito.kernels.isolation import IsolationReport
from tito.kernels.kernel_protocol import Kernel, Limits, Lost, Ran
from tito.kernels.zygote_client import end_zygotes
from tito.sandbox import Isolation
from tito.sandbox.settings import Settings

#: By name: the level of isolation, and whether the kernel is forked.
WAYS = {
    "forked": ("full", True),
    "started": ("full", False),
    "limits": ("limits", False),
    "none": ("none", False),
}


def keep(output: NotebookNode) -> NotebookNode:
    return output


def limits(processor: float = 20, wall: float = 60, keeps=keep) -> Limits:
    return Limits(processor, wall, keeps)


def make(way: str, folder: Path | None = None, grace: float = 2.0, **settings) -> Kernel:
    level, forks = WAYS[way]
    report = IsolationReport(Isolation(level), forks)
    return make_kernel(report, folder, settings=Settings(**settings), grace=grace)


def run(way: str, *sources: str, **settings) -> list[Ran | Lost]:
    """Run cells in a new kernel."""
    with closing(make(way, **settings)) as kernel:
        return [kernel.run(source, limits()) for source in sources]


def text(ran: Ran | Lost) -> str:
    """Return what a cell printed, showed as text, and the names of its errors."""
    said = []
    for output in ran.outputs:
        shown = output.get("text") or output.get("data", {}).get("text/plain")
        said.append(shown if shown is not None else output.get("ename", ""))
    return "".join(said)


@pytest.fixture(params=["forked", "started"])
def way(request) -> str:
    """Each way that is isolated."""
    return request.param


@pytest.fixture
def start(way, package) -> Iterator[Callable[..., Kernel]]:  # noqa: F811
    """Begin kernels that end with the test; keywords are limits of their sandboxes."""
    with ExitStack() as stack:

        def start_one(**settings) -> Kernel:
            return stack.enter_context(closing(make(way, package, **settings)))

        yield start_one


@pytest.fixture(scope="session", autouse=True)
def _no_zygote_is_left() -> Iterator[None]:
    yield
    end_zygotes()
