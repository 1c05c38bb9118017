#!/usr/bin/env bash
# pytest-prairielearn-grader 0.3.1 (PyPI): `feedback.set_score(0.4)` counts only where the test fails
# afterwards; a test that sets 0.4 and ends gets all its points, and the student's page says so.
# `set_score_final` is the one that counts. A test that is skipped counts as 0 of its points, though the
# source says "Skipped tests don't contribute to the score" (pytest_prairielearn_grader/plugin.py,
# `pytest_sessionfinish`: "passed" sets 1.0; the maxima of skipped tests are added up). One would have
# guessed the score that was set, and that a skipped test leaves the mark alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pytest-prairielearn-grader==0.3.1 pytest==9.2.0 numpy==2.4.6 \
    networkx==3.6.1 pandas==3.1.1 plot-serializer==0.2.3
cat >"$folder/test_graded.py" <<'PY'
import pytest


@pytest.mark.grading_data(name="ends", points=10)
def test_ends(feedback):
    feedback.set_score(0.4)


@pytest.mark.grading_data(name="fails", points=10)
def test_fails(feedback):
    feedback.set_score(0.4)
    assert False


@pytest.mark.grading_data(name="final", points=10)
def test_final(feedback):
    feedback.set_score_final(0.4)


@pytest.mark.grading_data(name="skipped", points=10)
def test_skipped():
    pytest.skip("no GPU here")
PY
cat >"$folder/show.py" <<'PY'
import json
from importlib.metadata import version
from pathlib import Path

print("pytest-prairielearn-grader", version("pytest-prairielearn-grader"))
results = json.loads(Path("autograder_results.json").read_text())
for test in results["tests"]:
    print(f"{test['name']}:", test["points"], "of", test["max_points"])
print("mark:", round(results["score"], 3))
PY
cd "$folder"
venv/bin/python -m pytest -q test_graded.py >log 2>&1 || true
said=$(venv/bin/python show.py)
echo "$said"
# Seen: ends 10.0, fails 4.0, final 4.0, skipped 0.0 of 10; mark 0.45, which is 18 of 40.
grep -qx "ends: 10.0 of 10" <<<"$said"
grep -qx "fails: 4.0 of 10" <<<"$said"
grep -qx "final: 4.0 of 10" <<<"$said"
grep -qx "mark: 0.45" <<<"$said"
