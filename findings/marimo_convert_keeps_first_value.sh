#!/usr/bin/env bash
# marimo 0.25.2 (PyPI), `marimo convert` of a notebook where a function reads a global, `rate`, that a
# later cell sets to another value: in Jupyter the later call takes the new rate, in the converted
# notebook the first. A name that several cells define is made several names, and the function's body is
# bound to that of its own cell (marimo/_convert/ipynb/to_ir.py, `transform_duplicate_definitions`); the
# cell with the new rate sets a variable that nobody reads. It ends with "Converted notebook saved" and
# runs without an error. One would have guessed marimo's complaint about a name that is defined twice,
# which the same cells written in marimo get, or that the converted notebook prints what the notebook did.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    marimo==0.25.2 nbformat==5.11.1 nbclient==0.11.0 ipykernel==7.4.0
cat >"$folder/run.py" <<'PY'
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from nbclient import NotebookClient
from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook

DEFINES = "rate = 0.1\n\ndef step(weight):\n    return weight - rate"
NOTEBOOKS = {
    "a new rate": [DEFINES, "rate = 0.01", "print(step(1.0))"],
    "a tenth of the rate": [DEFINES, "rate = rate / 10", "print(step(1.0))"],
    "rate as an argument": [
        "rate = 0.1\n\ndef step(weight, rate):\n    return weight - rate",
        "rate = rate / 10",
        "print(step(1.0, rate))",
    ],
}
folder = Path(sys.argv[1])
print("marimo", version("marimo"))
for name, sources in NOTEBOOKS.items():
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    write(notebook, folder / "notebook.ipynb")
    NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    jupyter = notebook.cells[-1].outputs[0].text.strip()
    files = [folder / "notebook.ipynb", "-o", folder / "converted.py"]
    subprocess.run([sys.executable, "-m", "marimo", "-y", "convert", *files], check=True, capture_output=True)
    converted = [sys.executable, folder / "converted.py"]
    marimo = subprocess.run(converted, check=True, capture_output=True, text=True).stdout.strip()
    print(f"{name}: Jupyter {jupyter}, marimo {marimo}")
PY
said=$(PATH="$folder/venv/bin:$PATH" "$folder/venv/bin/python" "$folder/run.py" "$folder" 2>"$folder/log")
echo "$said"
# Seen: the converted function keeps the rate of its own cell.
grep -qx "a new rate: Jupyter 0.99, marimo 0.9" <<<"$said"
grep -qx "a tenth of the rate: Jupyter 0.99, marimo 0.9" <<<"$said"
grep -qx "rate as an argument: Jupyter 0.99, marimo 0.99" <<<"$said"
