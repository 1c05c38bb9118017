#!/usr/bin/env bash
# testbook 0.4.2 (PyPI): a test that fails inside `with tb.patch(...)` leaves the patch in the kernel. Where
# tests share a notebook by a fixture of scope "module", as the documentation advises for notebooks that are
# run in full, each later test meets the mock in place of the student's function, and passes on it. It warns
# there of objects that a test changes; but the block that ends a patch has no `finally` around its `yield`
# (testbook/client.py, `patch` and `patch_dict`). One would have guessed the rule of unittest.mock, which it
# wraps: a patch ends with its block, however the block ends.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    testbook==0.4.2 nbclient==0.11.0 nbformat==5.11.1 ipykernel==7.4.0 pytest==9.2.0
mkdir "$folder/course"
cd "$folder/course"
cat >make.py <<'PY'
from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook

code = "def rate(step):\n    return 0.0\n\n\ndef describe(step):\n    return f'rate: {rate(step)}'"
write(new_notebook(cells=[new_code_cell(code)]), "hw.ipynb")
PY
cat >test_hw.py <<'PY'
import pytest
from testbook import testbook


@pytest.fixture(scope="module")
def tb():
    with testbook("hw.ipynb", execute=True) as notebook:
        yield notebook


def test_describe(tb):
    with tb.patch("__main__.rate", return_value=0.1):
        assert tb.ref("describe")(5) == "rate 0.1"


def test_rate(tb):
    assert tb.ref("rate")(5) == 0.1
PY
"$folder/venv/bin/python" make.py
tested() { # The verdict on each test, run by pytest with the arguments.
    "$folder/venv/bin/pytest" -q -rA --tb=no "$@" 2>&1 | grep -E "^(PASSED|FAILED)" | cut -d" " -f1,2
}
echo "testbook $("$folder/venv/bin/pip" show testbook 2>/dev/null | sed -n 's/^Version: //p')"
alone=$(tested test_hw.py::test_rate || true)
both=$(tested test_hw.py || true)
printf 'alone:\n%s\nbehind a test that fails in its patch:\n%s\n' "$alone" "$both"
# Seen: the student's rate is 0.0 and test_rate fails; behind test_describe it passes.
grep -qx "FAILED test_hw.py::test_rate" <<<"$alone"
grep -qx "FAILED test_hw.py::test_describe" <<<"$both"
grep -qx "PASSED test_hw.py::test_rate" <<<"$both"
