"""Cells are recognized by what is in them where their metadata is gone."""

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.tito.small_course import RIGHT, cell, context, position, solved, statuses
from tito.autograde import grade_submission
from tito.autograde.job import Job
from tito.course.cells import flags, grade_id, is_answered_beside
from tito.submission.intake import SubmissionError
from tito.submission.rebuild import rebuild_on
from tito.submission.recognize import is_of

BESIDE = "text of the student's own beside an answer, to be looked at: question-1"


@pytest.fixture
def work(released) -> NotebookNode:
    """A right notebook with a written answer."""
    return solved(released, answer="Since it is associative.")


def bare(nb: NotebookNode, *kept: str) -> NotebookNode:
    """Take from the cells what an editor takes: nbgrader's metadata, and ids unless kept."""
    for number, one in enumerate(nb.cells):
        one.metadata = NotebookNode()
        if "id" not in kept:
            one.id = f"new-{number}"
    return nb


def as_rebuilt(nb: NotebookNode) -> list[tuple[str | None, str]]:
    return [(grade_id(one), one.source) for one in nb.cells]


def exchange(field):
    """Give the two solutions each other's id, or metadata."""

    def change(nb):
        one, other = cell(nb, "double-function"), cell(nb, "triple-function")
        one[field], other[field] = other[field], one[field]
        return nb

    return change


def rotate_ids(nb):
    ids = [one.id for one in nb.cells]
    for one, new in zip(nb.cells, [*ids[1:], ids[0]], strict=True):
        one.id = new
    return nb


SHUFFLED = {
    "ids alone are left": lambda nb: bare(nb, "id"),
    "text alone is left": bare,
    "wrong ids alone are left": lambda nb: bare(exchange("id")(nb), "id"),
    "ids are wrong": rotate_ids,
    "metadata are wrong": exchange("metadata"),
}


@pytest.mark.parametrize("change", SHUFFLED.values(), ids=SHUFFLED)
def test_cells_are_recognized(released, work, change):
    expected = as_rebuilt(rebuild_on(released, nbformat.from_dict(work)))
    assert as_rebuilt(rebuild_on(released, change(work))) == expected


def test_by_its_id_an_edited_cell_is_still_known_and_that_is_flagged(released, work):
    cell(work, "test-double").source = "4.0"
    rebuilt = rebuild_on(released, bare(work, "id"))
    assert cell(rebuilt, "test-double").source == cell(released, "test-double").source
    first, second = flags(rebuilt)
    assert first.startswith("recognized without nbgrader's metadata: setup, ")
    assert first.endswith(" and 4 more") and second == "locked cell edited: test-double"


def test_an_edited_test_is_known_by_what_it_defines(released, work):
    cell(work, "test-double").source += "\nprint(4.0)"
    rebuilt = rebuild_on(released, bare(work))
    assert "print(4.0)" not in "".join(one.source for one in rebuilt.cells)
    assert flags(rebuilt)[1:] == ["locked cell edited: test-double"]


@pytest.mark.parametrize("solution", ["def double(x):\n    return 2 *", "double = lambda x: 2 * x"])
def test_a_solution_is_known_by_the_name_it_must_define(released, work, solution):
    cell(work, "double-function").source = solution
    rebuilt = rebuild_on(released, bare(work))
    assert cell(rebuilt, "double-function").source == solution


def test_of_two_definitions_both_are_kept_in_their_order(released, work):
    other = "def double(x):\n    return x + x"
    work.cells.append(new_code_cell(other))
    rebuilt = rebuild_on(released, bare(work))
    first = position(rebuilt, "double-function")
    both = [one.source for one in rebuilt.cells[first : first + 2]]
    assert both == [RIGHT["double-function"], other]
    assert "solution cell duplicated: double-function" in flags(rebuilt)


def test_merged_solutions_are_both_kept(released, work):
    cell(work, "double-function").source = "\n\n".join(RIGHT.values())
    del work.cells[position(work, "triple-function")]
    rebuilt = rebuild_on(released, work)
    assert cell(rebuilt, "triple-function").source == "\n\n".join(RIGHT.values())
    assert flags(rebuilt) == ["solution written into another cell: triple-function"]


def test_solution_in_locked_cell_is_kept(released, work):
    del work.cells[position(work, "triple-function")]
    cell(work, "test-double").source += "\n\n" + RIGHT["triple-function"]
    rebuilt = rebuild_on(released, work)
    assert cell(rebuilt, "triple-function").source.strip() == RIGHT["triple-function"]
    assert cell(rebuilt, "test-double").source == cell(released, "test-double").source


def test_merged_tests_are_taken_out(released, work):
    code = "\n\n".join(one.source for one in work.cells if one.cell_type == "code")
    work.cells = [new_code_cell(code), cell(work, "question-1")]
    rebuilt = rebuild_on(released, work)
    for name in RIGHT:
        assert "_checks" not in cell(rebuilt, name).source
        assert RIGHT[name] in cell(rebuilt, name).source


@pytest.mark.parametrize("found", [[], [new_code_cell("import math")], [new_markdown_cell("Why?")]])
def test_unrecognized_notebook_is_not_graded(released, found):
    other = new_notebook(cells=[new_code_cell("def training():\n    pass"), *found])
    assert not is_of(released, other)
    with pytest.raises(SubmissionError, match="no cell of the assignment is recognized"):
        grade_submission.rebuild(other, Job("ada", b"", "x.ipynb", ""), context(released))


SAYS = "print('It is associative, so that the order does not matter.')"
BESIDE_IT = [new_markdown_cell("It is."), *map(new_code_cell, ("# It is.", "It is.", SAYS))]


@pytest.mark.parametrize("own", BESIDE_IT)
@pytest.mark.parametrize("place", [0, 1])
def test_an_answer_beside_its_cell_waits_for_a_person(released, work, own, place):
    cell(work, "question-1").source = cell(released, "question-1").source
    work.cells.insert(position(work, "question-1") + place, nbformat.from_dict(own))
    rebuilt = rebuild_on(released, work)
    assert is_answered_beside(cell(rebuilt, "question-1"))
    assert flags(rebuilt) == [BESIDE]


def test_answer_in_the_question_waits(released, work):
    cell(work, "question-1").source = cell(released, "question-1").source
    answered = cell(work, "rubric-1").source + "\n\nIt is associative."
    cell(work, "rubric-1").source = answered
    rebuilt = rebuild_on(released, work)
    assert answered in [one.source for one in rebuilt.cells]
    assert cell(rebuilt, "rubric-1").source == cell(released, "rubric-1").source
    assert is_answered_beside(cell(rebuilt, "question-1"))
    assert flags(rebuilt) == ["locked cell edited: rubric-1", BESIDE]


def test_split_answer_uses_the_written_part(released, work):
    stub = nbformat.from_dict(cell(released, "question-1"))
    work.cells.insert(position(work, "question-1"), stub)
    rebuilt = rebuild_on(released, work)
    assert cell(rebuilt, "question-1").source == "Since it is associative."


def test_answers_below_the_last_cell_wait(released, work):
    for name in ("question-1", "question-2"):
        empty = nbformat.from_dict(cell(released, "question-1"))
        empty.metadata.nbgrader.grade_id = empty.id = name
        for nb in (released, work):
            nb.cells = [one for one in nb.cells if grade_id(one) != name]
            nb.cells.append(nbformat.from_dict(empty))
    work.cells.append(new_markdown_cell("1: It is associative. 2: It is not."))
    rebuilt = rebuild_on(released, work)
    assert all(is_answered_beside(cell(rebuilt, f"question-{n}")) for n in (1, 2))


def test_grading_goes_by_what_is_in_a_notebook(hand_in, grade, rows, work):
    hand_in("bare", bare(nbformat.from_dict(work)))
    hand_in("other", new_notebook(cells=[new_code_cell("import math")]))
    cell(work, "question-1").source = "Write your answer here."
    work.cells.append(new_markdown_cell("It is associative."))
    hand_in("below", work)
    run = grade()
    assert statuses(run) == {"bare": "graded", "below": "graded", "other": "failed"}
    told = "optimizers_dev.ipynb: no cell of the assignment is recognized in it"
    assert run.failed[0].reason.startswith(told)
    for student in ("bare", "below"):
        row = rows()[student]
        assert (row.total, row.needs_manual) == (10.0, ("question-1",)), student


def test_hostile_cells_beside_an_answer_are_not_parsed(released, work):
    work.cells += [new_code_cell("x = 1")] * 60 + [new_code_cell("-" * 1_000_000 + "1")]
    assert is_answered_beside(cell(rebuild_on(released, work), "question-1"))


def test_missing_answer_waits_for_a_person(released, work):
    del work.cells[position(work, "question-1")]
    assert not is_answered_beside(cell(rebuild_on(released, work), "question-1"))
    work.cells.insert(0, new_markdown_cell("It is associative."))
    rebuilt = rebuild_on(released, work)
    assert is_answered_beside(cell(rebuilt, "question-1"))
    assert flags(rebuilt) == ["solution cell deleted: question-1", BESIDE]


def test_own_code_and_course_text_are_no_answer(released, work):
    released.cells.append(new_markdown_cell("## The end"))
    for source in ("double(4)", "%matplotlib inline", "%time double(4)\nx = 1", " "):
        work.cells.append(new_code_cell(source))
    work.cells.append(new_markdown_cell("## The end"))
    rebuilt = rebuild_on(released, work)
    assert not is_answered_beside(cell(rebuilt, "question-1"))
    assert flags(rebuilt) == []
