"""The gradebook of a large class: what looks at it takes time in proportion."""

from contextlib import closing

import pytest
from nbgrader.api import Gradebook

from tito.errors import TitoError
from tito.gradebook.result import Result
from tito.gradebook.writer import GradebookWriter

SCORES = {"test-double": 4.0, "test-triple": 6.0}


@pytest.fixture
def open_book(course):
    config = course.nbgrader_config().CourseDirectory
    return lambda: Gradebook(config.db_url, config.course_id)


def enter(open_book, module, students: range) -> None:
    results = [Result(f"s{n:04}", "digest", "graded", scores=SCORES) for n in students]
    with closing(GradebookWriter(open_book(), module.name, module.notebook)) as marks:
        marks.write(results)


def steps_to_list(open_book, module) -> int:
    """Count SQLite's own steps, in thousands, while formgrader's list is made."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    with open_book() as book:
        book.db.connection().connection.driver_connection.set_progress_handler(count, 1000)
        listed = book.submission_dicts(module.name)
    assert sum(one["score"] == 10 for one in listed) == len(listed)
    return steps


def test_formgrader_list_is_linear(course, module, open_book):
    enter(open_book, module, range(150))
    half = steps_to_list(open_book, module)
    enter(open_book, module, range(150, 300))
    assert steps_to_list(open_book, module) < 2.5 * half


def test_write_is_idempotent(course, module, open_book):
    for _ in range(2):
        enter(open_book, module, range(3))
    with open_book() as book:
        assert [one["score"] for one in book.submission_dicts(module.name)] == [10.0] * 3
        grades = book.find_submission_notebook(module.notebook, module.name, "s0001").grades
        waiting = {grade.name for grade in grades if grade.auto_score is None}
    assert waiting == {"question-1"}


def test_a_cell_that_the_gradebook_does_not_know_is_named(module, open_book):
    unknown = Result("ada", "digest", "graded", scores={"test-quadruple": 4.0})
    with closing(GradebookWriter(open_book(), module.name, module.notebook)) as marks:
        with pytest.raises(TitoError, match="no cell test-quadruple .*tito release 08_optimizers"):
            marks.write([unknown])
