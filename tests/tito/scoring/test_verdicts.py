"""The verdict on a cell comes from exactly the observations it asked for, and is fail-closed."""

import base64
import json
import math
import re

import numpy as np
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tests.tito.small_course import named
from tinytorch.checks import MIME_TYPE, Checks
from tinytorch.checks.publish import OBSERVATION_TYPE
from tinytorch.checks.wire import encode, unpack
from tito.course import check_modules
from tito.course.cells import flags
from tito.course.check_modules import put_into
from tito.errors import TitoError
from tito.scoring import verdicts
from tito.scoring.check_plan import Session, prepare
from tito.scoring.payload import draw_cases

SOLUTION = "import numpy as np\n\n\ndef double(x):\n    return 2 * np.asarray(x)"
TEST = """
from tinytorch.checks.for_08_optimizers.it import checks as it_checks


def test_unit_it():
    it_checks.run(double)


if __name__ == "__main__":
    it_checks.show(double)
""".strip()
CHECKS = {
    "exercises/it.py": '''
import numpy as np
from tinytorch.checks.observe import snapshot

def fixed(student, x):
    """Twice two is four."""
    return {"y": student.double(x)}

def varied(student, x):
    """Every element is doubled: 2, 4, 6."""
    return {"y": snapshot(student.double(x)), "sum": float(np.sum(student.double(x)))}
''',
    "it.py": """
from tinytorch.checks import Checks, GreaterThan
from .exercises import it

checks = Checks("test-it", points=10, names=["double"])
checks.part(it.fixed, points=3, inputs={"x": 2.0}, expect={"y": 4.0}, hint="Twice?")
checks.part(
    it.varied, points=7, inputs={"x": [1.0, 2.0, 3.0]}, randomize=["x"], hint="Each?",
    expect={"y": [2.0, 4.0, 6.0], "sum": GreaterThan(1)},
)
""",
}


def graded() -> NotebookNode:
    return named(new_code_cell(TEST), "test-it", grade=True, locked=True, points=10)


def source_of(*cells: NotebookNode) -> NotebookNode:
    nb = new_notebook(cells=cells)
    put_into(nb, CHECKS)
    return nb


def solution(text: str = SOLUTION) -> NotebookNode:
    return named(new_code_cell(text), "double-function", solution=True)


@pytest.fixture(scope="module")
def plan():
    return prepare(source_of(solution(), graded()), seed=5)


@pytest.fixture
def session(plan) -> Session:
    return Session.begin(plan)


def message(session, part, case, values, **changes):
    said = {"version": 1, "run": session.run, "grade_id": "test-it", "part": part, "case": case}
    said |= {"values": encode(values), "error": None, "unfinished": False, "interrupted": False}
    return said | changes


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


def test_right_observations_give_all_points_in_any_order(session):
    verdict = judged(shown(right_messages(session)), session)
    assert (verdict.report.earned, verdict.report.points, verdict.suspicious) == (10, 10, ())
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
        (without(2), [3, 0]),
        (doubled(0), [0, 7]),
        (doubled(2), [3, 0]),
        (forged_first, [0, 7]),
        (change(0, run=None), [0, 7]),
        (change(0, grade_id="test-other"), [0, 7]),
        (change(0, version=2), [0, 7]),
        (change(0, more="keys"), [0, 7]),
        (change(0, case=True), [0, 7]),
        (change(0, case="0"), [0, 7]),
        (change(0, part="varied"), [0, 0]),
        (change(0, part=["fixed"]), [0, 7]),
        (change(0, part="no such part"), [0, 7]),
        (change(0, values=None), [0, 7]),
        (change(0, values={"list": []}), [0, 7]),
        (change(0, values=encode({"y": math.nan})), [0, 7]),
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
    raised = change(0, error="<script>alert(1)</script>")(right_messages(session))
    cell = shown(raised, noise)
    cell.outputs.reverse()
    nb = new_notebook(cells=[cell])
    found = verdicts.judge(nb, session)
    assert verdicts.scores(nb, found) == {"test-it": 7.0}
    verdicts.write_verdicts(nb, found)
    kinds = [output.output_type for output in cell.outputs]
    assert kinds == ["display_data", "error", "stream"]
    assert cell.outputs[1].traceback == ["E: no"]
    page = cell.outputs[0].data["text/html"]
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert flags(nb) == []


def test_seed_determines_inputs(plan):
    again, other = (prepare(source_of(solution(), graded()), seed=n) for n in (5, 6))
    assert again.cases == plan.cases != other.cases


def test_equal_declarations_share_fresh_inputs():
    checks, given = Checks("test-it", points=3, names=[]), {"x": [1.0, 2.0], "y": 3.0}
    for name, which in [("one", ["x"]), ("like_one", ["x"]), ("other", ["x", "y"])]:

        def exercise(student, x, y):
            return {}

        exercise.__name__ = name
        checks.part(exercise, points=1, inputs=given, randomize=which, expect={}, hint="?")
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
    code = [base64.b64decode(code).decode("latin-1") for _, code in asked["modules"]]
    asked = "".join(code) + json.dumps(asked["cases"])
    for secret in ("expect", "hint", "GreaterThan", "Checks", "4.0", "doubled", "four"):
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
    broken = solution("def double(x): 1 / 0")
    with pytest.raises(TitoError, match="part fixed of test-it fails"):
        prepare(source_of(broken, graded()), seed=1)


@pytest.mark.parametrize("key", ["version", "run", "grade_id", "part", "case", "values", "error"])
def test_a_list_in_any_place_costs_at_most_its_part(session, key):
    messages = change(0, **{key: [["x"]]})(right_messages(session))
    assert earned(session, messages) == [0, 7]
    assert session.unanswered(shown(messages)) in ([], ["fixed"])


def test_a_module_of_exercises_takes_those_that_it_imports_along(plan):
    texts = dict(plan.texts)
    texts["exercises/shared.py"] = "def twice(student, x):\n    return student.double(x)\n"
    texts["exercises/it.py"] = "from .shared import twice\n" + texts["exercises/it.py"]
    needed = check_modules.exercises_needed(check_modules.by_cell(texts)["test-it"])
    assert list(needed.values()) == ["exercises/shared.py", "exercises/it.py"]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("it.py", "def broken(:", "checks/it.py: SyntaxError: invalid syntax"),
        ("it.py", "1 / 0", "checks/it.py: ZeroDivisionError: division by zero"),
        ("other.py", CHECKS["it.py"], "two modules have checks of their own for test-it"),
        ("it.py", "", "no module of checks is for test-it"),
    ],
)
def test_a_module_that_cannot_be_used_is_named(name, text, told):
    nb = source_of(solution(), graded())
    put_into(nb, {**CHECKS, name: text})
    with pytest.raises(TitoError, match=re.escape(told)):
        prepare(nb, seed=1)
