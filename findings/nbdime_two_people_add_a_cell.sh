#!/usr/bin/env bash
# nbdime 4.0.4 with nbformat 5.11.1 (PyPI): two people each add a cell in the same place, such as one more
# assert at the end, and `nbmerge` ends in "TypeError: unhashable type" without a merged file. Cells that
# are alike are merged into one, and where their ids differ, the merged cell's id is made
# `{"local_id": ..., "remote_id": ...}` (nbdime/merging/strategies.py), which is no id. Two equal cells
# end so too, for ids are random; cells that are not alike get markers, as one expects. One would have
# guessed a conflict with markers, and for equal cells none: since format 4.5 every cell has an id, and
# adding cells at the end is how notebooks grow.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nbdime==4.0.4 nbformat==5.11.1
cat >"$folder/run.py" <<'PY'
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook

ADDED = {
    "alike": ("assert f(3) == 3", "assert f(4) == 4"),
    "equal": ("assert f(3) == 3", "assert f(3) == 3"),
    "not alike": ("assert f(3) == 3", "import numpy as np\nplot(np.arange(10))"),
}
print("nbdime", version("nbdime"), "nbformat", version("nbformat"))
for name, (local, remote) in ADDED.items():
    place = Path(sys.argv[1]) / name
    place.mkdir()
    for side, added in {"base": [], "local": [local], "remote": [remote]}.items():
        first = new_code_cell("x = 1", id="first")
        cells = [first, *(new_code_cell(source, id=side) for source in added)]
        write(new_notebook(cells=cells), place / f"{side}.ipynb")
    files = [place / f"{side}.ipynb" for side in ("base", "local", "remote")]
    nbmerge = [sys.executable, "-m", "nbdime.nbmergeapp", *files, "--out", place / "merged.ipynb"]
    ran = subprocess.run(nbmerge, capture_output=True, text=True)
    last = ran.stderr.strip().splitlines()[-1].split(":")[0]
    merged = "a merged file" if (place / "merged.ipynb").exists() else "no merged file"
    print(f"{name}: {last if last.endswith('Error') else 'no error'}, {merged}")
PY
said=$("$folder/venv/bin/python" "$folder/run.py" "$folder")
echo "$said"
# Seen: an error and no file for cells that are alike or equal.
grep -qx "alike: TypeError, no merged file" <<<"$said"
grep -qx "equal: TypeError, no merged file" <<<"$said"
grep -qx "not alike: no error, a merged file" <<<"$said"
