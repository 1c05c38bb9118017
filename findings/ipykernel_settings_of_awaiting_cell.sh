#!/usr/bin/env bash
# ipykernel 6.31.0 and 7.4.0 (PyPI), numpy 2.4.6: what a cell sets with `np.seterr` or
# `np.set_printoptions`, or as decimal precision, holds for the cells after it, as everywhere; but where
# that cell has an `await` at its top level, it is gone in the next one, without a word. numpy 2 keeps
# both in context variables, as `decimal` does, and a cell that awaits runs as a task of its own, whose
# context ends with it (ipykernel/ipkernel.py, `do_execute`: `run_cell_async` in a task; a cell without
# `await` goes to `run_cell`). One would have guessed that a setting lasts either way, as it did
# with numpy 1.26.4, whose settings are not context variables.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/run.py" <<'PY'
from importlib.metadata import version

from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

SETTINGS = """
import asyncio, decimal
import numpy as np
np.set_printoptions(precision=2)
np.seterr(divide="raise")
decimal.getcontext().prec = 5
{}
plain = 1
"""
LOOK = "print(np.array([1.0]) / 3, np.geterr()['divide'], decimal.Decimal(1) / 3, plain)"

print("ipykernel", version("ipykernel"), "numpy", version("numpy"))
for name, line in {"plain": "", "awaiting": "await asyncio.sleep(0)"}.items():
    notebook = new_notebook(cells=[new_code_cell(SETTINGS.format(line)), new_code_cell(LOOK)])
    NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    print(f"{name}:", notebook.cells[1].outputs[0].text.strip())
PY
for kernel in 6.31.0 7.4.0; do
    python3 -m venv "$folder/$kernel"
    "$folder/$kernel/bin/pip" install --quiet --disable-pip-version-check \
        ipykernel==$kernel nbclient==0.11.0 numpy==2.4.6
    said=$(PATH="$folder/$kernel/bin:$PATH" "$folder/$kernel/bin/python" "$folder/run.py")
    echo "$said"
    # Seen: [0.33] raise 0.33333 after the plain cell, [0.33333333] warn 0.333... after the other.
    grep -qx "plain: \[0.33\] raise 0.33333 1" <<<"$said"
    grep -qx "awaiting: \[0.33333333\] warn 0.33333333333333333333333333\+ 1" <<<"$said"
done
