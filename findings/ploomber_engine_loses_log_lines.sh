#!/usr/bin/env bash
# ploomber-engine 0.0.33 (PyPI), PloomberClient: what a logger writes to stdout is in the notebook for the
# cell that set it up, and gone for all later ones. Each cell has a stdout of its own, which is read once when
# the cell ends, and the handler holds the first (ploomber_engine/ipython.py, `patch_sys_std_out_err`). In a
# cell that raises, each second write is missing as well, since `_process_stdout` takes every other one to be
# the line break of a `print`. Nothing says that lines were lost. One would have guessed what a kernel shows,
# whose `sys.stdout` is one object for all cells: its `execute_notebook`, which uses the client, is a "drop-in
# replacement" for Papermill's.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    ploomber-engine==0.0.33 nbclient==0.11.0 nbformat==5.11.1 ipykernel==7.4.0 ipython==9.10.0
cat >"$folder/run.py" <<'PY'
from importlib.metadata import version

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook
from ploomber_engine.ipython import PloomberClient

SETUP = """import logging, sys
logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.INFO)
logging.info("starts")"""
TRAIN = "for step in range(4):\n    logging.info(f'step-{step}')"
RAISES = "import sys\nfor step in range(4):\n    sys.stdout.write(f'step-{step}\\n')\n1 / 0"


def printed(client, *sources):
    """The lines on stdout of each cell of an executed notebook."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    try:
        client(notebook).execute()
    except (CellExecutionError, ZeroDivisionError):
        pass
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    streams = [[output.text for output in cell.outputs if output.get("name") == "stdout"] for cell in cells]
    return ["".join(texts).split() for texts in streams]


print("ploomber-engine", version("ploomber-engine"))
for name, client in {
    "a kernel": NotebookClient,
    "ploomber": lambda notebook: PloomberClient(notebook, progress_bar=False),
}.items():
    print(f"{name}, a logger:", printed(client, SETUP, TRAIN))
    print(f"{name}, a cell that raises:", printed(client, RAISES))
PY
said=$("$folder/venv/bin/python" "$folder/run.py" 2>"$folder/errors") || { cat "$folder/errors"; exit 1; }
echo "$said"
# Seen: a kernel shows all five and four lines; ploomber "starts" only, and steps 0 and 2.
grep -qFx "a kernel, a logger: [['starts'], ['step-0', 'step-1', 'step-2', 'step-3']]" <<<"$said"
grep -qFx "a kernel, a cell that raises: [['step-0', 'step-1', 'step-2', 'step-3']]" <<<"$said"
grep -qFx "ploomber, a logger: [['starts'], []]" <<<"$said"
grep -qFx "ploomber, a cell that raises: [['step-0', 'step-2']]" <<<"$said"
