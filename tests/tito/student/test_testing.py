"""The checks of a student's notebook, run as in grading."""

import re

import pytest

from tests.tito.student.conftest import RIGHT
from tinytorch.tito.errors import TitoError
from tinytorch.tito.student import testing
from tinytorch.tito.student.running import without_magics
from tinytorch.tito.student.testing import run_checks


def check(desk):
    return run_checks(desk.path, desk.assignment, desk.package)


def problems(result):
    (report,) = result.reports
    return [part.problem for part in report.parts]


def test_an_untouched_notebook_earns_nothing_and_says_what_is_open(desk):
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
    assert problem.got == "NameError: name 'ON' is not defined, in the line: return 41 + ON"


def test_a_cell_that_does_not_parse_is_named_with_its_line(desk):
    result = check(desk.write("answer", RIGHT.replace("give(self)", "give(self")))
    assert result.failures[0].startswith("answer, line 3: SyntaxError: '(' was never closed")
    assert "NameError: name 'Answer' is not defined" in problems(result)[0].got


def test_a_changed_test_cell_is_replaced_by_the_released_one(desk):
    easier = desk.cell("test-answer").source.replace("42", "0")
    desk.write("answer", RIGHT.replace("41 + ONE", "0")).write("test-answer", easier)
    result = check(desk)
    assert not result.passed
    assert result.notes == [
        "test-answer: the locked cell was changed; the released one takes its place"
    ]


def test_a_deleted_test_cell_runs_all_the_same(desk):
    desk.node.cells.remove(desk.cell("test-answer"))
    result = check(desk.write("answer", RIGHT))
    assert result.passed and result.reports[0].earned == 5
    assert result.notes == ["test-answer: the cell is missing; the released one takes its place"]


def test_an_error_in_a_cell_of_ones_own_does_not_count_and_is_noted(desk):
    result = check(desk.write("answer", RIGHT).add("print('x')\n1 / 0"))
    assert result.passed
    (note,) = result.notes
    assert "line 2: ZeroDivisionError: division by zero (a cell of your own" in note


def test_what_cells_print_and_run_as_main_does_not_matter(desk):
    desk.add('import os\nprint("{")\nos.write(1, b"[")\nif __name__ == "__main__":\n    1 / 0')
    assert check(desk.write("answer", RIGHT)).notes == []


def test_helpers_in_cells_of_ones_own_and_magics_work(desk):
    desk.add("%matplotlib inline\nBASE = 41")
    assert check(desk.write("answer", RIGHT.replace("41", "BASE"))).passed


@pytest.mark.parametrize(
    ("source", "left"),
    [("x = 1", "x = 1"), ("if x:\n    !ls", "if x:\n    pass"), ("%%timeit\nf()", "")],
)
def test_only_magics_are_taken_out(source, left):
    assert without_magics(source) == left


def test_the_module_that_the_notebook_becomes_cannot_be_imported(desk):
    result = check(desk.write("answer", "from tinytorch.core.second import Answer"))
    assert "tinytorch.core.second is what this notebook becomes" in result.failures[0]


def test_a_cell_without_end_is_stopped(desk, monkeypatch):
    monkeypatch.setattr(testing, "SECONDS_A_CELL", 1.0)
    result = check(desk.write("answer", "while True:\n    pass"))
    assert result.failures == ["answer, not finished within 1 s; a loop?"]


def test_a_cell_that_ends_the_process_is_named(desk):
    result = check(desk.write("answer", "import os\nos._exit(3)"))
    assert result.failures == ["answer, the process ended with code 3"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"cells": [', "is not a notebook (line 1: Expecting value)"),
        ('{"worksheets": []}', "not a notebook of the present format"),
        ("[]", "not a notebook of the present format"),
        ('{"cells": []}', "the line '#| default_exp core.NAME' is missing"),
    ],
)
def test_what_is_not_a_notebook_of_the_course_is_refused(desk, text, message):
    desk.path.write_text(text)
    with pytest.raises(TitoError, match=re.escape(message)):
        check(desk)
