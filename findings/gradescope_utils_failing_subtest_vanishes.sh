#!/usr/bin/env bash
# gradescope-utils 0.5.0 (PyPI), JSONTestRunner: a test with `self.subTest` of which one fails is not in
# the results at all: no score, no maximum, no message. A student who fails it is shown 5 of 5 and no
# failed test, one who passes it 15 of 15. Skipped tests and expected failures are missing as well
# (gradescope_utils/autograder_utils/json_test_runner.py, `JSONTestResult`: results are made in
# addSuccess, addError and addFailure, and unittest calls none of them here). One would have guessed a
# failed test with 0 of 10, as unittest's own runner reports it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check gradescope-utils==0.5.0
cat >"$folder/run.py" <<'PY'
import io
import json
import unittest
from importlib.metadata import version

from gradescope_utils.autograder_utils.decorators import weight
from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner

print("gradescope-utils", version("gradescope-utils"))
square = None


class Square(unittest.TestCase):
    @weight(10)
    def test_values(self):
        for number in (1, 2, 3):
            with self.subTest(number=number):
                self.assertEqual(square(number), number * number)

    @weight(5)
    def test_zero(self):
        self.assertEqual(square(0), 0)


for name, square in {"right": lambda x: x * x, "wrong": lambda x: x}.items():
    stream = io.StringIO()
    JSONTestRunner(stream=stream).run(unittest.defaultTestLoader.loadTestsFromTestCase(Square))
    tests = json.loads(stream.getvalue())["tests"]
    total = sum(test["max_score"] for test in tests)
    print(f"{name}:", sum(test["score"] for test in tests), "of", total, "in", len(tests), "tests")
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: "right: 15 of 15 in 2 tests", "wrong: 5 of 5 in 1 tests".
grep -qx "right: 15 of 15 in 2 tests" <<<"$said"
grep -qx "wrong: 5 of 5 in 1 tests" <<<"$said"
