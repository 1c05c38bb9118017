#!/usr/bin/env bash
# gradescope-utils 0.5.0 (PyPI), `partial_credit`: a test that two classes inherit keeps the score that
# it set last. The second class's test fails before it sets anything, and gets the 8 of the first one's;
# a test that returns without setting a score gets all its points
# (gradescope_utils/autograder_utils/decorators.py, `partial_credit`: the score is an attribute of the
# function, which the classes share; json_test_runner.py, `buildResult`: a score that is None is the
# weight). One would have guessed a score for each test that is run, and 0 where none was set.
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

from gradescope_utils.autograder_utils.decorators import partial_credit
from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner

print("gradescope-utils", version("gradescope-utils"))


class Checks:
    """The same tests for each of the student's two queues."""

    @partial_credit(10)
    def test_order(self, set_score=None):
        set_score(self.in_order())


class ListQueue(Checks, unittest.TestCase):
    def in_order(self):
        return 8


class LinkedQueue(Checks, unittest.TestCase):
    def in_order(self):
        raise NotImplementedError


class Answers(unittest.TestCase):
    @partial_credit(10)
    def test_given(self, set_score=None):
        for answer in []:
            set_score(answer)


stream = io.StringIO()
load = unittest.defaultTestLoader.loadTestsFromTestCase
JSONTestRunner(stream=stream).run(
    unittest.TestSuite(map(load, (ListQueue, LinkedQueue, Answers)))
)
for test in json.loads(stream.getvalue())["tests"]:
    print(test["name"], test["score"], "of", test["max_score"])
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: 8 of 10 for LinkedQueue, which raises, and 10 of 10 for Answers, where no score was set.
grep -qF "LinkedQueue.test_order) 8 of 10" <<<"$said"
grep -qF "Answers.test_given) 10 of 10" <<<"$said"
