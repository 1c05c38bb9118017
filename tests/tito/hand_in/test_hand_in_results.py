"""What Gradescope and PrairieLearn are told: their names, their points, and who sees what."""

import json

import pytest

from tinytorch.checks import Report
from tinytorch.checks.problem import Problem
from tinytorch.checks.report import PartVerdict
from tito.gradebook.result import Result
from tito.hand_in.hand_in_results import Options, of_gradescope, of_prairielearn

#: As specified: https://gradescope-autograders.readthedocs.io/en/latest/specs/#output-format
KEYS = {
    *("score", "execution_time", "output", "output_format", "test_output_format"),
    *("test_name_format", "visibility", "stdout_visibility", "extra_data", "tests", "leaderboard"),
}
TEST_KEYS = {
    *("score", "max_score", "status", "name", "name_format", "number", "output"),
    *("output_format", "tags", "visibility", "extra_data"),
}
VISIBLE = {"hidden", "after_due_date", "after_published", "visible"}


def part(name: str, points: int, problem: Problem | None = None) -> PartVerdict:
    return PartVerdict(name, name, points, 0 if problem else points, problem, "a hint")


FRESH = Problem("after step 1, with other inputs: rate=0.3", "0.7", "0.69", False, "")
PARTS = (part("holds", 2), part("fails", 3, Problem("where", "1", "2", False, "")))
REPORT = Report("test-sgd", 9, (*PARTS, part("rounds", 4, FRESH)))
GRADED = Result(
    "ada",
    "d1",
    "graded",
    scores={"test-sgd": 2.0, "question-1": None, "question-2": 0.0},
    cells={"test-sgd": {**REPORT.data(), "wrong_on_fresh": ["rounds"]}},
    seed=7,
    isolation={"level": "user", "leaks": ["sees processes"]},
    flags=("locked cell edited: test-sgd",),
)


def told(options: Options, result: Result = GRADED) -> dict[str, dict]:
    return {test["number"]: test for test in of_gradescope(result, options)["tests"]}


@pytest.mark.parametrize("result", [GRADED, Result("ada", "", "failed", reason="r")])
def test_names_are_gradescopes(result):
    results = of_gradescope(result, Options())
    assert set(results) <= KEYS
    for test in results["tests"]:
        assert set(test) <= TEST_KEYS
        assert test["visibility"] in VISIBLE and test.get("status") in (None, "passed", "failed")
    assert json.loads(json.dumps(results)) == results


def test_each_part_is_a_test_with_its_points_and_what_was_wrong():
    tests = told(Options(fresh_inputs="visible"))
    assert list(tests) == ["1.1", "1.2", "1.3", "0"]
    assert [tests[n]["score"] for n in tests] == [2, 0, 0, 0]
    assert [tests[n]["max_score"] for n in tests] == [2, 3, 4, 0]
    assert tests["1.1"]["status"] == "passed" and tests["1.1"]["output"] == ""
    assert tests["1.2"]["output"] == "where: where\nexpected: 1\ngot: 2\nhint: a hint"
    assert tests["1.3"]["output"].startswith("where: after step 1, with other inputs: rate=0.3")


def test_the_score_is_what_the_tests_earn():
    assert of_gradescope(GRADED, Options())["score"] == 2


@pytest.mark.parametrize("when", ["after_due_date", "after_published", "hidden"])
def test_fresh_inputs_show_when_the_instructor_says(when):
    tests = told(Options(fresh_inputs=when))
    assert [n for n, test in tests.items() if "rate=0.3" in test["output"]] == ["1.3.1"]
    assert tests["1.3.1"]["visibility"] == when
    assert (tests["1.3.1"]["score"], tests["1.3.1"]["max_score"]) == (0, 0)
    assert tests["1.3"]["visibility"] == "visible"
    assert tests["1.3"]["output"].startswith("This holds for the inputs in the notebook, and not")


def test_all_parts_show_when_the_instructor_says():
    tests = told(Options(visibility="after_published"))
    assert {tests[n]["visibility"] for n in ("1.1", "1.2", "1.3")} == {"after_published"}


def test_only_the_instructor_sees_flags_isolation_and_seed():
    tests = told(Options())
    last = tests.pop("0")
    assert last["visibility"] == "hidden" and last["max_score"] == 0
    for text in (
        "isolation: user",
        "sees processes",
        "seed of the fresh inputs: 7",
        "flag: locked",
    ):
        assert text in last["output"]
    assert "locked" not in json.dumps(tests)


def test_written_answers_are_left_to_a_person():
    assert of_gradescope(GRADED, Options())["output"].splitlines() == [
        "question-1 is marked by a person.",
        "question-2 has no answer.",
    ]


def test_what_cannot_be_graded_has_no_points_and_a_reason():
    failed = Result("ada", "", "failed", problem="a.ipynb is not valid JSON", reason="ask Ada")
    results = of_gradescope(failed, Options())
    assert results["score"] == 0
    assert results["output"].startswith("a.ipynb is not valid JSON. Open the notebook in Jupyter")
    assert "ask Ada" in results["tests"][0]["output"]


def test_a_fault_of_the_machine_is_told_to_the_instructor_alone():
    failed = Result("ada", "", "failed", reason="bubblewrap is missing", log="Traceback ...")
    results = of_gradescope(failed, Options())
    assert "bubblewrap" not in results["output"]
    (last,) = results["tests"]
    assert "bubblewrap is missing" in last["output"] and "Traceback" in last["output"]


def test_prairielearn_gets_a_share_and_visible_tests_only():
    results = of_prairielearn(GRADED, Options())
    assert results["gradable"] is True and results["score"] == pytest.approx(2 / 9)
    assert [test["points"] for test in results["tests"]] == [2, 0, 0]
    assert "rate=0.3" not in json.dumps(results) and "locked" not in json.dumps(results)


def test_prairielearn_does_not_count_what_cannot_be_graded():
    failed = Result("ada", "", "failed", problem="there is no notebook")
    results = of_prairielearn(failed, Options())
    assert results["gradable"] is False and "no notebook" in results["format_errors"][0]
