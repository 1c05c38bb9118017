#!/usr/bin/env bash
# okgrade 0.4.3 (PyPI), `grade` and `grade_notebook` of tests in OK's format: a test case of several examples
# counts in full as soon as one of them passes, be it the import or a first easy number. Each case has the
# share of its examples as its grade, and `grade` ends early only where that is 0 (okgrade/grader.py,
# `if resp.grade == 0`); behind the loop stands "All tests passed!". Where no example passes, the points are
# 0. One would have guessed that a case passes when all its examples do, as with the ok client, whose format
# it is and whose place it takes ("Simple alternative to okpy for grading only"), and with doctest.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    okgrade==0.4.3 ipython==8.37.0 nbformat==5.11.1
mkdir "$folder/course"
cd "$folder/course"
cat >square.py <<'PY'
test = {
    "name": "square",
    "points": 1,
    "suites": [{"type": "doctest", "cases": [{"code": ">>> square(2)\n4\n>>> square(3)\n9\n"}]}],
}
PY
cat >run.py <<'PY'
import warnings
from importlib.metadata import version

from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook

warnings.simplefilter("ignore")
from okgrade.notebook import grade_notebook

print("okgrade", version("okgrade"))
for body in ("x * x", "x + x", "0 * x"):
    write(new_notebook(cells=[new_code_cell(f"def square(x):\n    return {body}")]), "hw.ipynb")
    print(f"square is {body}: {grade_notebook('hw.ipynb', ['square.py']).grade:g} of 1")
PY
said=$("$folder/venv/bin/python" run.py)
echo "$said"
# Seen: 1 for the right one, 1 for x + x, which has 6 for 3, and 0 for 0 * x.
grep -qFx "square is x * x: 1 of 1" <<<"$said"
grep -qFx "square is x + x: 1 of 1" <<<"$said"
grep -qFx "square is 0 * x: 0 of 1" <<<"$said"
