#!/usr/bin/env bash
# nbgrader 0.9.6 (PyPI) with numpy 2.4.6: a test cell ends in a number, its points, as nbgrader's partial
# credit asks. Where that is a NumPy scalar, such as `5 * np.mean(passed)`, everybody gets all points:
# numpy 2 shows it as "np.float64(2.5)", `float` of that text fails, and what is no number counts in full,
# with a warning in the log. numpy 1.26.4 shows "2.5", and the same cell gives 2.5
# (nbgrader/utils.py, `get_partial_grade`). One would have guessed 2.5 with both, since numpy 2 changes
# how a scalar is shown and not what it is; a Fraction counts in full with both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/run.py" <<'PY'
from importlib.metadata import version

from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.utils import determine_grade

RESULTS = ("5 * np.mean([True, False])", "float(5 * np.mean([True, False]))", "Fraction(5, 2)")
print("nbgrader", version("nbgrader"), "numpy", version("numpy"))
notebook = new_notebook(
    cells=[new_code_cell(f"import numpy as np\nfrom fractions import Fraction\n{x}") for x in RESULTS]
)
for cell in notebook.cells:
    cell.metadata["nbgrader"] = {"grade": True, "solution": False, "points": 5, "grade_id": "a"}
NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
for result, cell in zip(RESULTS, notebook.cells):
    print(f"{result}:", "{} of {}".format(*determine_grade(cell)))
PY
declare -A seen=([1.26.4]="2.5 of 5.0" [2.4.6]="5.0 of 5.0")
for numpy in 1.26.4 2.4.6; do
    python3 -m venv "$folder/$numpy"
    "$folder/$numpy/bin/pip" install --quiet --disable-pip-version-check \
        nbgrader==0.9.6 numpy==$numpy nbclient==0.11.0 ipykernel==7.4.0
    said=$(PATH="$folder/$numpy/bin:$PATH" "$folder/$numpy/bin/python" "$folder/run.py")
    echo "$said"
    # Seen: 2.5 of 5.0 for the first with numpy 1.26.4 and 5.0 of 5.0 with 2.4.6; `float` gives 2.5.
    grep -qx "5 \* np.mean(\[True, False\]): ${seen[$numpy]}" <<<"$said"
    grep -qx "float(5 \* np.mean(\[True, False\])): 2.5 of 5.0" <<<"$said"
    grep -qx "Fraction(5, 2): 5.0 of 5.0" <<<"$said"
done
