#!/usr/bin/env bash
# otter-grader 7.0.0 (PyPI), `otter assign`: a test whose first line is a comment with the word "hidden",
# such as "# two hidden layers", becomes a hidden test, which students do not get; and a text whose heading
# begins with "# Ignore" is left out of the handout and of the autograder's notebook.
# "# HIDDEN" and "# IGNORE" are the markers; what is searched is the word anywhere in the first
# line, and the letters at its start, in either case (otter/assign/tests_manager.py, `read_test`;
# otter/assign/utils.py, `is_ignore_cell`). Nothing is said. One would have guessed that a marker is a
# line of its own: here the text of the task is gone, and so is the only test that a student could run.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check otter-grader==7.0.0 ipykernel==7.4.0
cat >"$folder/make.py" <<'PY'
import sys

from nbformat import write
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

COMMENTS = {
    "plain": ("# The bias is ignored", "# both layers"),
    "words": ("# Ignore the bias", "# two hidden layers"),
}
for name, (heading, comment) in COMMENTS.items():
    cells = [
        new_raw_cell("# ASSIGNMENT CONFIG\ngenerate: true"),
        new_raw_cell("# BEGIN QUESTION\nname: q1\npoints: 2"),
        new_markdown_cell(f"{heading}\n\nGive the widths of both layers."),
        new_raw_cell("# BEGIN SOLUTION"),
        new_code_cell("widths = [4, 4] # SOLUTION"),
        new_raw_cell("# END SOLUTION"),
        new_raw_cell("# BEGIN TESTS"),
        new_code_cell(f"{comment}\nassert len(widths) == 2"),
        new_raw_cell("# END TESTS"),
        new_raw_cell("# END QUESTION"),
    ]
    kernel = {"name": "python3", "language": "python", "display_name": "Python"}
    write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), f"{sys.argv[1]}/{name}.ipynb")
PY
cat >"$folder/look.py" <<'PY'
from importlib.metadata import version

from nbformat import read

print("otter-grader", version("otter-grader"))
for name in ("plain", "words"):
    notebook = read(f"{name}/student/{name}.ipynb", as_version=4)
    tasks = sum("Give the widths" in cell.source for cell in notebook.cells)
    tests = sum(len(test["suites"][0]["cases"]) for test in notebook.metadata["otter"]["tests"].values())
    print(f"{name}: texts {tasks}, tests of the student {tests}")
PY
export PATH="$folder/venv/bin:$PATH"
cd "$folder"
python make.py "$folder"
for name in plain words; do
    otter assign $name.ipynb $name >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
done
said=$(python look.py)
echo "$said"
# Seen: with these words neither the text nor the test is in what students get.
grep -qx "plain: texts 1, tests of the student 1" <<<"$said"
grep -qx "words: texts 0, tests of the student 0" <<<"$said"
