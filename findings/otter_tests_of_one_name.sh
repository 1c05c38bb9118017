#!/usr/bin/env bash
# otter-grader 7.0.0 (PyPI), `otter assign` with exception-based tests (`ok_format: false`): where the test
# cells of a question name their function alike, `def test(relu)`, only the last one grades. All are
# written to one file, where each definition replaces the one before, and what is collected are the file's
# globals (otter/test_files/exception_test.py, `_from_compiled_code`). The question keeps its points, which
# the last test then has alone, the student's `grader.check` runs the same one, and assign's own run of
# the solution passes. One would have guessed that each test cell is a test case, as in the other format,
# or that two of one name are refused: in a notebook a cell defines `test` and calls it, and the next one
# does so again. Here `-x` earns all points of a ReLU, by the test at zero.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check otter-grader==7.0.0 ipykernel==7.4.0
cat >"$folder/make.py" <<'PY'
import sys

from nbformat import write
from nbformat.v4 import new_code_cell, new_raw_cell, new_notebook

TESTS = ("relu(2.0) == 2.0", "relu(-1.0) == 0.0", "relu(0.0) == 0.0")
for name in ("one", "own"):
    functions = ["test" if name == "one" else f"test_{i}" for i in range(len(TESTS))]
    cells = [
        new_raw_cell("# ASSIGNMENT CONFIG\ngenerate: true\ntests:\n    ok_format: false"),
        new_raw_cell("# BEGIN QUESTION\nname: q1\npoints: 6"),
        new_raw_cell("# BEGIN SOLUTION"),
        new_code_cell("def relu(x):\n    return max(x, 0.0) # SOLUTION"),
        new_raw_cell("# END SOLUTION"),
        new_raw_cell("# BEGIN TESTS"),
        *(
            new_code_cell(f"def {function}(relu):\n    assert {test}\n{function}(relu)")
            for function, test in zip(functions, TESTS)
        ),
        new_raw_cell("# END TESTS"),
        new_raw_cell("# END QUESTION"),
    ]
    kernel = {"name": "python3", "language": "python", "display_name": "Python"}
    write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), f"{sys.argv[1]}/{name}.ipynb")
PY
cat >"$folder/grade.py" <<'PY'
import sys
from glob import glob
from importlib.metadata import version

from nbformat import read, write
from otter.api import grade_submission

print("otter-grader", version("otter-grader"))
for name in ("one", "own"):
    notebook = read(f"{name}/student/{name}.ipynb", as_version=4)
    [answer] = [cell for cell in notebook.cells if cell.source.startswith("def relu")]
    answer.source = "def relu(x):\n    return -x"
    write(notebook, "submission.ipynb")
    [autograder] = glob(f"{name}/autograder/*.zip")
    graded = grade_submission("submission.ipynb", autograder, quiet=True)
    tests = len(graded.results["q1"].test_case_results)
    print(f"{name} name: {graded.total:g} of {graded.possible:g} points, {tests} tests run")
PY
export PATH="$folder/venv/bin:$PATH"
cd "$folder"
python make.py "$folder"
for name in one own; do
    otter assign $name.ipynb $name >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
done
said=$(python grade.py 2>"$folder/log")
echo "$said"
# Seen: all points and one test where the functions share a name, a third of the points otherwise.
grep -qx "one name: 6 of 6 points, 1 tests run" <<<"$said"
grep -qx "own name: 2 of 6 points, 3 tests run" <<<"$said"
