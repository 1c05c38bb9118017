"""The verdict on a cell comes from exactly the observations it asked for, and is fail-closed."""

import base64
import copy
import json
import math

import numpy as np
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tests.tito.small_course import named
from tinytorch.checks import MIME_TYPE, Checks
from tinytorch.checks.observe import OBSERVATION_TYPE
from tinytorch.checks.wire import encode, unpack
from tito.course.cells import flags
from tito.errors import TitoError
from tito.scoring import verdicts
from tito.scoring.check_plan import Session, prepare
from tito.scoring.trusted import draw_cases, driving_source

SOLUTION = "import numpy as np\n\n\ndef double(x):\n    return 2 * np.asarray(x)"
TEST = '''
from tinytorch.checks import Checks, GreaterThan, snapshot

checks = Checks("test-it", points=10)
BIG = [1.0, 2.0, 3.0]


@checks.part(points=3, given={"x": 2.0}, expect={"y": 4.0}, hint="Twice?")
def fixed(x):
    """Twice two is four."""
    return {"y": double(x)}


@checks.part(points=7, given={"x": BIG}, vary=["x"],
             expect={"y": [2.0, 4.0, 6.0], "sum": GreaterThan(1)}, hint="Each?")
def varied(x):
    """Every element is doubled: 2, 4, 6."""
    return {"y": snapshot(double(x)), "sum": float(np.sum(double(x)))}


def test_unit_it():
    checks.run()


if __name__ == "__main__":
    checks.show()
'''.strip()


def graded() -> NotebookNode:
    return named(new_code_cell(TEST), "test-it", grade=True, locked=True, points=10)


@pytest.fixture(scope="module")
def plan():
    solution = named(new_code_cell(SOLUTION), "double-function", solution=True)
    return prepare(new_notebook(cells=[solution, graded()]), seed=5)


@pytest.fixture
def session(plan) -> Session:
    return Session.begin(plan)


def message(session, part, case, values, **changes):
    return {
        "version": 1,
        "run": session.run,
        "grade_id": "test-it",
        "part": part,
        "case": case,
        "values": encode(values),
        "error": None,
        "unfinished": False,
        "interrupted": False,
        **changes,
    }


def right_messages(session) -> list[dict]:
    """Return what a right solution's process sends."""
    fresh = np.array(session.plan.cases["test-it"]["varied"][1]["x"])
    public = np.array([1.0, 2.0, 3.0])
    return [
        message(session, "fixed", 0, {"y": 4.0}),
        message(session, "varied", 0, {"y": 2 * public, "sum": 12.0}),
        message(session, "varied", 1, {"y": 2 * fresh, "sum": float(np.sum(2 * fresh))}),
    ]


def shown(messages, more=()) -> NotebookNode:
    cell = graded()
    cell.outputs = [new_output("display_data", {OBSERVATION_TYPE: data}) for data in messages]
    cell.outputs += more
    return cell


def judged(cell, session) -> verdicts.Verdict:
    return verdicts.judge(new_notebook(cells=[cell]), session)["test-it"]


def earned(session, messages, more=()) -> list[int]:
    report = judged(shown(messages, more), session).report
    return [part.earned for part in report.parts]


def test_right_observations_give_all_points(session):
    verdict = judged(shown(right_messages(session)), session)
    assert (verdict.report.earned, verdict.report.points, verdict.suspicious) == (10, 10, ())


def test_their_order_does_not_matter(session):
    assert earned(session, right_messages(session)[::-1]) == [3, 7]


def test_hard_coded_answers_fail_and_are_suspicious(session):
    messages = right_messages(session)
    messages[2] = {**messages[1], "case": 1}
    verdict = judged(shown(messages), session)
    assert [part.earned for part in verdict.report.parts] == [3, 0]
    assert verdict.suspicious == ("varied",)
    assert "with other inputs: x=[" in verdict.report.parts[1].problem.label


def change(number, **changes):
    """Return a function that changes one of the right messages."""

    def apply(messages):
        messages[number] = {**messages[number], **changes}
        return messages

    return apply


def test_exception_on_fresh_inputs_names_its_line(session):
    raised = change(2, values={"dict": []}, error="ValueError: no\nline 3: f()")
    problem = judged(shown(raised(right_messages(session))), session).report.parts[1].problem
    assert (problem.got, problem.source, problem.raised) == ("ValueError: no", "line 3: f()", True)


def without(number):
    return lambda messages: messages[:number] + messages[number + 1 :]


def doubled(number):
    return lambda messages: [*messages, messages[number]]


def forged_first(messages):
    return [{**messages[0], "values": encode({"y": 4.0})}, *messages]


@pytest.mark.parametrize(
    ("damage", "points"),
    [
        (without(0), [0, 7]),
        (without(1), [3, 0]),
        (without(2), [3, 0]),
        (doubled(0), [0, 7]),
        (doubled(2), [3, 0]),
        (forged_first, [0, 7]),
        (change(0, run="of another day"), [0, 7]),
        (change(0, run=None), [0, 7]),
        (change(0, grade_id="test-other"), [0, 7]),
        (change(0, version=2), [0, 7]),
        (change(0, more="keys"), [0, 7]),
        (change(0, case=7), [0, 7]),
        (change(0, case=True), [0, 7]),
        (change(0, case="0"), [0, 7]),
        (change(0, part="varied"), [0, 0]),
        (change(0, part=["fixed"]), [0, 7]),
        (change(0, part="no such part"), [0, 7]),
        (change(0, values=None), [0, 7]),
        (change(0, values={"list": []}), [0, 7]),
        (change(0, values=encode({"y": math.nan})), [0, 7]),
        (change(0, values=encode({"y": "4.0"})), [0, 7]),
        (change(0, values=encode({"y": True})), [0, 7]),
        (change(0, values=encode({"y": np.array([4.0])})), [0, 7]),
        (change(0, values=encode({})), [0, 7]),
        (change(0, values={"object": "ndarray"}), [0, 7]),
        (change(0, error="ValueError: no"), [0, 7]),
        (change(0, error=5), [0, 7]),
        (lambda messages: [], [0, 0]),
        (lambda messages: ["text", None, 5, [[messages[0]]], *messages[1:]], [0, 7]),
    ],
)
def test_malformed_observation_costs_its_part_only(session, damage, points):
    assert earned(session, damage(right_messages(session))) == points


def test_observations_of_another_session_earn_nothing(plan):
    ours, theirs = Session.begin(plan), Session.begin(plan)
    assert earned(ours, right_messages(theirs)) == [0, 0]


def test_forged_report_earns_nothing(session):
    report = {"version": 1, "grade_id": "test-it", "points": 10, "earned": 10, "parts": []}
    more = [
        new_output("display_data", {MIME_TYPE: report}),
        new_output("execute_result", {"text/plain": "10.0"}),
    ]
    cell = shown([], more)
    nb = new_notebook(cells=[cell])
    assert verdicts.scores(nb, verdicts.judge(nb, session)) == {"test-it": 0.0}


def test_what_else_a_cell_shows_does_not_matter(session):
    noise = [
        new_output("stream", name="stderr", text="DeprecationWarning"),
        new_output("error", ename="E", evalue="no", traceback=["a secret line"]),
        new_output("execute_result", {"text/plain": "nan"}),
    ]
    cell = shown(right_messages(session), noise)
    cell.outputs.reverse()
    nb = new_notebook(cells=[cell])
    found = verdicts.judge(nb, session)
    assert verdicts.scores(nb, found) == {"test-it": 10.0}
    verdicts.write_verdicts(nb, found)
    kinds = [output.output_type for output in cell.outputs]
    assert kinds == ["display_data", "error", "stream"]
    assert cell.outputs[1].traceback == ["E: no"]
    assert flags(nb) == []


def test_the_page_of_a_verdict_is_escaped(session):
    messages = change(0, error="<script>alert(1)</script>")(right_messages(session))
    cell = shown(messages)
    nb = new_notebook(cells=[cell])
    verdicts.write_verdicts(nb, verdicts.judge(nb, session))
    page = cell.outputs[0].data["text/html"]
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_seed_determines_inputs(plan):
    cells = [named(new_code_cell(SOLUTION), "double-function", solution=True), graded()]
    again, other = (prepare(new_notebook(cells=copy.deepcopy(cells)), seed=n) for n in (5, 6))
    assert again.cases == plan.cases != other.cases


def test_equal_declarations_share_fresh_inputs():
    checks, given = Checks("test-it", points=3), {"x": [1.0, 2.0], "y": 3.0}
    for name, vary in [("one", ["x"]), ("like_one", ["x"]), ("other", ["x", "y"])]:

        def drive(x, y):
            return {}

        drive.__name__ = name
        checks.part(points=1, given=given, vary=vary, expect={}, hint="?")(drive)
    cases = draw_cases(checks, seed=1)
    assert cases["one"][1] == cases["like_one"][1]
    assert cases["one"][1]["x"] != cases["other"][1]["x"] != given["x"]


def test_messages_count_the_same_alone_and_together(session):
    first, *others = right_messages(session)
    assert earned(session, [first, others]) == [3, 7]
    assert earned(session, [[first, *others], first]) == [0, 7]  # observed twice
    assert session.unanswered(shown([[first]])) == ["varied"]


def test_payload_holds_no_expected_value(session):
    question = session.payload(graded())
    asked = unpack(question.rpartition(", '")[2].removesuffix("')\n"))
    asked = base64.b64decode(asked["code"]).decode("latin-1") + json.dumps(asked["cases"])
    for secret in ("expect", "hint", "GreaterThan", "Checks", "4.0", "doubled", "test_unit"):
        assert secret not in driving_source(TEST)
        assert secret not in question
        assert secret not in asked
    fresh = session.plan.cases["test-it"]["varied"][1]["x"]
    assert str(fresh[0]) in asked


def test_a_release_that_is_not_the_source_is_refused(session):
    cell = graded()
    cell.source += "\n# another version"
    with pytest.raises(TitoError, match="test-it of the release is not that of the course"):
        session.payload(cell)


def test_failing_reference_names_the_part():
    broken = named(new_code_cell("def double(x): 1 / 0"), "double-function", solution=True)
    with pytest.raises(TitoError, match="part fixed of test-it fails"):
        prepare(new_notebook(cells=[broken, graded()]), seed=1)


@pytest.mark.parametrize("key", ["version", "run", "grade_id", "part", "case", "values", "error"])
def test_a_list_in_any_place_costs_at_most_its_part(session, key):
    messages = change(0, **{key: [["x"]]})(right_messages(session))
    assert earned(session, messages) == [0, 7]
    assert session.unanswered(shown(messages)) in ([], ["fixed"])
