"""What a cell shows is what stock nbclient shows of stock ipykernel, but for a short list."""

import subprocess
import sys
from contextlib import closing

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tito.sandbox.scratch import environment

from .cells import CELLS, comparable
from .conftest import limits, make, text

#: Runs notebooks side by side, since much of it is waiting.
EXECUTE = """
import asyncio, sys
import nbformat
from nbclient import NotebookClient

async def execute(path):
    nb = nbformat.read(path, as_version=4)
    await NotebookClient(nb, allow_errors=True).async_execute()
    nbformat.write(nb, path)

async def execute_all():
    await asyncio.gather(*map(execute, sys.argv[1:]))

asyncio.run(execute_all())
"""


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    """Run each group of cells in stock ipykernel, by stock nbclient."""
    folder = tmp_path_factory.mktemp("stock")
    env = {**environment(folder, folder), "TMPDIR": "/tmp"}
    for name, sources in CELLS.items():
        nb = new_notebook(cells=[new_code_cell(source) for source in sources])
        nbformat.write(nb, folder / f"{name}.ipynb")
    command = [sys.executable, "-c", EXECUTE, *map(str, folder.glob("*.ipynb"))]
    subprocess.run(command, env=env, cwd=folder, check=True, capture_output=True, timeout=200)
    return {name: nbformat.read(folder / f"{name}.ipynb", as_version=4) for name in CELLS}


#: The error of a cell that IPython told as text on stderr; who grades wants to see an error.
TOLD = ["ERROR: An error occurred while showtraceback was disabled"]


def seen(nb) -> list:
    for cell in nb.cells:
        cell.outputs = [one for one in cell.outputs if one.get("traceback") != TOLD]
    return comparable(nbformat.from_dict(nb), "execution_count")


@pytest.mark.parametrize("group", CELLS)
def test_outputs_are_those_of_stock_ipykernel(way, group, stock):
    nb = new_notebook(cells=[new_code_cell(source) for source in CELLS[group]])
    with closing(make(way)) as kernel:
        for cell in nb.cells:
            ran = kernel.run(cell.source, limits())
            cell.outputs, cell.execution_count = ran.outputs, ran.execution_count
    nbformat.validate(nb)
    pairs = zip(CELLS[group], seen(nb), seen(stock[group]), strict=True)
    different = [(source, ours, theirs) for source, ours, theirs in pairs if ours != theirs]
    assert not different, "\n".join(map(repr, different))


#: What is better than stock, or other by nature: a cell, and what is seen here.
BETTER = {
    # Tracebacks show frames of the kernel, and there those of ipykernel.
    "input('?')": "StdinNotImplementedError",
    "import getpass; getpass.getpass()": "StdinNotImplementedError",
    "import sys; sys.stdout.write(7)": "TypeError",
    "get_ipython().display_pub.publish('text')": "TypeError",
    # Stock costs two seconds and an error.
    "print('half: \\ud800')": "half: ?\n",
    # Stock loses the reply.
    "class E(Exception):\n    def __str__(self): 1 / 0\nraise E": "EZeroDivisionError",
    # Stock cannot say it in JSON.
    "display({'application/json': {'a': float('nan')}, 'text/plain': 'nan'}, raw=True)": "nan",
    "display({'text/plain': 'odd', 'application/json': {(1, 2): {3}}}, raw=True)": "odd",
    "print(get_ipython().kernel)": "None\n",
}


@pytest.mark.parametrize("way", ["forked"])
@pytest.mark.parametrize("source", BETTER)
def test_what_differs_by_nature(start, source):
    kernel = start()
    assert text(kernel.run(source, limits())).endswith(BETTER[source])
    assert text(kernel.run("print('on')", limits())) == "on\n"
