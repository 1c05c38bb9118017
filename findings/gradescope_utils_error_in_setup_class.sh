#!/usr/bin/env bash
# gradescope-utils 0.5.0 (PyPI), JSONTestRunner: where `setUpClass` raises, as it does when it calls the
# student's unfinished function, the runner itself ends with an AttributeError and writes nothing: the
# tests of the other classes are lost with it, and the platform reports a broken autograder
# (gradescope_utils/autograder_utils/json_test_runner.py, `getWeight`: reads `test._testMethodName`,
# which unittest's stand-in for the class does not have). One would have guessed 0 for the tests of that
# class and the usual result for the others, as with an exception in `setUp`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check gradescope-utils==0.5.0
cat >"$folder/run.py" <<'PY'
import io
import unittest
from importlib.metadata import version

from gradescope_utils.autograder_utils.decorators import weight
from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner

print("gradescope-utils", version("gradescope-utils"))


def fit():
    raise NotImplementedError("the student's")


class Fit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.line = fit()

    @weight(10)
    def test_slope(self):
        self.assertEqual(self.line[0], 2)


class Other(unittest.TestCase):
    @weight(90)
    def test_other(self):
        pass


def run(*classes):
    stream = io.StringIO()
    load = unittest.defaultTestLoader.loadTestsFromTestCase
    try:
        JSONTestRunner(stream=stream).run(unittest.TestSuite(map(load, classes)))
    except AttributeError as error:
        return f"{error}; {len(stream.getvalue())} characters of results"
    return "results written"


print("the other class alone:", run(Other))
print("both:", run(Fit, Other))
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: "both: '_ErrorHolder' object has no attribute '_testMethodName'; 0 characters of results".
grep -qx "the other class alone: results written" <<<"$said"
grep -qF "both: '_ErrorHolder' object has no attribute '_testMethodName'; 0 characters" <<<"$said"
