"""The checks of a student's notebook, run as in grading."""

import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import nbformat
import pytest

from tests.tito.student.conftest import RIGHT
from tito.errors import TitoError
from tito.student import testing
from tito.student.needs import without_magics
from tito.student.show import show_result
from tito.student.testing import CheckRunner


def check(desk):
    return runner_of(desk).run()


def problems(result):
    (report,) = result.reports
    return [part.problem for part in report.parts]


def test_untouched_notebook_earns_nothing(desk):
    result = check(desk)
    assert not result.passed and result.failures == []
    assert [part.mark for part in result.reports[0].parts] == ["ok", "todo"]
    assert problems(result)[1].got.startswith("TODO in Answer.give: return the number")


def test_a_right_solution_passes_with_all_points(desk):
    result = check(desk.write("answer", RIGHT))
    assert result.passed and result.reports[0].earned == 5 and result.notes == []


def test_a_typo_is_shown_with_the_line_that_has_it(desk):
    result = check(desk.write("answer", RIGHT.replace("ONE", "ON")))
    problem = problems(result)[1]
    assert (problem.expected, problem.raised) == ("42", True)
    assert problem.got == "NameError: name 'ON' is not defined"
    assert problem.source == "line 4 of your cell answer, in Answer.give: return 41 + ON"


def test_syntax_error_comes_before_the_parts_it_breaks(desk, capsys):
    show_result(
        check(desk.write("answer", "#| export\nclass Answer:\ndef give(self):\n    return 42"))
    )
    assert capsys.readouterr().out.splitlines() == [
        "failed  answer, line 3: IndentationError: expected an indented block after class "
        "definition on line 2: def give(self):",
        "no    test-answer: 0 of 5  Answer is not defined here: no cell that ran defines it; "
        "2 parts need it",
        "0 of 5 points",
    ]


def test_a_line_of_a_given_cell_is_said_to_be_one(desk):
    given = desk.cell("imports").source + "\ndef helper():\n    raise KeyError('x')\n"
    released = nbformat.read(desk.assignment.release, as_version=4)
    for cell in (desk.cell("imports"), released.cells[1]):
        cell.source = given
    nbformat.write(released, desk.assignment.release)
    result = check(desk.write("answer", RIGHT.replace("ONE", "helper()")))
    assert problems(result)[1].source.startswith("line 4 of the given cell imports, in helper")


LOCKED = "test-answer: the {}; the released one takes its place"


def test_replaces_changed_test_cell(desk):
    easier = desk.cell("test-answer").source.replace("answer_checks.run", "print")
    desk.write("answer", RIGHT.replace("41 + ONE", "0")).write("test-answer", easier)
    result = check(desk)
    assert not result.passed
    assert result.notes == [LOCKED.format("locked cell was changed")]


def test_a_deleted_test_cell_runs_all_the_same(desk):
    desk.node.cells.remove(desk.cell("test-answer"))
    result = check(desk.write("answer", RIGHT))
    assert result.passed and result.reports[0].earned == 5
    assert result.notes == [LOCKED.format("cell is missing")]


def test_error_in_own_cell_is_only_noted(desk):
    result = check(desk.write("answer", RIGHT).add("print('x')\n1 / 0"))
    assert result.passed
    (note,) = result.notes
    assert "line 2: ZeroDivisionError: division by zero (a cell of your own" in note


@pytest.mark.parametrize(
    ("source", "failure"),
    [
        ("while True:\n    pass", "cell 4 (while True:), not finished within 4 s; a loop?"),
        ("import os\nos._exit(3)", "cell 4 (import os), the process ended with code 3"),
    ],
)
def test_own_cell_that_keeps_the_rest_from_running_is_a_failure(desk, monkeypatch, source, failure):
    if source.startswith("while"):
        monkeypatch.setattr(testing, "SECONDS_A_CELL", 4.0)
    result = check(desk.write("answer", RIGHT).add(source))
    assert (result.failures, result.notes, result.passed) == ([failure], [], False)


def test_ignores_prints_and_main_blocks(desk):
    desk.add('import os\nprint("{")\nos.write(1, b"[")\nif __name__ == "__main__":\n    1 / 0')
    assert check(desk.write("answer", RIGHT)).notes == []


def test_own_helpers_and_magics_work(desk):
    desk.add("%matplotlib inline\nBASE = 41")
    assert check(desk.write("answer", RIGHT.replace("41", "BASE"))).passed


@pytest.mark.parametrize(
    ("source", "left"),
    [("x = 1", "x = 1"), ("if x:\n    !ls", "if x:\n    pass"), ("%%timeit\nf()", "")],
)
def test_only_magics_are_taken_out(source, left):
    assert without_magics(source) == left


@pytest.mark.parametrize(
    ("source", "failure"),
    [
        ("while True:\n    pass", "answer, not finished within 2 s; a loop?"),
        ("import os\nos._exit(3)", "answer, the process ended with code 3"),
        (
            "from tinytorch.core.second import Answer",
            "answer, line 1: ImportError: tinytorch.core.second is what this notebook becomes",
        ),
        (RIGHT.replace("give(self)", "give(self"), "answer, line 3: SyntaxError: '(' was never"),
    ],
)
def test_a_cell_that_fails_is_named_with_the_reason(desk, monkeypatch, source, failure):
    if source.startswith("while"):  # a busy machine may take longer for the others
        monkeypatch.setattr(testing, "SECONDS_A_CELL", 2.0)
    result = check(desk.write("answer", source))
    assert result.failures[0].startswith(failure)
    for report in result.reports:  # none where the process has ended
        assert [part.missing for part in report.parts] == ["Answer", "Answer"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"cells": [', "is not a notebook (line 1: Expecting value)"),
        ('{"worksheets": []}', "not a notebook of the present format"),
        ("[]", "not a notebook of the present format"),
        ('{"cells": []}', "the line '#| default_exp core.NAME' is missing"),
    ],
)
def test_refuses_foreign_notebook(desk, text, message):
    desk.path.write_text(text)
    with pytest.raises(TitoError, match=re.escape(message)):
        check(desk)


OTHER = """\
from tinytorch.checks import Checks

other_checks = Checks("test-other", points=2, names=["two"])


def counts(student):
    return {"two": student.two()}


other_checks.part(counts, points=2, expect={"two": 2}, hint="Count.")


def test_unit_two():
    other_checks.run(two)
"""


def runner_of(desk, *only):
    return CheckRunner(desk.path, desk.assignment, desk.package, *only)


def with_other(desk, source=OTHER):
    """Put a second graded cell on the desk, on a function in a cell of one's own."""
    desk.add("def two():\n    return 2")
    other = nbformat.v4.new_code_cell(source, id="test-other")
    other.metadata["nbgrader"] = {**desk.cell("test-answer").metadata.nbgrader}
    other.metadata["nbgrader"] |= {"grade_id": "test-other", "points": 2}
    desk.node.cells.append(other)
    nbformat.write(desk.node, desk.assignment.release)
    return desk.write("answer", RIGHT)


@pytest.fixture
def two_cells(desk):
    return with_other(desk)


def own(desk):
    return next(cell for cell in desk.node.cells if cell.source.startswith("def two"))


def test_one_cell_can_be_tested_alone(two_cells):
    runner = runner_of(two_cells, ["test-other"])
    assert [report.grade_id for report in runner.run().reports] == ["test-other"]


BOTH = {"test-answer", "test-other"}


@pytest.mark.parametrize(
    ("change", "checked"),
    [
        (lambda desk: desk.write("answer", RIGHT.replace("41", "40")), {"test-answer"}),
        (lambda desk: own(desk).update(source="def two():\n    return 3"), {"test-other"}),
        (lambda desk: own(desk).update(source="def two():\n    return ("), {"test-other"}),
        (lambda desk: desk.add("import math\nfive = 5"), set()),
        (lambda desk: desk.write("question", "Because."), set()),
        (lambda desk: desk.add("if __name__ == '__main__':\n    print(two())"), set()),
        (lambda desk: desk.add("def two():\n    return 4"), {"test-other"}),
        (lambda desk: desk.add("Answer.give = lambda self: 1"), BOTH),
        (lambda desk: desk.add("import numpy\nnumpy.random.seed(1)"), BOTH),
        (lambda desk: desk.add("from math import *"), BOTH),
    ],
)
def test_reruns_only_affected_checks(two_cells, change, checked):
    runner = runner_of(two_cells)
    assert runner.run().passed and runner.checked == BOTH
    change(two_cells)
    two_cells.save()
    result, whole = runner.run(), check(two_cells)
    assert runner.checked == checked
    assert result == whole  # the reports of the others are kept


def test_part_points_to_earlier_cached_failure(desk):
    both = OTHER.replace("student.two()", "student.two() * (student.Answer().give() == 42)")
    with_other(desk, both)
    desk.write("answer", RIGHT.replace("41", "40"))
    runner = runner_of(desk)
    runner.run()
    own(desk).source = "def two():\n    return 1 + 1"
    desk.save()
    _, other = runner.run().reports
    assert runner.checked == {"test-other"}
    assert other.parts[0].earlier == "test-answer (2 of 5 points), which is about Answer"


def test_what_gave_no_report_is_tested_again(two_cells):
    own(two_cells).source = "def two():\n    import os\n    os._exit(1)"
    runner = runner_of(two_cells.save())
    assert "ended with code 1" in runner.run().failures[0]
    two_cells.write("question", "Because.")
    runner.run()
    assert runner.checked == {"test-other"}


def test_prepared_run_sees_nothing_of_the_last_but_the_package_as_it_is(desk):
    desk.add(
        "import math, os, signal\n"
        "assert 'left' not in os.environ and math.pi > 3\n"
        "os.environ['left'], math.pi = 'here', 3\n"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
    )
    with closing(runner_of(desk)) as runner:
        for number in (41, 40, 39):
            runner.prepare()
            wait_until_it_reads(runner._spare)
            one = desk.package / "tinytorch" / "core" / "first.py"
            # As `tito export` of an earlier chapter; of another size, which Python looks at.
            one.write_text(f"ONE = {42 - number}\n" + "#" * number)
            desk.write("answer", RIGHT.replace("41", str(number)))
            result = runner.run()
            assert result.passed and result.notes == []


#: What the process has loaded when it is amid its imports.
HALF_WAY = "_multiarray_umath"


def test_process_that_died_while_it_waited_is_replaced(desk):
    desk.write("answer", RIGHT)
    with closing(runner_of(desk)) as runner:
        runner.prepare()
        dead = runner._spare
        dead.kill()
        dead.wait()
        assert runner.run().reports[0].earned == 5
    assert dead.stdin.closed and dead.stdout.closed


def wait_until_it_reads(process):
    """Wait until a process has imported NumPy and then slept for a while."""
    asleep = 0
    while asleep < 20:
        assert process.poll() is None
        folder = Path(f"/proc/{process.pid}")
        state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        asleep = asleep + 1 if state == "S" and HALF_WAY in (folder / "maps").read_text() else 0
        time.sleep(0.01)


@pytest.mark.parametrize("when", ["imports", "reads"])
def test_process_that_is_prepared_ends_silently_at_ctrl_c(desk, capfd, when):
    with closing(runner_of(desk)) as runner:
        runner.prepare()
        process = runner._spare
        if when == "reads":
            wait_until_it_reads(process)
        else:
            maps = Path(f"/proc/{process.pid}/maps")
            while HALF_WAY not in maps.read_text():
                assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == -signal.SIGINT
    assert capfd.readouterr() == ("", "")


def test_process_that_is_prepared_in_vain_ends_with_who_prepared_it(desk, capfd):
    with closing(runner_of(desk)) as runner:
        runner.prepare()
        runner._spare.stdin.close()
        assert runner._spare.wait(20) == 0
    assert capfd.readouterr() == ("", "")


def test_command_that_shows_reports_does_not_wait_for_numpy():
    code = "import sys, tito.student.main; assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
